//! The core router, the networks and routers behind it, and its services.

use super::links::{Peer, interfaces, network, sessions};
use super::{App, Network, PeerKind, Role, Router, Services, Speaker, switches};
use crate::allocation::{Addresses, Allocation};
use crate::rack::{Core, DataCenter};
use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// The core router's name.
pub(super) const NAME: &str = "core";
/// Puts the configurations of services where they are read.
pub(crate) const SETUP: &str = "core/setup";
/// What serves: in the foreground, and the clock is the host's.
const PROXY: &str = "squid -N -f /run/squid/squid.conf";
const NTP: &str = "chronyd -d -x -f /run/chrony.conf";
/// Networks behind the core in the order of their IPv6 prefixes.
const NETWORKS: [&str; 3] = ["core.internet", "core.external", "core.operation"];

/// The link between the core and spine or super-spine `switch`.
pub(super) fn link_name(dc: &DataCenter, switch: u32) -> String {
    match dc.pods {
        0 => format!("core-s{switch}"),
        _ => format!("core-x{switch}"),
    }
}

/// What the core is told of as a whole: loopbacks, segments, exposed ranges.
pub(super) fn aggregates(dc: &DataCenter) -> Vec<IpNet> {
    let pools = [dc.pools.node, dc.pools.loopback].map(|pool| pool.prefix.into());
    let exposed = dc.exposed.iter().map(|range| range.prefix);
    let ipv6 = dc.has_ipv6().then_some(dc.pools.ipv6.prefix.into());
    pools.into_iter().chain(exposed).chain(ipv6).collect()
}

/// Address `n` on a network behind the core, and whose that is.
fn on(allocation: &Allocation, key: &str, net: Ipv4Net, n: u32) -> Addresses {
    let mut networks = (0..).zip(NETWORKS);
    let found = networks.find(|(_, path)| path.ends_with(key));
    let (index, path) = found.unwrap_or((0, NETWORKS[0]));
    let own = match (key, n) {
        ("internet", 1) => "hub",
        ("internet", _) | (_, 1) => "core",
        (_, _) => "router",
    };
    allocation.on_network((path, net), index, n, own)
}

/// Its services, and who may use them: whatever has an address of this data center, or is on a network
/// of its own behind the core.
pub(super) fn services(dc: &DataCenter) -> Services {
    let Some(core) = &dc.core else {
        return Services::default();
    };
    let pools = [dc.pools.node, dc.pools.loopback, dc.pools.core].map(|pool| pool.prefix);
    let exposed = dc.exposed.iter().filter_map(|range| match range.prefix {
        IpNet::V4(prefix) => Some(prefix),
        IpNet::V6(_) => None,
    });
    let behind = [core.external, core.operation].into_iter().flatten();
    let clients = pools.into_iter().chain(exposed).chain(behind);
    let asked = core.proxy.is_some() || core.ntp.is_some();
    Services {
        proxy: core.proxy,
        ntp: core.ntp,
        run: core.runs_services,
        clients: clients.filter(|_| asked).collect(),
    }
}

/// The networks of the core: those behind it, then its links.
pub(super) fn networks(dc: &DataCenter, allocation: &Allocation) -> Vec<Network> {
    let Some(core) = &dc.core else {
        return Vec::new();
    };
    let behind = core.networks().map(|(key, net)| {
        let hub = on(allocation, key, net, 1);
        Network {
            outside: match key {
                "internet" => nets(hub),
                _ => Vec::new(),
            },
            ..network(key.into(), key)
        }
    });
    let links = switches::top(dc).map(|(number, _)| network(link_name(dc, number), "link"));
    behind.chain(links).collect()
}

/// The core, then the routers behind it.
pub(super) fn routers(dc: &DataCenter, allocation: &Allocation) -> Vec<Router> {
    let Some(core) = &dc.core else {
        return Vec::new();
    };
    let mut routers = vec![core_router(dc, allocation, core)];
    for (role, key, net) in [
        (Role::External, "external", core.external),
        (Role::Operation, "operation", core.operation),
    ] {
        routers.extend(net.map(|net| behind(allocation, role, key, net)));
    }
    routers
}

fn core_router(dc: &DataCenter, allocation: &Allocation, core: &Core) -> Router {
    let behind = core.networks().map(|(key, net)| {
        // The hub has the first address on the way out, the core on what else there is.
        let own = if key == "internet" { 2 } else { 1 };
        (key.to_owned(), on(allocation, key, net, own))
    });
    let bmc = Addresses {
        v4: Some(allocation.bmc_core()),
        v6: None,
    };
    let links = switches::top(dc)
        .map(|(number, _)| (link_name(dc, number), allocation.core_link(number).upper));
    let ends = behind.chain([("bmc".to_owned(), bmc)]).chain(links);
    let interfaces = interfaces(ends);
    let of = |network: &str| interfaces.iter().find(|nic| nic.network == network);
    let sessions = switches::top(dc).flat_map(|(number, switch)| {
        let ends = allocation.core_link(number);
        let peer = Peer {
            name: switches::switch_name(switch),
            kind: PeerKind::Switch,
            asn: allocation.switch_asn(switch),
        };
        sessions(dc, &peer, ends.upper, ends.lower)
    });
    let hidden = ["internet", "bmc"].into_iter().filter_map(of);
    let hidden: Vec<&str> = hidden.map(|nic| nic.name.as_str()).collect();
    let announced = ["external", "operation", "bmc"].into_iter().filter_map(of);
    Router {
        speaker: Speaker {
            name: NAME.into(),
            asn: allocation.core_asn(),
            loopback: allocation.core_loopback(),
            loopback6: allocation.core_loopback6(),
            addresses: core.services().map(|(_, address)| address.into()).collect(),
            sessions: sessions.collect(),
        },
        role: Role::Core,
        rack: None,
        pod: None,
        segment: None,
        gateways: core
            .internet
            .map(|net| addresses(on(allocation, "internet", net, 1)))
            .unwrap_or_default(),
        aggregates: Vec::new(),
        announced: announced.map(|nic| nic.name.clone()).collect(),
        init_scripts: if core.runs_services {
            vec![SETUP]
        } else {
            Vec::new()
        },
        apps: apps(core, &hidden),
        interfaces,
    }
}

/// What runs on the core besides BIRD. `hidden` are the interfaces whose neighbors know no way back
/// into the data center: what goes there has the core's own address.
fn apps(core: &Core, hidden: &[&str]) -> Vec<App> {
    let mut apps = Vec::new();
    for (name, address, command) in [("proxy", core.proxy, PROXY), ("ntp", core.ntp, NTP)] {
        if core.runs_services && address.is_some() {
            apps.push(App {
                name,
                command: command.split(' ').map(str::to_owned).collect(),
                restart: "always",
            });
        }
    }
    if !hidden.is_empty() {
        let names: Vec<String> = hidden.iter().map(|name| format!("\"{name}\"")).collect();
        let rule = format!("oifname {{ {} }} masquerade", names.join(", "));
        apps.push(App {
            name: "nat",
            command: vec![
                "nft".into(),
                format!(
                    "table inet nat {{ chain out {{ type nat hook postrouting priority srcnat; {rule}; }}; }}"
                ),
            ],
            restart: "on-failure",
        });
    }
    apps
}

/// A router behind the core, with nothing but a way to it.
fn behind(allocation: &Allocation, role: Role, key: &str, net: Ipv4Net) -> Router {
    let own = on(allocation, key, net, 2);
    let ends = std::iter::once((key.to_owned(), own));
    Router {
        speaker: Speaker {
            name: key.into(),
            asn: 0,
            loopback: own.v4.map_or(net.network(), |net| net.addr()),
            loopback6: own.v6.map(|net| net.addr()),
            addresses: Vec::new(),
            sessions: Vec::new(),
        },
        role,
        rack: None,
        pod: None,
        interfaces: interfaces(ends),
        segment: None,
        gateways: addresses(on(allocation, key, net, 1)),
        aggregates: Vec::new(),
        announced: Vec::new(),
        init_scripts: Vec::new(),
        apps: Vec::new(),
    }
}

fn nets(addresses: Addresses) -> Vec<IpNet> {
    let v4 = addresses.v4.map(IpNet::from);
    v4.into_iter()
        .chain(addresses.v6.map(IpNet::from))
        .collect()
}

fn addresses(addresses: Addresses) -> Vec<IpAddr> {
    nets(addresses).into_iter().map(|net| net.addr()).collect()
}
