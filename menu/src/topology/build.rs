//! Puts the plan together, in the order in which everything is listed: switches above the racks,
//! then rack by rack, then the core.

use super::{Image, Network, Plan, Prefix, Timers, core, fabric, links, machines, power, switches};
use crate::List;
use crate::allocation::Allocation;
use crate::rack::DataCenter;
use ipnet::IpNet;

impl Plan {
    /// The plan of a checked rack spec.
    pub fn new(dc: &DataCenter, allocation: &Allocation) -> Self {
        let mut routers = switches::all(dc, allocation);
        routers.extend(racks(dc).flat_map(|rack| fabric::of_rack(dc, allocation, rack)));
        routers.extend(core::routers(dc, allocation));
        Self {
            name: dc.name.clone(),
            image: Image {
                name: dc.image.name.clone(),
                bundle: dc.image.bundle.value.clone(),
            },
            family: dc.family,
            asn_scheme: dc.asn.scheme,
            boot: dc.boot,
            prefixes: prefixes(dc),
            networks: networks(dc, allocation),
            routers: routers.into_iter().collect(),
            boot_servers: racks(dc)
                .map(|rack| machines::boot_server(dc, allocation, rack))
                .collect(),
            servers: racks(dc)
                .flat_map(|rack| machines::servers(dc, allocation, rack))
                .collect(),
            feeds: power::feeds(dc),
            services: core::services(dc),
            timers: timers(dc),
            spine_loopbacks: dc.pools.loopback.prefix,
            spine_loopbacks6: allocation.switch_loopbacks6(),
        }
    }
}

/// Rack numbers. The allocator has checked that there are not too many.
pub(super) fn racks(dc: &DataCenter) -> impl Iterator<Item = u32> + use<> {
    (0..dc.racks.len()).filter_map(|index| u32::try_from(index + 1).ok())
}

/// Pod numbers.
pub(super) fn pods(dc: &DataCenter) -> impl Iterator<Item = u32> + use<> {
    1..=dc.pods
}

/// ToR numbers of a rack.
pub(super) fn tors(dc: &DataCenter, rack: u32) -> impl Iterator<Item = u32> + use<> {
    1..=dc.tors(rack)
}

/// Pools in use, and exposed ranges.
fn prefixes(dc: &DataCenter) -> Vec<Prefix> {
    let pools = &dc.pools;
    let in_use = [
        ("node", IpNet::from(pools.node.prefix), true),
        ("fabric", pools.fabric.prefix.into(), true),
        ("loopback", pools.loopback.prefix.into(), true),
        ("bmc", pools.bmc.prefix.into(), true),
        ("pods", pools.pods.prefix.into(), dc.pods > 0),
        ("core", pools.core.prefix.into(), dc.core.is_some()),
        ("ipv6", pools.ipv6.prefix.into(), dc.has_ipv6()),
    ];
    let in_use = in_use.into_iter().filter(|(_, _, used)| *used);
    let aggregates = match dc.core {
        Some(_) => core::aggregates(dc),
        None => Vec::new(),
    };
    let exposed = dc.exposed.iter();
    in_use
        .map(|(name, prefix, _)| (name, prefix))
        .chain(exposed.map(|range| (range.name, range.prefix)))
        .map(|(name, prefix)| Prefix {
            name: name.into(),
            prefix,
            aggregate: aggregates.contains(&prefix),
        })
        .collect()
}

/// The BMC network, those of each rack, then those above the racks.
fn networks(dc: &DataCenter, allocation: &Allocation) -> List<Network> {
    let bmc = Network {
        bmc: Some(allocation.bmc_hub()),
        ..links::network("bmc".into(), "bmc")
    };
    let of_racks = racks(dc).flat_map(|rack| of_rack(dc, rack));
    let of_pods = pods(dc).flat_map(|pod| {
        (1..=dc.spines).flat_map(move |spine| {
            (1..=dc.super_spines).map(move |super_spine| Network {
                pod: Some(pod),
                ..links::network(switches::pod_link_name(super_spine, pod, spine), "link")
            })
        })
    });
    std::iter::once(bmc)
        .chain(of_racks)
        .chain(of_pods)
        .chain(core::networks(dc, allocation))
        .collect()
}

fn of_rack(dc: &DataCenter, rack: u32) -> Vec<Network> {
    let links = tors(dc, rack).flat_map(|tor| {
        (1..=dc.spines).map(move |spine| (fabric::link_name(spine, rack, tor), "link"))
    });
    let boot = tors(dc, rack).map(|tor| (fabric::boot_link_name(rack, tor), "boot"));
    let segments = tors(dc, rack).map(|tor| (fabric::segment_name(rack, tor), "node"));
    links
        .chain(boot)
        .chain(segments)
        .map(|(name, role)| Network {
            rack: Some(rack),
            pod: dc.pod(rack),
            ..links::network(name, role)
        })
        .collect()
}

fn timers(dc: &DataCenter) -> Timers {
    Timers {
        bfd_interval: dc.bfd.interval.as_millis(),
        bfd_multiplier: dc.bfd.multiplier,
        hold: dc.bgp.hold.as_secs(),
        connect: dc.bgp.connect.as_secs(),
        error_wait: dc.bgp.error_wait.as_secs(),
        error_wait_max: 4 * dc.bgp.error_wait.as_secs(),
    }
}
