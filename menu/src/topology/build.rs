//! Puts the plan together, in the order in which everything is listed: spines, then rack by rack.

use super::{Feed, Image, Network, Plan, Timers, fabric, machines};
use crate::allocation::Allocation;
use crate::rack::DataCenter;

impl Plan {
    /// The plan of a checked rack spec.
    pub fn new(dc: &DataCenter, allocation: &Allocation) -> Self {
        let spines = (1..=dc.spines).map(|spine| fabric::spine(dc, allocation, spine));
        let tors = racks(dc)
            .flat_map(|rack| tors(dc).map(move |tor| fabric::tor(dc, allocation, rack, tor)));
        Self {
            name: dc.name.clone(),
            image: Image {
                name: dc.image.name.clone(),
                bundle: dc.image.bundle.clone(),
            },
            networks: networks(dc, allocation),
            routers: spines.chain(tors).collect(),
            boot_servers: racks(dc)
                .map(|rack| machines::boot_server(dc, allocation, rack))
                .collect(),
            servers: racks(dc)
                .flat_map(|rack| machines::servers(dc, allocation, rack))
                .collect(),
            feeds: feeds(dc),
            timers: timers(dc),
            spine_loopbacks: dc.pools.loopback.prefix,
        }
    }
}

/// Rack numbers. The allocator has checked that there are not too many.
pub(super) fn racks(dc: &DataCenter) -> impl Iterator<Item = u32> + use<> {
    (0..dc.racks.len()).filter_map(|index| u32::try_from(index + 1).ok())
}

/// ToR numbers of a rack.
pub(super) fn tors(dc: &DataCenter) -> impl Iterator<Item = u32> + use<> {
    1..=dc.tors
}

fn networks(dc: &DataCenter, allocation: &Allocation) -> Vec<Network> {
    let bmc = Network {
        name: "bmc".into(),
        bmc: Some(allocation.bmc_hub()),
        rack: None,
    };
    let of_racks = racks(dc).flat_map(|rack| {
        let links = tors(dc).flat_map(move |tor| {
            (1..=dc.spines).map(move |spine| fabric::link_name(spine, rack, tor))
        });
        let boot = tors(dc).map(move |tor| fabric::boot_link_name(rack, tor));
        let segments = tors(dc).map(move |tor| fabric::segment_name(rack, tor));
        links.chain(boot).chain(segments).map(move |name| Network {
            name,
            bmc: None,
            rack: Some(rack),
        })
    });
    std::iter::once(bmc).chain(of_racks).collect()
}

fn feeds(dc: &DataCenter) -> Vec<Feed> {
    let spines = Feed {
        name: "feed-spines".into(),
        loads: vec!["router/role=spine".into()],
        rack: None,
    };
    let of_racks = racks(dc).map(|rack| Feed {
        name: format!("feed-rack{rack}"),
        loads: vec![format!("rack/{rack}")],
        rack: Some(rack),
    });
    std::iter::once(spines).chain(of_racks).collect()
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
