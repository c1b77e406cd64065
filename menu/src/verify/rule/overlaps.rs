//! No address is given twice, and nothing lies in the network of something else.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::host_len;
use ipnet::IpNet;
use placemat_spec::{Place, Problem};
use std::collections::{HashMap, HashSet};

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    twice(facts, problems);
    nested(facts, problems);
}

fn twice(facts: &Facts, problems: &mut Vec<Problem>) {
    let mut seen = HashMap::new();
    let leases = facts
        .held
        .iter()
        .map(|it| (it.net.addr(), it.machine.to_owned(), it.place));
    let bmcs = facts.site.machines.iter().filter_map(|(name, machine)| {
        let (address, place) = machine.bmc?;
        Some((address, format!("the BMC of {name}"), place))
    });
    let hubs = facts.site.networks.iter().flat_map(|(name, network)| {
        let owner = format!("the hub on `{name}`");
        network
            .hub
            .iter()
            .map(move |net| (net.addr(), owner.clone(), network.place))
    });
    for (address, owner, place) in leases.chain(bmcs).chain(hubs) {
        if let Some((first, earlier)) = seen.insert(address, (owner.clone(), place)) {
            let message = format!("{first} and {owner} have the same address {address}");
            let problem = at(
                Problem::new("duplicate-address", message),
                place,
                "again here",
            );
            problems.push(at(problem, earlier, format!("of {first}")));
        }
    }
}

/// What takes up addresses: the prefix of a network, or a loopback.
struct Taken {
    net: IpNet,
    owner: String,
    place: Option<Place>,
}

fn nested(facts: &Facts, problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    let mut taken: Vec<Taken> = Vec::new();
    let held = facts.held.iter().map(|held| {
        if let Some(network) = held.network {
            (held.net.trunc(), format!("network `{network}`"), held.place)
        } else {
            let host = IpNet::new_assert(held.net.addr(), host_len(held.net.addr()));
            (
                host,
                format!("the loopback of {}", held.machine),
                held.place,
            )
        }
    });
    let hubs = facts.site.networks.iter().flat_map(|(name, network)| {
        let nets = network.hub.iter();
        nets.map(move |net| (net.trunc(), format!("network `{name}`"), network.place))
    });
    for (net, owner, place) in held.chain(hubs) {
        if seen.insert((net, owner.clone())) {
            taken.push(Taken { net, owner, place });
        }
    }
    // What encloses comes right before what it encloses.
    taken.sort_by_key(|it| (it.net.network(), it.net.prefix_len()));
    let mut around: Vec<&Taken> = Vec::new();
    // Of many things inside one, the first is told.
    let mut told: HashSet<&str> = HashSet::new();
    for inner in &taken {
        around.retain(|outer| outer.net.contains(&inner.net));
        // The same address twice is told already.
        let others = around.iter().filter(|outer| outer.owner != inner.owner);
        let others = others.filter(|outer| outer.net.prefix_len() < outer.net.max_prefix_len());
        for outer in others {
            if !told.insert(&outer.owner) {
                continue;
            }
            let message = format!(
                "{} ({}) lies in {} ({})",
                inner.owner, inner.net, outer.owner, outer.net
            );
            let problem = at(Problem::new("overlap", message), inner.place, "lies inside");
            problems.push(at(problem, outer.place, "of this"));
        }
        around.push(inner);
    }
}
