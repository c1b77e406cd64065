//! What stands in a rack below the ToRs: the boot server and the servers.

use super::build::tors;
use super::fabric::{boot_link_name, segment_name, tor_name};
use super::links::{Peer, interfaces, sessions};
use super::{
    Bmc, BootServer, DhcpHost, DhcpRange, Interface, Machine, PeerKind, Server, Session, Speaker,
};
use crate::allocation::{Addresses, Allocation, Seat, serial};
use crate::rack::{DataCenter, ServerType};
use placemat_spec::resource::Tier;

pub(super) fn boot_name(rack: u32) -> String {
    format!("rack{rack}-boot")
}

pub(super) fn server_name(rack: u32, server: u32, kind: &ServerType) -> String {
    format!("rack{rack}-{}{server}", kind.role)
}

/// Numbers, from 1, and types of a rack's servers.
fn seats(dc: &DataCenter, rack: u32) -> impl Iterator<Item = (u32, &String, &ServerType)> {
    let types = dc.rack(rack).into_iter().flat_map(|rack| &rack.servers);
    let seats = (1..).zip(types);
    seats.filter_map(|(server, name)| Some((server, &name.value, dc.types.get(&name.value)?)))
}

/// Servers of a rack that speak BGP: all but mocks.
pub(super) fn running(dc: &DataCenter, rack: u32) -> impl Iterator<Item = (u32, &ServerType)> {
    seats(dc, rack)
        .filter(|(_, _, kind)| kind.tier != Tier::Mock)
        .map(|(server, _, kind)| (server, kind))
}

/// NICs of a server, from 0, each with the ToR that it leads to. Servers with one take the ToRs in
/// turn.
pub(super) fn nics(
    dc: &DataCenter,
    rack: u32,
    server: u32,
    kind: &ServerType,
) -> impl Iterator<Item = (u32, u32)> + use<> {
    let tors = dc.tors(rack).max(1);
    let first = match kind.nics {
        Some(1) => (server - 1) % tors,
        _ => 0,
    };
    (0..kind.nics.unwrap_or(tors).min(tors)).map(move |nic| (nic, first + nic + 1))
}

pub(super) fn boot_server(dc: &DataCenter, allocation: &Allocation, rack: u32) -> BootServer {
    let asn = allocation.rack_asn(rack);
    let link = |tor| allocation.boot_link(rack, tor);
    let sessions = tors(dc, rack).flat_map(|tor| {
        let ends = link(tor);
        sessions(dc, &tor_peer(allocation, rack, tor), ends.lower, ends.upper)
    });
    let ranges = tors(dc, rack).filter_map(|tor| {
        let (start, end) = allocation.guests(rack, tor);
        Some(DhcpRange {
            subnet: allocation.segment(rack, tor),
            start,
            end,
            router: allocation.gateway(rack, tor).v4?.addr(),
        })
    });
    let hosts = running(dc, rack).flat_map(|(server, kind)| {
        nics(dc, rack, server, kind).map(move |(nic, tor)| DhcpHost {
            mac: allocation.mac(rack, server, nic).to_string(),
            address: allocation.lease(rack, tor, server).addr(),
        })
    });
    let machines = running(dc, rack).map(|(server, kind)| {
        let name = server_name(rack, server, kind);
        Machine {
            serial: serial(&name),
            name,
        }
    });
    let bastion = allocation.bastion(rack).map(Into::into).into_iter();
    let bastions = bastion.chain(allocation.bastion6(rack).map(Into::into));
    BootServer {
        speaker: Speaker {
            name: boot_name(rack),
            asn,
            loopback: allocation.loopback(rack, Seat::Boot),
            loopback6: allocation.loopback6(rack, Seat::Boot),
            addresses: bastions.collect(),
            sessions: sessions.collect(),
        },
        rack,
        pod: dc.pod(rack),
        interfaces: interfaces(
            tors(dc, rack).map(|tor| (boot_link_name(rack, tor), link(tor).lower)),
        ),
        ranges: ranges.collect(),
        hosts: hosts.collect(),
        machines: machines.collect(),
    }
}

fn tor_peer(allocation: &Allocation, rack: u32, tor: u32) -> Peer {
    Peer {
        name: tor_name(rack, tor),
        kind: PeerKind::Tor,
        asn: allocation.tor_asn(rack, tor),
    }
}

pub(super) fn servers(
    dc: &DataCenter,
    allocation: &Allocation,
    rack: u32,
) -> impl Iterator<Item = Server> {
    seats(dc, rack).map(move |(server, type_name, kind)| {
        let name = server_name(rack, server, kind);
        let runs = kind.tier != Tier::Mock;
        let plugged = || nics(dc, rack, server, kind).filter(|_| runs);
        let sessions: Vec<Session> = plugged()
            .flat_map(|(_, tor)| {
                let peer = tor_peer(allocation, rack, tor);
                let gateway = allocation.gateway(rack, tor);
                sessions(dc, &peer, Addresses::default(), gateway)
            })
            .collect();
        Server {
            rack,
            pod: dc.pod(rack),
            role: kind.role.clone(),
            kind: type_name.clone(),
            tier: tier_name(kind.tier),
            virtual_machine: matches!(kind.tier, Tier::Full | Tier::Kernel),
            runs,
            cpu: kind.cpu,
            memory: kind.memory.clone(),
            disk: kind.disk.clone(),
            interfaces: plugged()
                .map(|(index, tor)| nic(allocation, rack, tor, server, index))
                .collect(),
            serial: serial(&name),
            bmc: Bmc {
                address: allocation.bmc(rack, server),
                user: dc.bmc.user.clone(),
                password: dc.bmc.password.clone(),
            },
            speaker: Speaker {
                name,
                asn: allocation.rack_asn(rack),
                loopback: allocation.loopback(rack, Seat::Server(server)),
                loopback6: allocation
                    .loopback6(rack, Seat::Server(server))
                    .filter(|_| runs),
                addresses: Vec::new(),
                sessions,
            },
        }
    })
}

/// The NIC of a server towards a ToR: with a MAC that DHCP knows.
fn nic(allocation: &Allocation, rack: u32, tor: u32, server: u32, index: u32) -> Interface {
    Interface {
        name: format!("eth{index}"),
        network: segment_name(rack, tor),
        address: None,
        address6: allocation.own6(rack, tor, server, index),
        mac: Some(allocation.mac(rack, server, index).to_string()),
    }
}

fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Full => "full",
        Tier::Kernel => "kernel",
        Tier::Netns => "netns",
        Tier::Mock => "mock",
    }
}
