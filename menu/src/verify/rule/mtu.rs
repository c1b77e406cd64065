//! Packets that fit into the network of a server fit through the links between routers.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::{Network, host_len};
use placemat_spec::Problem;

/// What a network without an MTU of its own carries at least.
const USUAL: u32 = 1500;
/// RFC 8200 section 5: a link with IPv6 carries at least this.
const LEAST_V6: u32 = 1280;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    let routed =
        |network: &&(&String, &Network)| !network.1.bmc && !facts.ends(network.0).is_empty();
    let all: Vec<_> = facts.site.networks.iter().collect();
    let edges = all
        .iter()
        .filter(routed)
        .filter(|(name, _)| !facts.is_link(name));
    let largest = edges.max_by_key(|(_, network)| network.mtu.unwrap_or(USUAL));
    for (name, network) in &all {
        let mtu = network.mtu.unwrap_or(USUAL);
        let v6 = facts
            .ends(name)
            .iter()
            .flat_map(|(_, port)| &port.addresses);
        let v6 = v6.into_iter().any(|net| host_len(net.addr()) == 128);
        if v6 && mtu < LEAST_V6 {
            let message = format!("`{name}` has IPv6 and an MTU of {mtu}");
            let problem = Problem::new("mtu-too-small", message);
            let problem = problem.help(format!("IPv6 needs {LEAST_V6} bytes at least"));
            problems.push(at(problem, network.place, "too small"));
        }
        let Some((edge, widest)) = largest else {
            continue;
        };
        let wide = widest.mtu.unwrap_or(USUAL);
        if facts.is_link(name) && !network.bmc && mtu < wide && !facts.ends(name).is_empty() {
            let message =
                format!("packets of `{edge}` (MTU {wide}) do not fit through `{name}` (MTU {mtu})");
            let problem = at(
                Problem::new("mtu-too-small", message),
                network.place,
                "too small",
            );
            problems.push(at(problem, widest.place, "larger"));
        }
    }
}
