//! Which announced BMC addresses are heeded. Pure.

use ipnet::IpNet;
use placemat_spec::Cluster;
use placemat_spec::resource::{Interface, Name, Network, NetworkType};
use std::collections::HashMap;
use std::net::IpAddr;

/// Where an announced BMC is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) address: IpAddr,
    /// The network of type `bmc` that holds it.
    pub(super) network: Name,
    /// Length of that network's prefix, in bits.
    pub(super) prefix_len: u8,
}

/// Why an address is not heeded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// The file has the say.
    #[error("{address} is not the {of_file} of its file, which holds")]
    File { address: IpAddr, of_file: IpAddr },
    /// No network is there for it.
    #[error("{address} is on no network of type `bmc` ({networks})")]
    OffNetwork { address: IpAddr, networks: String },
    /// The network itself, or all of it.
    #[error("{address} is the first or last address of {range}, and no host's")]
    NoHost { address: IpAddr, range: IpNet },
    /// Somebody has it.
    #[error("{address} is {whose}")]
    Taken { address: IpAddr, whose: String },
}

/// Where the BMC of `node` is to be by its announcement; `None`: it is there already.
pub(super) fn judge(
    cluster: &Cluster,
    seats: &HashMap<Name, Seat>,
    node: &str,
    address: IpAddr,
) -> Result<Option<Seat>, Refusal> {
    let bmc = cluster.nodes.get(node).and_then(|node| node.bmc.as_ref());
    if let Some(bmc) = bmc {
        let of_file = bmc.address;
        return if of_file == address {
            Ok(None)
        } else {
            Err(Refusal::File { address, of_file })
        };
    }
    if seats.get(node).is_some_and(|seat| seat.address == address) {
        return Ok(None);
    }
    let networks = || {
        let all = cluster.networks.values();
        all.filter(|network| network.kind == NetworkType::Bmc)
    };
    let found = networks().find_map(|network| Some((network, range(network, address)?)));
    let Some((network, range)) = found else {
        let ranges = networks().flat_map(|network| {
            let ranges = network.addresses.iter();
            ranges.map(|range| format!("`{}` has {}", network.name, range.trunc()))
        });
        let ranges: Vec<String> = ranges.collect();
        let networks = match &ranges[..] {
            [] => "there is none".to_owned(),
            ranges => ranges.join(", "),
        };
        return Err(Refusal::OffNetwork { address, networks });
    };
    let edge = address == range.network() || address == range.broadcast();
    if edge && range.max_prefix_len() - range.prefix_len() > 1 {
        let range = range.trunc();
        return Err(Refusal::NoHost { address, range });
    }
    match holder(cluster, seats, address) {
        Some(whose) => Err(Refusal::Taken { address, whose }),
        None => Ok(Some(Seat {
            address,
            network: network.name.clone(),
            prefix_len: range.prefix_len(),
        })),
    }
}

/// The range of a network that an address lies in.
pub(super) fn range(network: &Network, address: IpAddr) -> Option<IpNet> {
    let mut ranges = network.addresses.iter();
    ranges.find(|range| range.contains(&address)).copied()
}

/// Whose an address is already, as the end of a sentence.
fn holder(cluster: &Cluster, seats: &HashMap<Name, Seat>, address: IpAddr) -> Option<String> {
    let is = |net: &IpNet| net.addr() == address;
    for network in cluster.networks.values() {
        if network.addresses.iter().any(is) {
            return Some(format!("the hub's on network `{}`", network.name));
        }
    }
    for node in cluster.nodes.values() {
        let of_file = node.bmc.as_ref().map(|bmc| bmc.address);
        let announced = seats.get(&node.name).map(|seat| seat.address);
        if of_file.or(announced) == Some(address) {
            return Some(format!("where the BMC of node/{} is", node.name));
        }
    }
    let routers = cluster.routers.values().map(|router| {
        let name = format!("router/{}", router.name);
        (name, &router.interfaces, &router.loopback)
    });
    let boot_servers = cluster.boot_servers.values().map(|each| {
        let name = format!("boot-server/{}", each.name);
        (name, &each.interfaces, &each.loopback)
    });
    let nodes = cluster.nodes.values().map(|node| {
        let name = format!("node/{}", node.name);
        (name, &node.interfaces, &node.loopback)
    });
    let mut all = routers.chain(boot_servers).chain(nodes);
    let on = |interface: &Interface| interface.addresses.iter().any(is);
    let found =
        all.find(|(_, interfaces, loopback)| interfaces.iter().any(on) || loopback.iter().any(is));
    found.map(|(name, ..)| format!("an address of {name}"))
}

#[cfg(test)]
mod tests;
