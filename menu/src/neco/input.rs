//! What Neco's menu says, checked key by key. That the ranges reach is the business of `reach`.

use ipnet::Ipv4Net;
use placemat_spec::Place;
use placemat_spec::document::At;
use std::net::Ipv4Addr;

/// A whole menu.
#[derive(Debug, Clone)]
pub struct Menu {
    /// `kind: Network`.
    pub network: Network,
    /// `kind: Inventory`.
    pub inventory: Inventory,
    /// The documents of `kind: Image` and `kind: DeviceClass`, to be written as they are.
    pub images: Vec<Passed>,
    /// See [`images`](Self::images).
    pub device_classes: Vec<Passed>,
    /// `kind: Node` of each type that is used.
    pub types: Types,
}

/// A document that goes through to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Passed {
    /// Its name.
    pub name: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// `kind: Network`.
#[derive(Debug, Clone)]
pub struct Network {
    /// What the IPAM configuration says.
    pub ipam: Ipam,
    /// ASN of rack 0. The spines have the one before, the core that before the last two.
    pub asn_base: At<u32>,
    /// Between the host and the core.
    pub internet: At<Ipv4Net>,
    /// First address of the links between spines and `ToR`s.
    pub spine_tor: At<Ipv4Addr>,
    /// The link between the core and the first spine; the others follow.
    pub core_spine: At<Ipv4Net>,
    /// Between the core and `external`.
    pub core_external: At<Ipv4Net>,
    /// Between the core and `operation`.
    pub core_operation: At<Ipv4Net>,
    /// Address of the HTTP proxy on the core.
    pub proxy: Option<At<Ipv4Addr>>,
    /// Between the core and the time server; without it there is none.
    pub ntp: Option<At<Ipv4Net>>,
    /// Addresses of pods. Servers announce them; nothing here routes them.
    pub pod: Option<At<Ipv4Net>>,
    /// What the core learns of the fabric.
    pub exposed: Exposed,
    /// The time server's container and who may log in there.
    pub chrony: Chrony,
}

/// `exposed`: aggregates that the spines announce to the core.
#[derive(Debug, Clone)]
pub struct Exposed {
    /// Addresses of load balancers.
    pub load_balancer: At<Ipv4Net>,
    /// Addresses of boot servers, one a rack.
    pub bastion: At<Ipv4Net>,
    /// Addresses of egress NAT.
    pub egress: At<Ipv4Net>,
    /// Addresses that are masqueraded to the internet.
    pub global: At<Ipv4Net>,
}

/// `chrony`: placemat's own key.
#[derive(Debug, Clone)]
pub struct Chrony {
    /// Container image with its tag.
    pub image: String,
    /// Public keys of the user `cybozu`.
    pub ssh_keys: Vec<String>,
}

/// The part of the IPAM configuration that matters here. The file is sabakan's.
#[derive(Debug, Clone)]
pub struct Ipam {
    /// Ranges of servers come out of it.
    pub node_pool: At<Ipv4Net>,
    /// Where in the pool the first range begins.
    pub node_offset: At<u32>,
    /// A range has two to the power of this many addresses.
    pub range_size: At<u32>,
    /// Prefix length of a range.
    pub range_mask: At<u32>,
    /// BMCs' addresses come out of it.
    pub bmc_pool: At<Ipv4Net>,
    /// Where in the pool the first range of BMCs begins.
    pub bmc_offset: At<u32>,
    /// A rack's BMCs have two to the power of this many addresses; absent: nobody says.
    pub bmc_range_size: Option<At<u32>>,
    /// Most servers in a rack, as sabakan counts them.
    pub max_nodes: Option<At<u32>>,
    /// Where in a segment its gateway is, as sabakan tells servers.
    pub gateway_offset: Option<At<u32>>,
}

/// `kind: Inventory`.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// `cluster-id`, a label of everything.
    pub cluster_id: Option<String>,
    /// Number of spines.
    pub spines: At<u32>,
    /// Racks, in order.
    pub racks: Vec<Rack>,
    /// Where `rack` stands.
    pub place: Place,
}

/// One rack. It has a boot server and two `ToR`s besides.
#[derive(Debug, Clone, Copy)]
pub struct Rack {
    /// Compute servers.
    pub cs: u32,
    /// Storage servers.
    pub ss: u32,
    /// Where it stands.
    pub place: Place,
}

/// What each type of server is.
#[derive(Debug, Clone)]
pub struct Types {
    /// `type: boot`.
    pub boot: ServerType,
    /// `type: cs`; there where a rack has one.
    pub cs: Option<ServerType>,
    /// `type: ss`; there where a rack has one.
    pub ss: Option<ServerType>,
}

/// One `kind: Node`.
#[derive(Debug, Clone, Default)]
pub struct ServerType {
    /// CPUs.
    pub cpu: Cpu,
    /// As QEMU writes it: `2G`; absent: QEMU's default.
    pub memory: Option<String>,
    /// NUMA nodes.
    pub numa: Option<u32>,
    /// Empty disks, in order.
    pub disks: Vec<Disks>,
    /// Image of the root disk.
    pub image: Option<At<String>>,
    /// Images of further disks.
    pub data: Vec<At<String>>,
    /// UEFI firmware.
    pub uefi: bool,
    /// A TPM 2.0.
    pub tpm: bool,
    /// Template of the cloud-init seed, as written.
    pub template: Option<At<String>>,
}

/// `cpu` or `smp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cpu {
    /// So many.
    Count(u32),
    /// Keys of `smp` with their numbers, as written.
    Topology(Vec<(&'static str, u32)>),
}

impl Default for Cpu {
    fn default() -> Self {
        Self::Count(1)
    }
}

impl Cpu {
    /// How many virtual CPUs the server starts with.
    pub fn count(&self) -> u32 {
        match self {
            Self::Count(count) => *count,
            Self::Topology(parts) => {
                let given = parts.iter().find(|(key, _)| *key == "cpus");
                let product = || {
                    let rest = parts.iter().filter(|(key, _)| *key != "maxcpus");
                    rest.fold(1, |all: u32, (_, count)| all.saturating_mul(*count))
                };
                given.map_or_else(product, |(_, count)| *count)
            }
        }
    }
}

/// Disks of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disks {
    /// How many.
    pub count: u32,
    /// Size of each, as QEMU writes it: `50G`.
    pub size: String,
    /// Where they lie.
    pub device_class: Option<At<String>>,
    /// Whether they come from `disks`, whose volumes are named after their place in that list.
    pub listed: bool,
}
