//! Each BMC is a host of the network from which it is managed: that of the hub. Where there is a core,
//! boot servers and operators reach BMCs through it.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::Machine;
use ipnet::IpNet;
use placemat_spec::{Place, Problem};
use std::net::IpAddr;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    let networks = facts.site.networks.values().filter(|network| network.bmc);
    let nets: Vec<IpNet> = networks
        .flat_map(|network| network.hub.iter().copied())
        .collect();
    let mut tell = |message: String, place: Option<Place>, label| {
        let problem = Problem::new("bmc-out-of-reach", message);
        problems.push(at(problem, place, label));
    };
    for (name, machine) in &facts.site.machines {
        let Some((address, place)) = machine.bmc else {
            continue;
        };
        let message = match nets.iter().find(|net| net.contains(&address)) {
            None => format!("the BMC of {name} at {address} cannot be reached from the hub"),
            Some(net) if is_edge(*net, address) => {
                format!(
                    "the BMC of {name} has the first or last address of {}",
                    net.trunc()
                )
            }
            Some(_) => continue,
        };
        tell(message, place, "its address");
    }
    for (name, core) in facts.cores() {
        if let Some((message, place)) = astray(facts, name, core, &nets) {
            tell(message, place, "of the core");
        }
    }
}

/// Why a core leads to no BMC, or nobody to it.
fn astray(
    facts: &Facts,
    name: &str,
    core: &Machine,
    nets: &[IpNet],
) -> Option<(String, Option<Place>)> {
    let is_bmc = |network: &str| facts.site.networks.get(network).is_some_and(|it| it.bmc);
    let Some(port) = core.ports.iter().find(|port| is_bmc(&port.network)) else {
        let message =
            format!("{name} is on no network of BMCs: boot servers and operators reach none");
        return Some((message, core.place));
    };
    let network = &port.network;
    let foreign = |net: &&IpNet| !nets.iter().any(|it| it.trunc() == net.trunc());
    if let Some(net) = port.addresses.iter().find(foreign) {
        let message = format!("{name} has {net} on `{network}`, where BMCs have other addresses");
        return Some((message, port.place));
    }
    if !port.told {
        let message =
            format!("{name} does not tell the fabric of `{network}`, so nobody there reaches BMCs");
        return Some((message, port.place));
    }
    None
}

fn is_edge(net: IpNet, address: IpAddr) -> bool {
    address == net.network() || address.is_ipv4() && address == net.broadcast()
}
