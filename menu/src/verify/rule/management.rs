//! Each BMC is a host of the network from which it is managed: that of the hub.

use crate::verify::at;
use crate::verify::facts::Facts;
use ipnet::IpNet;
use placemat_spec::Problem;
use std::net::IpAddr;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    let networks = facts.site.networks.values().filter(|network| network.bmc);
    let nets: Vec<IpNet> = networks
        .flat_map(|network| network.hub.iter().copied())
        .collect();
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
        problems.push(at(
            Problem::new("bmc-out-of-reach", message),
            place,
            "its address",
        ));
    }
}

fn is_edge(net: IpNet, address: IpAddr) -> bool {
    address == net.network() || address.is_ipv4() && address == net.broadcast()
}
