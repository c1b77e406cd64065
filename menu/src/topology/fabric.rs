//! Spines, ToRs and the links and sessions between them and what hangs below.

use super::build::{racks, tors};
use super::{Interface, PeerKind, Role, Router, Segment, Session, Speaker, machines};
use crate::allocation::{Allocation, Seat};
use crate::rack::DataCenter;
use ipnet::Ipv4Net;

pub(super) fn spine_name(spine: u32) -> String {
    format!("spine-{spine}")
}

pub(super) fn tor_name(rack: u32, tor: u32) -> String {
    format!("rack{rack}-tor{tor}")
}

pub(super) fn link_name(spine: u32, rack: u32, tor: u32) -> String {
    format!("s{spine}-r{rack}t{tor}")
}

pub(super) fn boot_link_name(rack: u32, tor: u32) -> String {
    format!("r{rack}b-t{tor}")
}

pub(super) fn segment_name(rack: u32, tor: u32) -> String {
    format!("r{rack}-node{tor}")
}

/// NICs named `eth0`, `eth1`, ... in the order of `ends`.
pub(super) fn interfaces(ends: impl Iterator<Item = (String, Ipv4Net)>) -> Vec<Interface> {
    ends.enumerate()
        .map(|(index, (network, address))| Interface {
            name: format!("eth{index}"),
            network,
            address: Some(address),
            mac: None,
        })
        .collect()
}

pub(super) fn spine(dc: &DataCenter, allocation: &Allocation, spine: u32) -> Router {
    let below = || racks(dc).flat_map(|rack| tors(dc).map(move |tor| (rack, tor)));
    let sessions = below().map(|(rack, tor)| {
        let ends = allocation.fabric_link(spine, rack, tor);
        Session {
            peer: tor_name(rack, tor),
            kind: PeerKind::Tor,
            local: Some(ends.upper.addr()),
            neighbor: ends.lower.addr(),
            asn: allocation.rack_asn(rack),
        }
    });
    Router {
        speaker: Speaker {
            name: spine_name(spine),
            asn: allocation.spine_asn(),
            loopback: allocation.spine_loopback(spine),
            sessions: sessions.collect(),
        },
        role: Role::Spine,
        rack: None,
        interfaces: interfaces(below().map(|(rack, tor)| {
            let ends = allocation.fabric_link(spine, rack, tor);
            (link_name(spine, rack, tor), ends.upper)
        })),
        segment: None,
    }
}

pub(super) fn tor(dc: &DataCenter, allocation: &Allocation, rack: u32, tor: u32) -> Router {
    let upwards = (1..=dc.spines).map(|spine| {
        let ends = allocation.fabric_link(spine, rack, tor);
        (link_name(spine, rack, tor), ends.lower)
    });
    let boot = allocation.boot_link(rack, tor);
    let gateway = allocation.gateway(rack, tor);
    let downwards = [
        (boot_link_name(rack, tor), boot.upper),
        (segment_name(rack, tor), gateway),
    ];
    let interfaces = interfaces(upwards.chain(downwards));
    let segment = match interfaces.as_slice() {
        [.., boot_link, segment] => Some(Segment {
            interface: segment.name.clone(),
            boot_interface: boot_link.name.clone(),
            gateway: gateway.addr(),
            dhcp_server: allocation.loopback(rack, Seat::Boot),
        }),
        _ => None,
    };
    Router {
        speaker: Speaker {
            name: tor_name(rack, tor),
            asn: allocation.rack_asn(rack),
            loopback: allocation.loopback(rack, Seat::Tor(tor)),
            sessions: tor_sessions(dc, allocation, rack, tor),
        },
        role: Role::Tor,
        rack: Some(rack),
        interfaces,
        segment,
    }
}

fn tor_sessions(dc: &DataCenter, allocation: &Allocation, rack: u32, tor: u32) -> Vec<Session> {
    let asn = allocation.rack_asn(rack);
    let spines = (1..=dc.spines).map(|spine| {
        let ends = allocation.fabric_link(spine, rack, tor);
        Session {
            peer: spine_name(spine),
            kind: PeerKind::Spine,
            local: Some(ends.lower.addr()),
            neighbor: ends.upper.addr(),
            asn: allocation.spine_asn(),
        }
    });
    let boot = allocation.boot_link(rack, tor);
    let boot = Session {
        peer: machines::boot_name(rack),
        kind: PeerKind::Boot,
        local: Some(boot.upper.addr()),
        neighbor: boot.lower.addr(),
        asn,
    };
    let servers = machines::running(dc, rack).map(|server| Session {
        peer: machines::server_name(rack, server),
        kind: PeerKind::Server,
        local: Some(allocation.gateway(rack, tor).addr()),
        neighbor: allocation.lease(rack, tor, server).addr(),
        asn,
    });
    spines.chain([boot]).chain(servers).collect()
}
