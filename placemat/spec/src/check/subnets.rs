//! Subnets: two networks must not share addresses, or nobody could route between them; and all
//! that is on one network must agree on its subnet.

use crate::draft::{AddressUse, Ledger, Segment};
use crate::problem::{Findings, Problem};
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::IpAddr;

pub(super) fn check(ledger: &Ledger, findings: &Findings) {
    let mut sorted: Vec<(IpNet, &str, &AddressUse)> = ledger
        .addresses
        .iter()
        .filter_map(|used| match &used.segment {
            Segment::Network(network) => Some((used.net.trunc(), network.as_str(), used)),
            _ => None,
        })
        .collect();
    // Enclosing subnets come right before what they enclose; equal ones stay in file order.
    sorted.sort_by_key(|(subnet, _, _)| (subnet.network(), subnet.prefix_len()));
    let mut reported: HashSet<(&str, &str)> = HashSet::new();
    // The subnets that enclose the current one, outermost first. Each network appears once.
    let mut around: Vec<(IpNet, &str, &AddressUse)> = Vec::new();
    for current in sorted {
        let (subnet, network, used) = current;
        while around
            .last()
            .is_some_and(|(outer, _, _)| !encloses(outer, &subnet))
        {
            around.pop();
        }
        for (outer, other, first) in &around {
            let pair = if network < *other {
                (network, *other)
            } else {
                (*other, network)
            };
            if *other == network && *outer == subnet || !reported.insert(pair) {
                continue;
            }
            let (later, earlier) = if before(first, used) {
                (used, *first)
            } else {
                (*first, used)
            };
            if *other == network {
                findings.warning(
                    Problem::new(
                        "subnet-mismatch",
                        format!("network `{network}` has two subnets, one inside the other"),
                    )
                    .at(later.net.place, format!("in {}", later.net.trunc()))
                    .at(earlier.net.place, format!("in {}", earlier.net.trunc()))
                    .help("on one network all prefix lengths should be the same"),
                );
            } else {
                let (name, other_name) = (name_of(later), name_of(earlier));
                findings.error(
                    Problem::new(
                        "overlapping-subnets",
                        format!("networks `{other_name}` and `{name}` overlap"),
                    )
                    .at(
                        later.net.place,
                        format!("network `{name}` has {}", later.net.trunc()),
                    )
                    .at(
                        earlier.net.place,
                        format!("network `{other_name}` has {}", earlier.net.trunc()),
                    )
                    .help("give each network a subnet of its own"),
                );
            }
        }
        if !around
            .iter()
            .any(|(outer, other, _)| *outer == subnet && *other == network)
        {
            around.push(current);
        }
    }
}

fn name_of(used: &AddressUse) -> &str {
    match &used.segment {
        Segment::Network(name) => name,
        _ => "",
    }
}

fn before(a: &AddressUse, b: &AddressUse) -> bool {
    (a.net.place.source, a.net.place.offset) < (b.net.place.source, b.net.place.offset)
}

fn encloses(outer: &IpNet, inner: &IpNet) -> bool {
    // IPv6 link-local subnets are the same on every link.
    let link_local = matches!(outer.addr(), IpAddr::V6(address) if address.is_unicast_link_local());
    !link_local && outer.contains(inner)
}
