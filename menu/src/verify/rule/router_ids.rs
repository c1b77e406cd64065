//! Router ids tell machines apart.

use crate::verify::at;
use crate::verify::facts::Facts;
use placemat_spec::{Place, Problem};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    let mut seen: HashMap<Ipv4Addr, (&str, Option<Place>)> = HashMap::new();
    for (name, machine) in &facts.site.machines {
        let Some((id, place)) = machine.router_id else {
            continue;
        };
        if let Some((first, earlier)) = seen.insert(id, (name, place)) {
            let message = format!("{first} and {name} have the same router id {id}");
            let problem = at(
                Problem::new("duplicate-router-id", message),
                place,
                "again here",
            );
            problems.push(at(problem, earlier, format!("{first} has it")));
        }
        let own = machine
            .loopback
            .iter()
            .any(|net| net.addr() == IpAddr::V4(id));
        if !own {
            let message = format!("the router id {id} of {name} is no loopback address of it");
            let problem = at(
                Problem::new("foreign-router-id", message),
                place,
                "not its own",
            );
            problems.push(at(problem, machine.place, "its loopback is here"));
        }
    }
}
