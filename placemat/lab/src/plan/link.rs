//! Networks to links: a veth pair where two namespaces are all there is, a bridge otherwise.
//!
//! A bridge takes 35 ms to delete, and many at once block every other link operation of the host;
//! so a network with exactly two ends, both namespaces, is one veth pair between them.

use super::{Plan, derived_mac};
use ipnet::IpNet;
use placemat_spec::resource::{Effects, Interface, Network, NetworkType};
use placemat_spec::selector::Target;
use placemat_spec::value::Mac;

/// A bridge in the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Its name: the network's.
    pub name: String,
    /// Addresses of the hub on it.
    pub addresses: Vec<IpNet>,
    /// MTU in bytes.
    pub mtu: Option<u32>,
}

/// An interface of something.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// Whose it is.
    pub target: Target,
    /// Its name there.
    pub interface: String,
    /// Its MAC.
    pub mac: Mac,
    /// Its static addresses.
    pub addresses: Vec<IpNet>,
    /// Pairs of queues, where it is a VM's NIC.
    pub queues: Option<u32>,
    /// What befalls what it sends.
    pub impair: Option<Effects>,
}

/// What the far side of a veth pair is.
#[derive(Debug, Clone, PartialEq)]
pub enum Peer {
    /// The other end of the network.
    End(End),
    /// A port of a bridge in the hub.
    Port {
        /// Name of the port.
        name: String,
        /// Its bridge.
        bridge: String,
    },
}

/// A veth pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The network that it is (part of).
    pub network: String,
    /// The near side.
    pub end: End,
    /// The far side.
    pub peer: Peer,
    /// MTU in bytes of both.
    pub mtu: Option<u32>,
}

/// A TAP device for a NIC of a VM.
#[derive(Debug, Clone, PartialEq)]
pub struct Tap {
    /// Its name in the hub.
    pub name: String,
    /// Its bridge.
    pub bridge: String,
    /// The NIC.
    pub end: End,
    /// Pairs of queues.
    pub queues: u32,
    /// MTU in bytes.
    pub mtu: Option<u32>,
}

impl End {
    pub(super) fn of(
        target: &Target,
        index: usize,
        interface: &Interface,
        queues: Option<u32>,
    ) -> Self {
        Self {
            target: target.clone(),
            interface: interface.name.clone(),
            mac: interface
                .mac
                .unwrap_or_else(|| derived_mac(&target.name, index)),
            addresses: interface.addresses.clone(),
            queues,
            impair: interface.impair.as_ref().map(|impair| impair.effects),
        }
    }
}

/// Plans one network with all that is plugged into it. `port` counts hub-side names over the lab;
/// they begin with `_`, as no network does, so that none is a bridge's.
pub(super) fn plan_network(
    plan: &mut Plan,
    network: &Network,
    addresses: Vec<IpNet>,
    mut ends: Vec<End>,
    port: &mut u32,
) {
    // What an interface says of itself goes before what its network says of all.
    if let Some(impair) = &network.impair {
        for end in &mut ends {
            end.impair.get_or_insert(impair.effects);
        }
    }
    let bridgeless =
        network.kind == NetworkType::Internal && ends.iter().all(|end| end.queues.is_none());
    if bridgeless && ends.len() == 2 {
        let mut ends = ends.into_iter();
        if let (Some(end), Some(peer)) = (ends.next(), ends.next()) {
            plan.pairs.push(Pair {
                network: network.name.clone(),
                end,
                peer: Peer::End(peer),
                mtu: network.mtu,
            });
        }
        return;
    }
    if ends.is_empty() {
        // Nothing to bridge: the hub answers at these addresses by itself.
        plan.hub_addresses.extend(addresses);
        return;
    }
    plan.bridges.push(Bridge {
        name: network.name.clone(),
        addresses,
        mtu: network.mtu,
    });
    for end in ends {
        *port += 1;
        if let Some(queues) = end.queues {
            plan.taps.push(Tap {
                name: format!("_tap{port}"),
                bridge: network.name.clone(),
                queues,
                end,
                mtu: network.mtu,
            });
        } else {
            plan.pairs.push(Pair {
                network: network.name.clone(),
                end,
                peer: Peer::Port {
                    name: format!("_port{port}"),
                    bridge: network.name.clone(),
                },
                mtu: network.mtu,
            });
        }
    }
}
