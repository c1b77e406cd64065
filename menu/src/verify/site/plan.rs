//! The site that a plan promises.

use super::{Dhcp, Host, Kind, Machine, Network, Port, Range, Session, Site};
use crate::topology::{BootServer, Interface, PeerKind, Plan, Role, Speaker};
use crate::verify::bird::Asn;
use indexmap::IndexMap;
use ipnet::IpNet;
use std::net::IpAddr;

pub(crate) fn planned(plan: &Plan) -> Site {
    let routers = plan.routers.iter().map(|router| {
        let segment = router.segment.iter();
        let relays = segment.map(|it| (IpAddr::V4(it.gateway), IpAddr::V4(it.dhcp_server)));
        let mut machine = Machine {
            role: router.role.to_string(),
            rack: router.rack.map(|rack| rack.to_string()),
            relays: relays.collect(),
            ..machine(
                Kind::Router,
                &router.speaker,
                &router.interfaces,
                router.role == Role::Tor,
            )
        };
        for (port, nic) in machine.ports.iter_mut().zip(&router.interfaces) {
            port.told = router.announced.contains(&nic.name);
        }
        machine.aggregates = router.aggregates.iter().map(|net| (*net, None)).collect();
        let machine = if router.speaker.asn == 0 {
            // It has its addresses on the network behind the core alone.
            Machine {
                loopback: Vec::new(),
                router_id: None,
                ..machine
            }
        } else {
            machine
        };
        (router.speaker.name.clone(), machine)
    });
    let boot_servers = plan.boot_servers.iter().map(|boot| {
        let machine = Machine {
            rack: Some(boot.rack.to_string()),
            dhcp: Some(dhcp(boot)),
            ..machine(Kind::BootServer, &boot.speaker, &boot.interfaces, false)
        };
        (boot.speaker.name.clone(), machine)
    });
    let servers = plan.servers.iter().map(|server| {
        let mut machine = Machine {
            role: server.role.clone(),
            rack: Some(server.rack.to_string()),
            runs: server.runs,
            serial: Some(server.serial.clone()),
            bmc: Some((IpAddr::V4(server.bmc.address), None)),
            ..machine(Kind::Server, &server.speaker, &server.interfaces, false)
        };
        // Virtual machines make their IPv6 addresses themselves.
        if server.virtual_machine {
            for port in &mut machine.ports {
                port.addresses.retain(|net| net.addr().is_ipv4());
            }
        }
        // A mock has addresses set aside for it, but nothing to put them on.
        if !machine.runs {
            machine.loopback.clear();
            machine.router_id = None;
        }
        (server.speaker.name.clone(), machine)
    });
    Site {
        machines: routers.chain(boot_servers).chain(servers).collect(),
        networks: networks(plan),
        // Who hangs on which feed takes selectors, which a cluster resolves.
        supplies: Vec::new(),
    }
}

/// What speakers have in common. ToRs wait for the machines of their rack.
fn machine(kind: Kind, speaker: &Speaker, interfaces: &[Interface], tor: bool) -> Machine {
    let sessions = speaker.sessions.iter().map(|session| Session {
        name: session.name.clone(),
        place: None,
        asn_place: None,
        local: session.local,
        local_asn: speaker.asn,
        neighbor: session.neighbor,
        asn: Asn::Is(session.asn),
        passive: tor && matches!(session.kind, PeerKind::Boot | PeerKind::Server),
        multihop: false,
        bfd: true,
    });
    let role = match kind {
        Kind::BootServer => "boot",
        Kind::Router | Kind::Server => "",
    };
    Machine {
        kind,
        role: role.into(),
        rack: None,
        place: None,
        ports: interfaces.iter().map(port).collect(),
        loopback: loopback(speaker),
        runs: true,
        router_id: Some((speaker.loopback, None)),
        sessions: sessions.collect(),
        relays: Vec::new(),
        dhcp: None,
        aggregates: Vec::new(),
        make: String::new(),
        serial: None,
        bmc: None,
    }
}

fn loopback(speaker: &Speaker) -> Vec<IpNet> {
    std::iter::once(speaker.loopback.into())
        .chain(speaker.loopback6.map(IpAddr::V6))
        .chain(speaker.addresses.iter().copied())
        .map(IpNet::from)
        .collect()
}

fn port(interface: &Interface) -> Port {
    let v4 = interface.address.map(IpNet::V4);
    let v6 = interface.address6.map(IpNet::V6);
    Port {
        network: interface.network.clone(),
        place: None,
        addresses: v4.into_iter().chain(v6).collect(),
        told: false,
        mac: interface.mac.clone(),
    }
}

/// What a boot server hands out by the plan.
pub(crate) fn dhcp(boot: &BootServer) -> Dhcp {
    let ranges = boot.ranges.iter().map(|range| Range {
        place: None,
        subnet: IpNet::V4(range.subnet),
        start: IpAddr::V4(range.start),
        end: IpAddr::V4(range.end),
        router: Some(IpAddr::V4(range.router)),
    });
    let hosts = boot.hosts.iter().map(|host| Host {
        place: None,
        mac: host.mac.clone(),
        address: IpAddr::V4(host.address),
    });
    let serials = boot.machines.iter().map(|it| it.serial.clone());
    Dhcp {
        ranges: ranges.collect(),
        hosts: hosts.collect(),
        serials: serials.collect(),
    }
}

fn networks(plan: &Plan) -> IndexMap<String, Network> {
    let networks = plan.networks.iter().map(|network| {
        let hub = network.bmc.into_iter().map(IpNet::V4);
        let hub = hub.chain(network.outside.iter().copied());
        let one = Network {
            place: None,
            hub: hub.collect(),
            bmc: network.bmc.is_some(),
            mtu: None,
        };
        (network.name.clone(), one)
    });
    networks.collect()
}
