//! Who speaks BGP with whom, and what the spines announce to the core.

use super::{Rack, rack_numbers, spine_name, spine_numbers, tor_name};
use crate::neco::allocation::{Allocation, TORS};
use crate::neco::input::Menu;
use ipnet::Ipv4Net;
use serde::Serialize;
use std::net::Ipv4Addr;

/// One BGP session, from the end that it is told to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Name of the other end.
    pub peer: String,
    /// Address of the other end.
    pub neighbor: Ipv4Addr,
    /// ASN of the other end.
    pub asn: u32,
}

/// A route that is there from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Static {
    /// What it is for.
    pub what: &'static str,
    /// Where to.
    pub prefix: Ipv4Net,
    /// Next hop.
    pub via: Ipv4Addr,
}

/// The core's BIRD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoreRouting {
    /// Its ASN.
    pub asn: u32,
    /// The way out.
    pub internet: Ipv4Addr,
    /// Sessions with spines.
    pub spines: Vec<Session>,
}

/// A spine's BIRD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpineRouting {
    /// Its name.
    pub name: String,
    /// Its ASN.
    pub asn: u32,
    /// Session with the core.
    pub core: Session,
    /// What it announces to the core.
    pub statics: Vec<Static>,
    /// Sessions with `ToR`s.
    pub tors: Vec<Session>,
}

/// A `ToR`'s BIRD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TorRouting {
    /// Its name.
    pub name: String,
    /// Its ASN.
    pub asn: u32,
    /// Interface to its servers.
    pub node_interface: String,
    /// Sessions with spines.
    pub spines: Vec<Session>,
    /// Sessions with the servers of its rack.
    pub servers: Vec<Session>,
}

pub(super) fn core(menu: &Menu, allocation: &Allocation<'_>) -> CoreRouting {
    let session = |spine| Session {
        peer: spine_name(spine),
        neighbor: allocation.core_link(spine).lower.addr(),
        asn: allocation.spine_asn(),
    };
    CoreRouting {
        asn: allocation.core_asn(),
        internet: allocation.internet_host().addr(),
        spines: spine_numbers(menu).map(session).collect(),
    }
}

pub(super) fn spines(menu: &Menu, allocation: &Allocation<'_>) -> Vec<SpineRouting> {
    let exposed = &menu.network.exposed;
    let spine = |number: u32| {
        let core = allocation.core_link(number).upper.addr();
        let own_bmc = allocation.bmc_spine(number).addr();
        let via = |what, prefix, via| Static { what, prefix, via };
        let tors = rack_numbers(menu).flat_map(|rack| {
            (0..TORS).map(move |tor| Session {
                peer: tor_name(rack, tor),
                neighbor: allocation.fabric_link(number, rack, tor).lower.addr(),
                asn: allocation.rack_asn(rack),
            })
        });
        SpineRouting {
            name: spine_name(number),
            asn: allocation.spine_asn(),
            core: Session {
                peer: "core".into(),
                neighbor: core,
                asn: allocation.core_asn(),
            },
            statics: vec![
                via("load balancers", exposed.load_balancer.value, core),
                via("bastions", exposed.bastion.value, core),
                via("egress", exposed.egress.value, core),
                via("global", exposed.global.value, core),
                via("BMCs", menu.network.ipam.bmc_pool.value, own_bmc),
            ],
            tors: tors.collect(),
        }
    };
    spine_numbers(menu).map(spine).collect()
}

pub(super) fn tors(menu: &Menu, allocation: &Allocation<'_>, racks: &[Rack]) -> Vec<TorRouting> {
    let tor = |rack: &Rack, number: u32| {
        let session = |spine| Session {
            peer: spine_name(spine),
            neighbor: allocation
                .fabric_link(spine, rack.index, number)
                .upper
                .addr(),
            asn: allocation.spine_asn(),
        };
        let servers = [&rack.boot].into_iter().chain(&rack.cs).chain(&rack.ss);
        TorRouting {
            name: tor_name(rack.index, number),
            asn: rack.asn,
            node_interface: rack.node_interface.clone(),
            spines: spine_numbers(menu).map(session).collect(),
            servers: servers
                .map(|server| Session {
                    peer: server.name.clone(),
                    neighbor: server.addresses[number as usize + 1],
                    asn: rack.asn,
                })
                .collect(),
        }
    };
    let both = |rack| (0..TORS).map(move |number| tor(rack, number));
    racks.iter().flat_map(both).collect()
}
