//! BMCs: each address lies on a network of type `bmc`.

use crate::draft::{Draft, Segment};
use crate::problem::{Findings, Problem};
use crate::resource::{Network, NetworkType};
use std::net::IpAddr;

pub(super) fn check(draft: &mut Draft, findings: &Findings) {
    let networks: Vec<&Network> = draft
        .cluster
        .networks
        .values()
        .filter(|it| it.kind == NetworkType::Bmc)
        .collect();
    let holder = |address: IpAddr| {
        networks
            .iter()
            .find(|network| network.addresses.iter().any(|net| net.contains(&address)))
    };
    for used in draft
        .ledger
        .addresses
        .iter()
        .filter(|it| it.segment == Segment::Bmc)
    {
        let address = used.net.addr();
        let Some(network) = holder(address) else {
            // The network may stand in a document that could not be read.
            if draft.ledger.lost {
                continue;
            }
            let ranges: Vec<String> = networks
                .iter()
                .flat_map(|it| {
                    it.addresses
                        .iter()
                        .map(|net| format!("`{}` has {}", it.name, net.trunc()))
                })
                .collect();
            findings.error(
                Problem::new(
                    "bmc-off-network",
                    format!(
                        "the BMC address {address} of {} is on no network of type `bmc`",
                        used.owner
                    ),
                )
                .at(used.net.place, "outside")
                .help(if ranges.is_empty() {
                    "there is no network of type `bmc`: add one".to_owned()
                } else {
                    format!("networks of type `bmc`: {}", ranges.join(", "))
                }),
            );
            continue;
        };
        let edge = network.addresses.iter().find(|net| {
            net.contains(&address)
                && net.max_prefix_len() - net.prefix_len() > 1
                && (address == net.network() || address.is_ipv4() && address == net.broadcast())
        });
        if let Some(net) = edge {
            findings.error(
                Problem::new(
                    "bad-address",
                    format!(
                        "the BMC address {address} of {} is no host of its network",
                        used.owner
                    ),
                )
                .at(
                    used.net.place,
                    format!("the first or last address of {}", net.trunc()),
                ),
            );
        }
    }
    let found: Vec<(String, String)> = draft
        .cluster
        .nodes
        .values()
        .filter_map(|node| {
            Some((
                node.name.clone(),
                holder(node.bmc.as_ref()?.address)?.name.clone(),
            ))
        })
        .collect();
    for (node, network) in found {
        if let Some(bmc) = draft
            .cluster
            .nodes
            .get_mut(&node)
            .and_then(|node| node.bmc.as_mut())
        {
            bmc.network = network;
        }
    }
}
