//! What will be made, in which order, under which names. Pure: no kernel, no files; printable.
//!
//! Links are made in phases (create all, address all, plug all, bring all up): the kernel is three
//! to six times slower when creating and bringing up alternate.

mod link;
mod mac;
mod rewire;
mod show;
mod summary;

pub use link::{Bridge, End, Pair, Peer, Tap};
pub use mac::derived as derived_mac;
pub use rewire::{Rewiring, ends};
pub use summary::{
    BootServerPlan, Made, NetworkPlan, RouterPlan, Summary, TierPlan, Totals, VERSION,
};

use ipnet::IpNet;
use placemat_spec::Cluster;
use placemat_spec::resource::{Interface, Node, Tier};
use placemat_spec::selector::{Target, TargetKind};
use std::collections::BTreeMap;

/// A namespace to be made: a router's, boot server's or namespace server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Whose it is.
    pub target: Target,
    /// Its name under `/run/netns`.
    pub name: String,
}

/// Everything that will be made, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Network namespaces.
    pub namespaces: Vec<Namespace>,
    /// Bridges in the hub.
    pub bridges: Vec<Bridge>,
    /// veth pairs.
    pub pairs: Vec<Pair>,
    /// TAP devices, made whenever their server is powered on.
    pub taps: Vec<Tap>,
    /// The hub's own addresses on networks that nothing else is plugged into.
    pub hub_addresses: Vec<ipnet::IpNet>,
}

impl Plan {
    /// Plans a cluster. It has been checked, so this cannot fail.
    pub fn of(cluster: &Cluster) -> Self {
        let mut plan = Self {
            namespaces: namespaces(cluster),
            ..Self::default()
        };
        let mut ends: BTreeMap<&str, Vec<End>> = BTreeMap::new();
        for (target, interfaces, queues) in attached(cluster) {
            for (index, interface) in interfaces.iter().enumerate() {
                let end = End::of(&target, index, interface, queues);
                ends.entry(&interface.network).or_default().push(end);
            }
        }
        let mut bmcs = bmc_addresses(cluster);
        let mut port = 0;
        for network in cluster.networks.values() {
            let ends = ends.remove(network.name.as_str()).unwrap_or_default();
            // The hub's addresses: its own, and one for each BMC, which it answers for.
            let mut addresses = network.addresses.clone();
            addresses.extend(bmcs.remove(network.name.as_str()).unwrap_or_default());
            link::plan_network(&mut plan, network, addresses, ends, &mut port);
        }
        plan
    }

    /// Gives every link that the file says no MTU of this one, in bytes.
    pub fn default_mtu(&mut self, mtu: Option<u32>) {
        let bridges = self.bridges.iter_mut().map(|bridge| &mut bridge.mtu);
        let pairs = self.pairs.iter_mut().map(|pair| &mut pair.mtu);
        let taps = self.taps.iter_mut().map(|tap| &mut tap.mtu);
        for each in bridges.chain(pairs).chain(taps) {
            *each = each.or(mtu);
        }
    }
}

/// The addresses of BMCs by network.
fn bmc_addresses(cluster: &Cluster) -> BTreeMap<&str, Vec<IpNet>> {
    let mut addresses: BTreeMap<&str, Vec<IpNet>> = BTreeMap::new();
    for bmc in cluster.nodes.values().filter_map(|node| node.bmc.as_ref()) {
        let of_network = addresses.entry(&bmc.network).or_default();
        of_network.push(IpNet::from(bmc.address));
    }
    addresses
}

fn namespaces(cluster: &Cluster) -> Vec<Namespace> {
    let named = |kind, name: &String| Namespace {
        target: Target {
            kind,
            name: name.clone(),
        },
        name: name.clone(),
    };
    let routers = cluster
        .routers
        .keys()
        .map(|name| named(TargetKind::Router, name));
    let boot_servers = cluster
        .boot_servers
        .keys()
        .map(|name| named(TargetKind::BootServer, name));
    let nodes = cluster
        .nodes
        .values()
        .filter(|node| node.tier == Tier::Netns);
    routers
        .chain(boot_servers)
        .chain(nodes.map(|node| named(TargetKind::Node, &node.name)))
        .collect()
}

/// Everything with interfaces; of a VM's, how many pairs of queues they have.
fn attached(cluster: &Cluster) -> impl Iterator<Item = (Target, &[Interface], Option<u32>)> {
    let of = |kind, name: &String| Target {
        kind,
        name: name.clone(),
    };
    let routers = cluster.routers.values().map(move |each| {
        (
            of(TargetKind::Router, &each.name),
            &each.interfaces[..],
            None,
        )
    });
    let boot_servers = cluster.boot_servers.values().map(move |each| {
        (
            of(TargetKind::BootServer, &each.name),
            &each.interfaces[..],
            None,
        )
    });
    let nodes = cluster
        .nodes
        .values()
        .filter(|node| node.tier != Tier::Mock)
        .map(move |node| {
            (
                of(TargetKind::Node, &node.name),
                &node.interfaces[..],
                in_vm(node).then_some(node.devices.queues),
            )
        });
    routers.chain(boot_servers).chain(nodes)
}

fn in_vm(node: &Node) -> bool {
    matches!(node.tier, Tier::Full | Tier::Kernel)
}

#[cfg(test)]
mod tests;
