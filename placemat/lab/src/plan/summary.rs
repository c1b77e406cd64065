//! What a cluster comes to: the plan counted and named, for `placemat plan` and for other programs.

use super::{End, Peer, Plan};
use placemat_spec::Cluster;
use placemat_spec::resource::{Network, NetworkType, Node, RouterKind, Tier, VolumeKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of the summary as JSON. Raised on every incompatible change.
pub const VERSION: u32 = 1;

/// What a cluster comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// [`VERSION`].
    pub v: u32,
    /// How many of everything the kernel makes.
    pub totals: Totals,
    /// Networks, in file order.
    pub networks: Vec<NetworkPlan>,
    /// Routers and network namespaces, in file order.
    pub routers: Vec<RouterPlan>,
    /// Boot servers, in file order.
    pub boot_servers: Vec<BootServerPlan>,
    /// Servers by tier, most faithful first; tiers without one are left out.
    pub tiers: Vec<TierPlan>,
}

/// Numbers of kernel objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Network namespaces, but for the hub's.
    pub namespaces: usize,
    /// Bridges in the hub.
    pub bridges: usize,
    /// veth pairs.
    pub veth_pairs: usize,
    /// TAP devices.
    pub taps: usize,
}

/// How a network is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// A bridge in the hub.
    Bridge,
    /// One veth pair between its two ends.
    Pair,
    /// Addresses of the hub alone: nothing is plugged in.
    Hub,
    /// Not at all: nothing is plugged in, and it has no address.
    Nothing,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NetworkPlan {
    /// Its name.
    pub name: String,
    /// `internal`, `external` or `bmc`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// How it is made.
    pub made: Made,
    /// The hub's addresses on it, without those of BMCs.
    pub addresses: Vec<String>,
    /// Number of BMCs that the hub answers for on it.
    pub bmcs: usize,
    /// MTU in bytes, where the file asks for one.
    pub mtu: Option<u32>,
    /// What is plugged in: `router/spine-1:eth0`.
    pub ends: Vec<String>,
}

/// A router or network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouterPlan {
    /// Its name.
    pub name: String,
    /// `Router` or `NetworkNamespace`.
    pub kind: &'static str,
    /// Number of interfaces.
    pub interfaces: usize,
    /// Names of its programs, the routing daemon first.
    pub programs: Vec<String>,
}

/// A boot server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BootServerPlan {
    /// Its name.
    pub name: String,
    /// Number of interfaces.
    pub interfaces: usize,
    /// Image for machines without one of their own.
    pub image: String,
    /// Subnets that it leases addresses of.
    pub subnets: Vec<String>,
    /// Number of machine entries.
    pub machines: usize,
}

/// All servers of one tier.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TierPlan {
    /// `full`, `kernel`, `netns` or `mock`.
    pub tier: &'static str,
    /// How many.
    pub servers: usize,
    /// How many of them get power when the lab starts.
    pub autostart: usize,
    /// Virtual CPUs in all; none where QEMU does not run.
    pub cpus: u64,
    /// Memory in MiB in all; none where QEMU does not run.
    pub memory_mib: u64,
    /// Disks in all.
    pub disks: usize,
    /// Bytes of the empty disks among them, which take space as they are written.
    pub raw_disk_bytes: u64,
}

impl Plan {
    /// Counts and names. `cluster` is what the plan is of.
    pub fn summary(&self, cluster: &Cluster) -> Summary {
        let ends = self.ends();
        let network = |network: &Network| self.network(network, cluster, &ends);
        Summary {
            v: VERSION,
            totals: Totals {
                namespaces: self.namespaces.len(),
                bridges: self.bridges.len(),
                veth_pairs: self.pairs.len(),
                taps: self.taps.len(),
            },
            networks: cluster.networks.values().map(network).collect(),
            routers: routers(cluster),
            boot_servers: boot_servers(cluster),
            tiers: tiers(cluster),
        }
    }

    /// Everything that is plugged in, by network.
    fn ends(&self) -> BTreeMap<&str, Vec<String>> {
        let mut ends: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let word = |end: &End| format!("{}:{}", end.target, end.interface);
        for pair in &self.pairs {
            let of_network = ends.entry(&pair.network).or_default();
            of_network.push(word(&pair.end));
            if let Peer::End(peer) = &pair.peer {
                of_network.push(word(peer));
            }
        }
        for tap in &self.taps {
            ends.entry(&tap.bridge).or_default().push(word(&tap.end));
        }
        ends
    }

    fn network(
        &self,
        network: &Network,
        cluster: &Cluster,
        ends: &BTreeMap<&str, Vec<String>>,
    ) -> NetworkPlan {
        let ends = ends.get(network.name.as_str()).cloned().unwrap_or_default();
        let made = if self.bridges.iter().any(|it| it.name == network.name) {
            Made::Bridge
        } else if !ends.is_empty() {
            Made::Pair
        } else if network.addresses.is_empty() {
            Made::Nothing
        } else {
            Made::Hub
        };
        let bmcs = cluster
            .nodes
            .values()
            .filter_map(|node| node.bmc.as_ref())
            .filter(|bmc| bmc.network == network.name);
        NetworkPlan {
            name: network.name.clone(),
            kind: match network.kind {
                NetworkType::Internal => "internal",
                NetworkType::External => "external",
                NetworkType::Bmc => "bmc",
            },
            made,
            addresses: network.addresses.iter().map(ToString::to_string).collect(),
            bmcs: bmcs.count(),
            mtu: network.mtu,
            ends,
        }
    }
}

fn routers(cluster: &Cluster) -> Vec<RouterPlan> {
    let routers = cluster.routers.values().map(|router| {
        let bird = router.bird.iter().map(|_| "bird".to_owned());
        RouterPlan {
            name: router.name.clone(),
            kind: match router.kind {
                RouterKind::Router => "Router",
                RouterKind::NetworkNamespace => "NetworkNamespace",
                RouterKind::Pod => "Pod",
            },
            interfaces: router.interfaces.len(),
            programs: bird
                .chain(router.apps.iter().map(|app| app.name.clone()))
                .collect(),
        }
    });
    routers.collect()
}

fn boot_servers(cluster: &Cluster) -> Vec<BootServerPlan> {
    let servers = cluster.boot_servers.values().map(|server| BootServerPlan {
        name: server.name.clone(),
        interfaces: server.interfaces.len(),
        image: server.image.clone(),
        subnets: server
            .dhcp
            .ranges
            .iter()
            .map(|range| range.subnet.to_string())
            .collect(),
        machines: server.machines.len(),
    });
    servers.collect()
}

const TIERS: [(Tier, &str); 4] = [
    (Tier::Full, "full"),
    (Tier::Kernel, "kernel"),
    (Tier::Netns, "netns"),
    (Tier::Mock, "mock"),
];

fn tiers(cluster: &Cluster) -> Vec<TierPlan> {
    let tiers = TIERS.into_iter().map(|(tier, word)| {
        let nodes = cluster.nodes.values().filter(|node| node.tier == tier);
        let nothing = TierPlan {
            tier: word,
            ..TierPlan::default()
        };
        nodes.fold(nothing, TierPlan::with)
    });
    tiers.filter(|tier| tier.servers > 0).collect()
}

impl TierPlan {
    fn with(mut self, node: &Node) -> Self {
        self.servers += 1;
        self.autostart += usize::from(node.autostart);
        if !super::in_vm(node) {
            return self;
        }
        self.cpus += u64::from(node.cpu.count);
        self.memory_mib += node.memory.mib;
        self.disks += node.volumes.len();
        for volume in &node.volumes {
            if let VolumeKind::Raw { size, .. } = volume.kind {
                self.raw_disk_bytes += size;
            }
        }
        self
    }
}
