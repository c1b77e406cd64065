//! Makes the plan's namespaces and links, in phases, and keeps the netlink sockets they need later.
//!
//! Blocking work: every function here runs on a thread that may block.

mod address;
mod capture;
mod impair;

pub use capture::Watched;
pub use impair::effects;

use crate::plan::{End, Pair, Peer, Plan, Tap};
use ipnet::IpNet;
use placemat_host::impair::{ImpairError, Impairments, WIRE_PREFIX};
use placemat_host::netlink::{LinkState, Netlink, NetlinkError, VethEnd};
use placemat_host::netns::{Netns, NetnsError};
use placemat_host::tap::{self, TapError};
use placemat_spec::resource::Name;
use placemat_spec::selector::{Target, TargetKind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Why the links could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// A namespace could not be made.
    #[error(transparent)]
    Netns(#[from] NetnsError),
    /// A link, address or route could not be made, changed or read.
    #[error("in {on}")]
    Netlink {
        /// In which namespace.
        on: String,
        /// What failed.
        source: NetlinkError,
    },
    /// A TAP device could not be made.
    #[error(transparent)]
    Tap(#[from] TapError),
    /// A link could not be impaired.
    #[error("impair {target}:{interface}")]
    Impair {
        /// Whose it is.
        target: Target,
        /// Its name there.
        interface: String,
        /// Why not.
        source: ImpairError,
    },
    /// A mock's interfaces are nobody's, and there may be none at all.
    #[error("{target} has no links")]
    NoLinks {
        /// What has none.
        target: Target,
    },
}

/// The live links of a lab.
#[derive(Debug)]
pub struct Wiring {
    hub: Mutex<Netlink>,
    hub_netns: Netns,
    spaces: HashMap<Target, Space>,
    taps: Vec<Tap>,
    views: capture::Views,
    impairments: OnceLock<Impairments>,
}

/// A namespace with its socket and what was configured in it.
#[derive(Debug)]
struct Space {
    netns: Netns,
    netlink: Mutex<Netlink>,
    /// Has power.
    plugged: AtomicBool,
    /// Has its carrier taken.
    cut: AtomicBool,
    interfaces: Vec<(Name, Vec<IpNet>)>,
    loopback: Vec<IpNet>,
}

impl Wiring {
    /// Makes everything of the plan. `loopback` gives the static addresses on a target's `lo`.
    pub fn create(
        plan: &Plan,
        loopback: impl Fn(&Target) -> Vec<IpNet>,
    ) -> Result<Self, WiringError> {
        let hub_netns = Netns::current("hub")?;
        let mut hub = Netlink::open().map_err(on_hub)?;
        let mut spaces = HashMap::new();
        for namespace in &plan.namespaces {
            let netns = Netns::create(&namespace.name)?;
            let netlink = Netlink::open_in(&netns).map_err(|source| WiringError::Netlink {
                on: namespace.name.clone(),
                source,
            })?;
            spaces.insert(
                namespace.target.clone(),
                Space {
                    netns,
                    netlink: Mutex::new(netlink),
                    plugged: AtomicBool::new(true),
                    cut: AtomicBool::new(false),
                    interfaces: interfaces_of(plan, &namespace.target),
                    loopback: loopback(&namespace.target),
                },
            );
        }
        create_links(&mut hub, plan, &spaces).map_err(on_hub)?;
        address_hub(&mut hub, plan).map_err(on_hub)?;
        for space in spaces.values() {
            space.with(configure)?;
        }
        plug_ports(&mut hub, plan).map_err(on_hub)?;
        for space in spaces.values() {
            space.with(bring)?;
        }
        for port in ports(plan) {
            hub.set_up(port, true).map_err(on_hub)?;
        }
        let wiring = Self {
            hub: Mutex::new(hub),
            hub_netns,
            spaces,
            taps: plan.taps.clone(),
            views: capture::views(plan),
            impairments: OnceLock::new(),
        };
        wiring.impair_planned(ends(plan))?;
        Ok(wiring)
    }

    /// The namespace of a target; the hub's for everything without one.
    pub fn netns(&self, target: &Target) -> &Netns {
        self.spaces
            .get(target)
            .map_or(&self.hub_netns, |space| &space.netns)
    }

    /// Every target that has a namespace, with it.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Target, &Netns)> {
        self.spaces
            .iter()
            .map(|(target, space)| (target, &space.netns))
    }

    /// Takes every interface of a target down, with all addresses: its power is gone.
    pub fn unplug(&self, target: &Target) -> Result<(), WiringError> {
        self.space(target, |netlink, space| {
            space.plugged.store(false, Ordering::Relaxed);
            bring(netlink, space)?;
            for link in netlink.links()? {
                netlink.flush_addresses(link.index)?;
            }
            Ok(())
        })
    }

    /// Gives a target its interfaces and static addresses back: its power is there again. Carrier
    /// that was taken stays taken.
    pub fn plug(&self, target: &Target) -> Result<(), WiringError> {
        self.space(target, |netlink, space| {
            // As after `create`.
            if space.plugged.swap(true, Ordering::Relaxed) {
                return Ok(());
            }
            configure(netlink, space)?;
            bring(netlink, space)
        })
    }

    /// Takes carrier from every interface of a target, on both ends, or gives it back, where the
    /// target has power.
    pub fn set_carrier(&self, target: &Target, up: bool) -> Result<(), WiringError> {
        let space = self.spaces.get(target).ok_or_else(|| no_links(target))?;
        space.with(|netlink, space| {
            space.cut.store(!up, Ordering::Relaxed);
            bring(netlink, space)?;
            if space.live() {
                // The kernel takes IPv6 addresses away with the carrier.
                configure(netlink, space)?;
            }
            Ok(())
        })
    }

    /// Interfaces of a target but `lo`, with state and counters. Of a VM's NICs these are the far
    /// ends' in the hub, under the names that the cluster gives the NICs; counters are as the VM
    /// counts.
    pub fn links(&self, target: &Target) -> Result<Vec<LinkState>, WiringError> {
        let taps: Vec<&Tap> = self.taps_of(target).collect();
        if !taps.is_empty() {
            let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
            let links = hub.links().map_err(on_hub)?;
            let named = |link: LinkState| {
                let tap = taps.iter().find(|tap| tap.name == link.name)?;
                Some(LinkState {
                    name: tap.end.interface.clone(),
                    rx_packets: link.tx_packets,
                    tx_packets: link.rx_packets,
                    ..link
                })
            };
            return Ok(links.into_iter().filter_map(named).collect());
        }
        let mut links = self.with_netlink(target, Netlink::links)?;
        links.retain(|link| link.name != "lo" && !link.name.starts_with(WIRE_PREFIX));
        Ok(links)
    }

    /// Routes of a target's main table, next hops with interface names.
    pub fn routes(&self, target: &Target) -> Result<Vec<(IpNet, Vec<String>)>, WiringError> {
        self.with_netlink(target, |netlink| {
            let names: HashMap<u32, String> = netlink
                .links()?
                .into_iter()
                .map(|link| (link.index, link.name))
                .collect();
            let routes = netlink.routes()?;
            Ok(routes
                .into_iter()
                .map(|route| {
                    let hops = route.hops.iter().map(|(gateway, index)| {
                        let name = names.get(index).map_or("?", String::as_str);
                        match gateway {
                            Some(address) => format!("{address} dev {name}"),
                            None => format!("dev {name}"),
                        }
                    });
                    (route.to, hops.collect())
                })
                .collect())
        })
    }

    /// Makes the TAP devices of a VM and plugs them in. They go with their descriptors.
    pub fn taps(&self, target: &Target) -> Result<Vec<tap::Tap>, WiringError> {
        let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taps = Vec::new();
        for each in self.taps_of(target) {
            taps.push(tap::Tap::create(&each.name, each.queues)?);
            let index = index_of(&mut hub, &each.bridge).map_err(on_hub)?;
            hub.set_bridge(&each.name, index).map_err(on_hub)?;
            if let Some(mtu) = each.mtu {
                hub.set_mtu(&each.name, mtu).map_err(on_hub)?;
            }
            hub.set_up(&each.name, true).map_err(on_hub)?;
        }
        drop(hub);
        self.impair_planned(self.taps_of(target).map(|tap| &tap.end))?;
        Ok(taps)
    }

    fn taps_of(&self, target: &Target) -> impl Iterator<Item = &Tap> {
        let target = target.clone();
        self.taps.iter().filter(move |tap| tap.end.target == target)
    }

    /// MTU in bytes of each link of a VM, in the order of its NICs.
    pub fn mtus(&self, target: &Target) -> Vec<Option<u32>> {
        self.taps_of(target).map(|tap| tap.mtu).collect()
    }

    /// Whether carrier was taken from a target.
    pub fn is_cut(&self, target: &Target) -> bool {
        let space = self.spaces.get(target);
        space.is_some_and(|space| space.cut.load(Ordering::Relaxed))
    }

    fn space<T>(
        &self,
        target: &Target,
        work: impl FnOnce(&mut Netlink, &Space) -> Result<T, NetlinkError>,
    ) -> Result<T, WiringError>
    where
        T: Default,
    {
        // What has no namespace of its own has no links to take down.
        self.spaces
            .get(target)
            .map_or_else(|| Ok(T::default()), |space| space.with(work))
    }

    fn with_netlink<T>(
        &self,
        target: &Target,
        work: impl FnOnce(&mut Netlink) -> Result<T, NetlinkError>,
    ) -> Result<T, WiringError> {
        match self.spaces.get(target) {
            Some(space) => space.with(|netlink, _| work(netlink)),
            None if target.kind != TargetKind::Hub => Err(no_links(target)),
            None => {
                work(&mut self.hub.lock().unwrap_or_else(PoisonError::into_inner)).map_err(on_hub)
            }
        }
    }
}

impl Space {
    fn live(&self) -> bool {
        self.plugged.load(Ordering::Relaxed) && !self.cut.load(Ordering::Relaxed)
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Netlink, &Self) -> Result<T, NetlinkError>,
    ) -> Result<T, WiringError> {
        let mut netlink = self.netlink.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut netlink, self).map_err(|source| WiringError::Netlink {
            on: self.netns.name().to_owned(),
            source,
        })
    }
}

fn on_hub(source: NetlinkError) -> WiringError {
    WiringError::Netlink {
        on: "hub".into(),
        source,
    }
}

/// Every interface in a namespace.
fn ends(plan: &Plan) -> impl Iterator<Item = &End> {
    plan.pairs.iter().flat_map(|pair| {
        let far = match &pair.peer {
            Peer::End(end) => Some(end),
            Peer::Port { .. } => None,
        };
        std::iter::once(&pair.end).chain(far)
    })
}

fn interfaces_of(plan: &Plan, target: &Target) -> Vec<(Name, Vec<IpNet>)> {
    ends(plan)
        .filter(|end| end.target == *target)
        .map(|end| (end.interface.clone(), end.addresses.clone()))
        .collect()
}

fn no_links(target: &Target) -> WiringError {
    WiringError::NoLinks {
        target: target.clone(),
    }
}

fn create_links(
    hub: &mut Netlink,
    plan: &Plan,
    spaces: &HashMap<Target, Space>,
) -> Result<(), NetlinkError> {
    for bridge in &plan.bridges {
        hub.create_bridge(&bridge.name, bridge.mtu)?;
    }
    for pair in &plan.pairs {
        let near = veth_end(&pair.end, pair, spaces);
        let far = match &pair.peer {
            Peer::End(end) => veth_end(end, pair, spaces),
            Peer::Port { name, .. } => VethEnd {
                name,
                netns: None,
                mac: None,
                mtu: pair.mtu,
            },
        };
        hub.create_veth(near, far)?;
    }
    Ok(())
}

fn veth_end<'a>(end: &'a End, pair: &Pair, spaces: &'a HashMap<Target, Space>) -> VethEnd<'a> {
    VethEnd {
        name: &end.interface,
        netns: spaces.get(&end.target).map(|space| &space.netns),
        mac: Some(end.mac.0),
        mtu: pair.mtu,
    }
}

fn address_hub(hub: &mut Netlink, plan: &Plan) -> Result<(), NetlinkError> {
    let links: HashMap<String, u32> = hub
        .links()?
        .into_iter()
        .map(|link| (link.name, link.index))
        .collect();
    for bridge in &plan.bridges {
        for address in &bridge.addresses {
            if let Some(index) = links.get(&bridge.name) {
                hub.add_address(*index, *address)?;
            }
        }
    }
    for address in &plan.hub_addresses {
        hub.add_address(LO, *address)?;
    }
    hub.set_up("lo", true)
}

fn plug_ports(hub: &mut Netlink, plan: &Plan) -> Result<(), NetlinkError> {
    let links: HashMap<String, u32> = hub
        .links()?
        .into_iter()
        .map(|link| (link.name, link.index))
        .collect();
    for pair in &plan.pairs {
        if let Peer::Port { name, bridge } = &pair.peer
            && let Some(index) = links.get(bridge)
        {
            hub.set_bridge(name, *index)?;
        }
    }
    Ok(())
}

fn ports(plan: &Plan) -> impl Iterator<Item = &str> {
    let ports = plan.pairs.iter().filter_map(|pair| match &pair.peer {
        Peer::Port { name, .. } => Some(name.as_str()),
        Peer::End(_) => None,
    });
    ports.chain(plan.bridges.iter().map(|bridge| bridge.name.as_str()))
}

/// `lo` has index 1 in every namespace.
const LO: u32 = 1;

fn configure(netlink: &mut Netlink, space: &Space) -> Result<(), NetlinkError> {
    let links: HashMap<String, u32> = netlink
        .links()?
        .into_iter()
        .map(|link| (link.name, link.index))
        .collect();
    for (name, addresses) in &space.interfaces {
        for address in addresses {
            if let Some(index) = links.get(name) {
                netlink.add_address(*index, *address)?;
            }
        }
    }
    for address in &space.loopback {
        netlink.add_address(LO, *address)?;
    }
    Ok(())
}

/// Brings interfaces up, or down where power or carrier is missing.
fn bring(netlink: &mut Netlink, space: &Space) -> Result<(), NetlinkError> {
    let up = space.live();
    if up {
        netlink.set_up("lo", true)?;
    }
    for (name, _) in &space.interfaces {
        netlink.set_up(name, up)?;
    }
    Ok(())
}

fn index_of(hub: &mut Netlink, name: &str) -> Result<u32, NetlinkError> {
    let links = hub.links()?;
    Ok(links
        .into_iter()
        .find(|link| link.name == name)
        .map_or(0, |link| link.index))
}
