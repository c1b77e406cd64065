//! What stands in a rack below the ToRs: the boot server and the servers.

use super::build::tors;
use super::fabric::{boot_link_name, interfaces, segment_name, tor_name};
use super::{
    Bmc, BootServer, DhcpHost, DhcpRange, Interface, Machine, PeerKind, Server, Session, Speaker,
};
use crate::allocation::{Allocation, Seat, mac, serial};
use crate::rack::{DataCenter, ServerType};
use placemat_spec::resource::Tier;

pub(super) fn boot_name(rack: u32) -> String {
    format!("rack{rack}-boot")
}

pub(super) fn server_name(rack: u32, server: u32) -> String {
    format!("rack{rack}-cs{server}")
}

/// Numbers, from 1, and types of a rack's servers.
fn seats(dc: &DataCenter, rack: u32) -> impl Iterator<Item = (u32, &ServerType)> {
    let rack = dc.racks.get(rack as usize - 1);
    let types = rack.into_iter().flat_map(|rack| &rack.servers);
    (1..).zip(types.filter_map(|name| dc.types.get(name)))
}

/// Servers of a rack that speak BGP: all but mocks.
pub(super) fn running(dc: &DataCenter, rack: u32) -> impl Iterator<Item = u32> {
    seats(dc, rack)
        .filter(|(_, kind)| kind.tier != Tier::Mock)
        .map(|(server, _)| server)
}

pub(super) fn boot_server(dc: &DataCenter, allocation: &Allocation, rack: u32) -> BootServer {
    let asn = allocation.rack_asn(rack);
    let link = |tor| allocation.boot_link(rack, tor);
    let sessions = tors(dc).map(|tor| Session {
        peer: tor_name(rack, tor),
        kind: PeerKind::Tor,
        local: Some(link(tor).lower.addr()),
        neighbor: link(tor).upper.addr(),
        asn,
    });
    let ranges = tors(dc).map(|tor| {
        let (start, end) = allocation.guests(rack, tor);
        DhcpRange {
            subnet: allocation.segment(rack, tor),
            start,
            end,
            router: allocation.gateway(rack, tor).addr(),
        }
    });
    let hosts = running(dc, rack).flat_map(|server| {
        tors(dc).map(move |tor| DhcpHost {
            mac: mac(rack, server, tor - 1).to_string(),
            address: allocation.lease(rack, tor, server).addr(),
        })
    });
    let machines = running(dc, rack).map(|server| {
        let name = server_name(rack, server);
        Machine {
            serial: serial(&name),
            name,
        }
    });
    BootServer {
        speaker: Speaker {
            name: boot_name(rack),
            asn,
            loopback: allocation.loopback(rack, Seat::Boot),
            sessions: sessions.collect(),
        },
        rack,
        interfaces: interfaces(tors(dc).map(|tor| (boot_link_name(rack, tor), link(tor).lower))),
        ranges: ranges.collect(),
        hosts: hosts.collect(),
        machines: machines.collect(),
    }
}

pub(super) fn servers(
    dc: &DataCenter,
    allocation: &Allocation,
    rack: u32,
) -> impl Iterator<Item = Server> {
    seats(dc, rack).map(move |(server, kind)| {
        let name = server_name(rack, server);
        let runs = kind.tier != Tier::Mock;
        let asn = allocation.rack_asn(rack);
        let plugged = || tors(dc).filter(|_| runs);
        let sessions = plugged().map(|tor| Session {
            peer: tor_name(rack, tor),
            kind: PeerKind::Tor,
            local: None,
            neighbor: allocation.gateway(rack, tor).addr(),
            asn,
        });
        Server {
            rack,
            tier: tier_name(kind.tier),
            virtual_machine: matches!(kind.tier, Tier::Full | Tier::Kernel),
            runs,
            cpu: kind.cpu,
            memory: kind.memory.clone(),
            disk: kind.disk.clone(),
            interfaces: plugged().map(|tor| nic(rack, tor, server)).collect(),
            serial: serial(&name),
            bmc: Bmc {
                address: allocation.bmc(rack, server),
                user: dc.bmc.user.clone(),
                password: dc.bmc.password.clone(),
            },
            speaker: Speaker {
                name,
                asn,
                loopback: allocation.loopback(rack, Seat::Server(server)),
                sessions: sessions.collect(),
            },
        }
    })
}

/// The NIC of a server towards a ToR: unaddressed, with a MAC that DHCP knows.
fn nic(rack: u32, tor: u32, server: u32) -> Interface {
    let index = tor - 1;
    Interface {
        name: format!("eth{index}"),
        network: segment_name(rack, tor),
        address: None,
        mac: Some(mac(rack, server, index).to_string()),
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
