//! Addresses: none twice on a segment, and none twice among those that everybody routes to.

use super::{Once, twice};
use crate::draft::{Draft, Ledger, Segment};
use crate::problem::{Findings, Problem};
use std::collections::HashMap;
use std::net::IpAddr;

/// Least MTU of a link that carries IPv6 (RFC 8200, section 5): the kernel takes it away below.
const IPV6_MTU: u32 = 1280;

/// IPv6 addresses on networks that cannot carry IPv6.
pub(super) fn carried(draft: &Draft, findings: &Findings) {
    for used in &draft.ledger.addresses {
        let Segment::Network(network) = &used.segment else {
            continue;
        };
        let mtu = draft.cluster.networks.get(network).and_then(|it| it.mtu);
        if let Some(mtu) = mtu.filter(|mtu| *mtu < IPV6_MTU && used.net.addr().is_ipv6()) {
            findings.error(
                Problem::new(
                    "conflict",
                    format!("network `{network}` has an MTU of {mtu}, too small for IPv6"),
                )
                .at(
                    used.net.place,
                    format!("IPv6 takes {IPV6_MTU} bytes at least"),
                )
                .help("raise its `mtu`, or use IPv4 on it"),
            );
        }
    }
}

pub(super) fn check(ledger: &Ledger, findings: &Findings) {
    let mut on_segment = Once::new();
    let mut routed = Once::new();
    // Interface addresses of every network, to hold loopbacks and BMCs against.
    let mut on_interfaces: HashMap<IpAddr, usize> = HashMap::new();
    for (index, used) in ledger.addresses.iter().enumerate() {
        let address = used.net.addr();
        let place = used.net.place;
        match &used.segment {
            Segment::Network(network) => {
                on_interfaces.entry(address).or_insert(index);
                if let Some(first) = on_segment.again((network, address), place, &used.owner) {
                    let message = format!("{address} is used twice on network `{network}`");
                    findings.error(twice("duplicate-address", message, place, &first));
                }
            }
            Segment::Loopback | Segment::Bmc => {
                if let Some(first) = routed.again(address, place, &used.owner) {
                    let what = if used.segment == Segment::Bmc {
                        "BMC"
                    } else {
                        "loopback"
                    };
                    let message = format!("the {what} address {address} is used twice");
                    findings.error(twice("duplicate-address", message, place, &first));
                }
            }
        }
    }
    for used in ledger
        .addresses
        .iter()
        .filter(|it| !matches!(it.segment, Segment::Network(_)))
    {
        let address = used.net.addr();
        if let Some(first) = on_interfaces
            .get(&address)
            .and_then(|index| ledger.addresses.get(*index))
        {
            let what = if used.segment == Segment::Bmc {
                "BMC"
            } else {
                "loopback"
            };
            let message = format!(
                "the {what} address {address} of {} is an interface's too",
                used.owner
            );
            findings.error(twice(
                "duplicate-address",
                message,
                used.net.place,
                &(first.net.place, first.owner.clone()),
            ));
        }
    }
}
