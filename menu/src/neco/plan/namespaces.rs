//! Routers and clients: network namespaces with programs in them.

use super::{
    core_link, fabric_link, rack_numbers, segment, spine_name, spine_numbers, tor_name, written,
};
use crate::neco::allocation::{Allocation, TORS};
use crate::neco::input::Menu;
use ipnet::Ipv4Net;
use serde::Serialize;
use std::net::Ipv4Addr;
use std::path::Path;

/// Where DHCP requests are relayed to: the virtual addresses of boot servers.
const DHCP_SERVERS: [Ipv4Addr; 5] = [
    Ipv4Addr::new(10, 71, 255, 1),
    Ipv4Addr::new(10, 71, 255, 2),
    Ipv4Addr::new(10, 71, 255, 3),
    Ipv4Addr::new(10, 71, 255, 4),
    Ipv4Addr::new(10, 71, 255, 5),
];

/// A network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Label: `core`, `spine`, `tor`, `external` or `operation`.
    pub role: &'static str,
    /// Label: number of its rack.
    pub rack: Option<u32>,
    /// `eth0`, `eth1`, ...
    pub interfaces: Vec<Interface>,
    /// What runs in it.
    pub apps: Vec<App>,
    /// What is run before that.
    pub init_scripts: Vec<&'static str>,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its network.
    pub network: String,
    /// Its address.
    pub address: Ipv4Net,
}

/// One program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct App {
    /// Its name.
    pub name: &'static str,
    /// Program and arguments.
    pub command: Vec<String>,
}

/// All of them: core, spines, `ToR`s, clients.
pub(super) fn all(menu: &Menu, allocation: &Allocation<'_>, out: &Path) -> Vec<Namespace> {
    let mut all = vec![core(menu, allocation, out)];
    all.extend(spine_numbers(menu).map(|number| spine(menu, allocation, number, out)));
    for rack in rack_numbers(menu) {
        all.extend((0..TORS).map(|number| tor(menu, allocation, (rack, number), out)));
    }
    let client = |role: &'static str, network: &str, address, script| Namespace {
        name: role.into(),
        role,
        rack: None,
        interfaces: vec![interface(network, address)],
        apps: Vec::new(),
        init_scripts: vec![script],
    };
    all.push(client(
        "external",
        "core-to-ext",
        allocation.external().lower,
        "setup-default-gateway-external",
    ));
    all.push(client(
        "operation",
        "core-to-op",
        allocation.operation().lower,
        "setup-default-gateway-operation",
    ));
    all
}

fn core(menu: &Menu, allocation: &Allocation<'_>, out: &Path) -> Namespace {
    let mut interfaces = vec![
        interface("internet", allocation.internet_core()),
        interface("core-to-ext", allocation.external().upper),
        interface("core-to-op", allocation.operation().upper),
    ];
    interfaces.extend(
        allocation
            .proxy()
            .map(|proxy| interface("core-node0", proxy)),
    );
    interfaces.extend(
        allocation
            .ntp()
            .map(|(_, core)| interface("core-ntp", core)),
    );
    let spines = spine_numbers(menu);
    interfaces.extend(
        spines.map(|spine| interface(&core_link(spine), allocation.core_link(spine).upper)),
    );
    let squid = App {
        name: "squid",
        command: ["/usr/sbin/squid", "-N", "-f"]
            .map(str::to_owned)
            .into_iter()
            .chain([written(out, "squid.conf").display().to_string()])
            .collect(),
    };
    Namespace {
        name: "core".into(),
        role: "core",
        rack: None,
        interfaces,
        apps: vec![bird("core", out), squid],
        init_scripts: vec!["setup-iptables"],
    }
}

fn spine(menu: &Menu, allocation: &Allocation<'_>, number: u32, out: &Path) -> Namespace {
    let name = spine_name(number);
    let mut interfaces = vec![
        interface(&core_link(number), allocation.core_link(number).lower),
        interface("bmc", allocation.bmc_spine(number)),
    ];
    for rack in rack_numbers(menu) {
        interfaces.extend((0..TORS).map(|tor| {
            let ends = allocation.fabric_link(number, rack, tor);
            interface(&fabric_link(number, rack, tor), ends.upper)
        }));
    }
    Namespace {
        role: "spine",
        rack: None,
        interfaces,
        apps: vec![bird(&name, out)],
        init_scripts: vec!["setup-iptables-spine"],
        name,
    }
}

fn tor(
    menu: &Menu,
    allocation: &Allocation<'_>,
    (rack, number): (u32, u32),
    out: &Path,
) -> Namespace {
    let name = tor_name(rack, number);
    let gateway = allocation.tor(rack, number);
    let mut interfaces: Vec<Interface> = spine_numbers(menu)
        .map(|spine| {
            let ends = allocation.fabric_link(spine, rack, number);
            interface(&fabric_link(spine, rack, number), ends.lower)
        })
        .collect();
    interfaces.push(interface(&segment(rack, number), gateway));
    let mut relay = vec![
        "/usr/sbin/dnsmasq".to_owned(),
        "--keep-in-foreground".to_owned(),
        format!("--pid-file=/var/run/dnsmasq_{name}.pid"),
        "--log-facility=-".to_owned(),
    ];
    for server in DHCP_SERVERS {
        relay.push("--dhcp-relay".to_owned());
        relay.push(format!("{},{server}", gateway.addr()));
    }
    let relay = App {
        name: "dnsmasq",
        command: relay,
    };
    Namespace {
        role: "tor",
        rack: Some(rack),
        interfaces,
        apps: vec![bird(&name, out), relay],
        init_scripts: Vec::new(),
        name,
    }
}

fn interface(network: &str, address: Ipv4Net) -> Interface {
    Interface {
        network: network.to_owned(),
        address,
    }
}

/// BIRD on the configuration of that name.
fn bird(name: &str, out: &Path) -> App {
    let config = written(out, &format!("bird_{name}.conf"))
        .display()
        .to_string();
    let socket = format!("/var/run/bird/bird_{name}.ctl");
    App {
        name: "bird",
        command: ["/usr/sbin/bird", "-f", "-c", &config, "-s", &socket]
            .map(str::to_owned)
            .to_vec(),
    }
}
