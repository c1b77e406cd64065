//! Point-to-point links: a /31 (RFC 3021) or /127 (RFC 6164) has two ends.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::{Held, host_len};
use indexmap::IndexMap;
use ipnet::IpNet;
use placemat_spec::Problem;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    let mut pairs: IndexMap<IpNet, Vec<&Held>> = IndexMap::new();
    for held in &facts.held {
        let pair = held.net.prefix_len() + 1 == host_len(held.net.addr());
        if pair && held.network.is_some() {
            pairs.entry(held.net.trunc()).or_default().push(held);
        }
    }
    for (pair, ends) in pairs {
        let [one, other] = ends.as_slice() else {
            let names: Vec<&str> = ends.iter().map(|held| held.machine).collect();
            let message = format!(
                "the link {pair} has {}: {}",
                if ends.len() == 1 {
                    "one end only".into()
                } else {
                    format!("{} ends", ends.len())
                },
                names.join(", ")
            );
            let place = ends.last().and_then(|held| held.place);
            problems.push(at(Problem::new("no-pair", message), place, "of this link"));
            continue;
        };
        if one.network == other.network {
            continue;
        }
        let on =
            |held: &Held| format!("{} on `{}`", held.machine, held.network.unwrap_or_default());
        let message = format!(
            "the two ends of {pair} are not on one network: {}, {}",
            on(one),
            on(other)
        );
        let problem = at(Problem::new("split-pair", message), other.place, "one end");
        problems.push(at(problem, one.place, "the other end"));
    }
}
