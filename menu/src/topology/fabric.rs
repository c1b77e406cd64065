//! ToRs, and the links and sessions between them and what is above and below.

use super::build::tors;
use super::links::{Peer, interfaces, sessions};
use super::{PeerKind, Role, Router, Segment, Session, Speaker, machines, switches};
use crate::allocation::{Addresses, Allocation, Seat};
use crate::rack::DataCenter;

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

/// The ToRs of a rack.
pub(super) fn of_rack(dc: &DataCenter, allocation: &Allocation, rack: u32) -> Vec<Router> {
    tors(dc, rack)
        .map(|number| tor(dc, allocation, rack, number))
        .collect()
}

fn tor(dc: &DataCenter, allocation: &Allocation, rack: u32, tor: u32) -> Router {
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
    let segment = match (interfaces.as_slice(), gateway.v4) {
        ([.., boot_link, segment], Some(gateway)) => Some(Segment {
            interface: segment.name.clone(),
            boot_interface: boot_link.name.clone(),
            gateway: gateway.addr(),
            prefix6: allocation.segment6(rack, tor),
            dhcp_server: allocation.loopback(rack, Seat::Boot),
        }),
        _ => None,
    };
    Router {
        speaker: Speaker {
            name: tor_name(rack, tor),
            asn: allocation.tor_asn(rack, tor),
            loopback: allocation.loopback(rack, Seat::Tor(tor)),
            loopback6: allocation.loopback6(rack, Seat::Tor(tor)),
            addresses: Vec::new(),
            sessions: tor_sessions(dc, allocation, rack, tor),
        },
        role: Role::Tor,
        rack: Some(rack),
        pod: dc.pod(rack),
        interfaces,
        segment,
        gateways: Vec::new(),
        aggregates: Vec::new(),
        announced: Vec::new(),
        init_scripts: Vec::new(),
        apps: Vec::new(),
    }
}

fn tor_sessions(dc: &DataCenter, allocation: &Allocation, rack: u32, tor: u32) -> Vec<Session> {
    let spines = (1..=dc.spines).flat_map(|spine| {
        let ends = allocation.fabric_link(spine, rack, tor);
        let switch = switches::spine_of(dc, rack, spine);
        let peer = Peer {
            name: switches::switch_name(switch),
            kind: PeerKind::Spine,
            asn: allocation.switch_asn(switch),
        };
        sessions(dc, &peer, ends.lower, ends.upper)
    });
    let machine = |name: String, kind: PeerKind| Peer {
        name,
        kind,
        asn: allocation.rack_asn(rack),
    };
    let boot = allocation.boot_link(rack, tor);
    let boot_peer = machine(machines::boot_name(rack), PeerKind::Boot);
    let boot = sessions(dc, &boot_peer, boot.upper, boot.lower);
    let gateway = allocation.gateway(rack, tor);
    let servers = machines::running(dc, rack).flat_map(|(server, kind)| {
        let peer = machine(machines::server_name(rack, server, kind), PeerKind::Server);
        let nics = machines::nics(dc, rack, server, kind);
        nics.filter(|(_, of)| *of == tor)
            .flat_map(|(nic, tor)| {
                let neighbor = Addresses {
                    v4: Some(allocation.lease(rack, tor, server)),
                    v6: allocation.own6(rack, tor, server, nic),
                };
                sessions(dc, &peer, gateway, neighbor)
            })
            .collect::<Vec<_>>()
    });
    spines.chain(boot).chain(servers).collect()
}
