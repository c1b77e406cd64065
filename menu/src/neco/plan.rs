//! The plan: every network, machine and session of the data center by name, in the order of
//! `cluster.yml`. What is rendered says nothing that is not here.

mod machines;
mod namespaces;
mod routing;

pub use machines::{Node, Volume};
pub use namespaces::{App, Interface, Namespace};
pub use routing::{CoreRouting, Session, SpineRouting, Static, TorRouting};

use super::allocation::{Allocation, TORS};
use super::input::{Menu, Passed};
use ipnet::Ipv4Net;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A data center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Label of everything.
    pub cluster_id: Option<String>,
    /// L2 networks.
    pub networks: Vec<Network>,
    /// Images, as they are in the menu.
    pub images: Vec<Passed>,
    /// Device classes, as they are in the menu.
    pub device_classes: Vec<Passed>,
    /// Virtual machines.
    pub nodes: Vec<Node>,
    /// Routers and clients.
    pub namespaces: Vec<Namespace>,
    /// The core's BIRD.
    pub core: CoreRouting,
    /// The spines' BIRDs.
    pub spines: Vec<SpineRouting>,
    /// The `ToR`s' BIRDs.
    pub tors: Vec<TorRouting>,
    /// What is masqueraded.
    pub nat: Nat,
    /// Racks.
    pub racks: Vec<Rack>,
    /// The time server.
    pub chrony: Option<Chrony>,
}

/// An L2 network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// `internal`, `external` or `bmc`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The bridge's address.
    pub address: Option<Ipv4Net>,
    /// Whether it leads out.
    pub use_nat: bool,
}

/// What is masqueraded, and the way of those outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nat {
    /// Sources that the core masquerades to the internet.
    pub sources: Vec<Ipv4Net>,
    /// Destination that the spines masquerade to: the host's address and the pool's length.
    pub bmc: Ipv4Net,
    /// Default gateway of `external`.
    pub external: std::net::Ipv4Addr,
    /// Default gateway of `operation`.
    pub operation: std::net::Ipv4Addr,
}

/// One rack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rack {
    /// Its name.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// Its ASN.
    pub asn: u32,
    /// Interface of its `ToR`s to its servers.
    pub node_interface: String,
    /// The `ToR`s' addresses towards the spines.
    pub spine_addresses: [Vec<std::net::Ipv4Addr>; TORS as usize],
    /// Its boot server.
    pub boot: Server,
    /// What the boot server announces to the outside.
    pub bastion: Ipv4Net,
    /// Compute servers.
    pub cs: Vec<Server>,
    /// Storage servers.
    pub ss: Vec<Server>,
}

/// Names and addresses of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its name in the data center.
    pub name: String,
    /// Its name in the rack.
    pub short_name: String,
    /// Its SMBIOS serial.
    pub serial: String,
    /// Its address in each range of its rack: its own, and one on the segment of each `ToR`.
    pub addresses: [std::net::Ipv4Addr; 3],
}

/// The time server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chrony {
    /// Its addresses.
    pub servers: [Ipv4Net; 2],
    /// The core's address.
    pub gateway: std::net::Ipv4Addr,
    /// Container image.
    pub image: String,
    /// Public keys of the user `cybozu`.
    pub ssh_keys: Vec<String>,
}

impl Plan {
    /// Lays out a menu whose ranges reach, for the folder `out`.
    pub fn new(menu: &Menu, allocation: &Allocation<'_>, out: &Path) -> Self {
        let network = &menu.network;
        let racks = machines::racks(menu, allocation);
        let ntp = allocation.ntp();
        let global = network.exposed.global.value;
        let client = |ends: super::allocation::LinkEnds| ends.upper.addr();
        Self {
            cluster_id: menu.inventory.cluster_id.clone(),
            networks: networks(menu, allocation),
            images: menu.images.clone(),
            device_classes: menu.device_classes.clone(),
            nodes: machines::nodes(menu, &racks, out),
            namespaces: namespaces::all(menu, allocation, out),
            core: routing::core(menu, allocation),
            spines: routing::spines(menu, allocation),
            tors: routing::tors(menu, allocation, &racks),
            nat: Nat {
                sources: [global]
                    .into_iter()
                    .chain(network.ntp.map(|it| it.value))
                    .collect(),
                bmc: allocation.bmc_host(),
                external: client(allocation.external()),
                operation: client(allocation.operation()),
            },
            chrony: ntp.map(|(servers, core)| Chrony {
                servers,
                gateway: core.addr(),
                image: network.chrony.image.clone(),
                ssh_keys: network.chrony.ssh_keys.clone(),
            }),
            racks,
        }
    }
}

/// Numbers of the racks of a menu.
fn rack_numbers(menu: &Menu) -> std::ops::Range<u32> {
    0..u32::try_from(menu.inventory.racks.len()).unwrap_or(u32::MAX)
}

/// Numbers of the spines of a menu.
fn spine_numbers(menu: &Menu) -> std::ops::Range<u32> {
    0..menu.inventory.spines.value
}

fn core_link(spine: u32) -> String {
    format!("core-to-s{}", spine + 1)
}

fn fabric_link(spine: u32, rack: u32, tor: u32) -> String {
    format!("s{}-to-r{rack}-{}", spine + 1, tor + 1)
}

fn segment(rack: u32, tor: u32) -> String {
    format!("r{rack}-node{}", tor + 1)
}

fn spine_name(spine: u32) -> String {
    format!("spine{}", spine + 1)
}

fn rack_name(rack: u32) -> String {
    format!("rack{rack}")
}

fn tor_name(rack: u32, tor: u32) -> String {
    format!("rack{rack}-tor{}", tor + 1)
}

/// A file of the output, by its absolute path.
fn written(out: &Path, name: &str) -> PathBuf {
    out.join(name)
}

fn networks(menu: &Menu, allocation: &Allocation<'_>) -> Vec<Network> {
    let internal = |name: String| Network {
        name,
        kind: "internal",
        address: None,
        use_nat: false,
    };
    let mut all = vec![Network {
        kind: "external",
        address: Some(allocation.internet_host()),
        use_nat: true,
        ..internal("internet".into())
    }];
    all.extend(spine_numbers(menu).map(|spine| internal(core_link(spine))));
    all.extend(["core-to-ext", "core-to-op"].map(|name| internal(name.into())));
    all.extend(allocation.proxy().map(|_| internal("core-node0".into())));
    all.extend(allocation.ntp().map(|_| internal("core-ntp".into())));
    all.push(Network {
        kind: "bmc",
        address: Some(allocation.bmc_host()),
        ..internal("bmc".into())
    });
    for spine in spine_numbers(menu) {
        for rack in rack_numbers(menu) {
            all.extend((0..TORS).map(|tor| internal(fabric_link(spine, rack, tor))));
        }
    }
    for rack in rack_numbers(menu) {
        all.extend((0..TORS).map(|tor| internal(segment(rack, tor))));
    }
    all
}
