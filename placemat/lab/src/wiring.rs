//! Makes the plan's namespaces and links, in phases, and keeps the netlink sockets they need later.
//!
//! Blocking work: every function here runs on a thread that may block.

mod address;
mod capture;
mod impair;
mod lay;

pub use capture::Watched;
pub use impair::effects;
pub use lay::Unmade;

use crate::plan::{Plan, Tap};
use ipnet::IpNet;
use placemat_host::impair::{ImpairError, Impairments, WIRE_PREFIX};
use placemat_host::netlink::{LinkState, Netlink, NetlinkError};
use placemat_host::netns::{Netns, NetnsError};
use placemat_host::tap::{self, TapError};
use placemat_spec::resource::Name;
use placemat_spec::selector::{Target, TargetKind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

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
    links: RwLock<Links>,
    impairments: OnceLock<Impairments>,
}

/// What there is.
#[derive(Debug, Clone, Default)]
struct Links {
    plan: Arc<Plan>,
    spaces: HashMap<Target, Arc<Space>>,
    views: capture::Views,
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
    config: Mutex<Config>,
}

/// What is configured in a namespace while its owner has power.
#[derive(Debug, Clone, Default, PartialEq)]
struct Config {
    interfaces: Vec<(Name, Vec<IpNet>)>,
    loopback: Vec<IpNet>,
}

impl Wiring {
    /// Makes everything of the plan. `loopback` gives the static addresses on a target's `lo`.
    pub fn create(
        plan: &Plan,
        loopback: impl Fn(&Target) -> Vec<IpNet>,
    ) -> Result<Self, WiringError> {
        let wiring = Self {
            hub: Mutex::new(Netlink::open().map_err(on_hub)?),
            hub_netns: Netns::current("hub")?,
            links: RwLock::default(),
            impairments: OnceLock::new(),
        };
        let unmade = wiring.change_to(plan.clone(), loopback);
        match unmade.into_iter().next() {
            Some(unmade) => Err(unmade.error),
            None => Ok(wiring),
        }
    }

    /// What there is, as a plan.
    pub fn plan(&self) -> Arc<Plan> {
        let links = self.links.read().unwrap_or_else(PoisonError::into_inner);
        links.plan.clone()
    }

    fn there(&self) -> Links {
        let links = self.links.read().unwrap_or_else(PoisonError::into_inner);
        links.clone()
    }

    fn space_of(&self, target: &Target) -> Option<Arc<Space>> {
        let links = self.links.read().unwrap_or_else(PoisonError::into_inner);
        links.spaces.get(target).cloned()
    }

    /// The namespace of a target; the hub's for everything without one.
    pub fn netns(&self, target: &Target) -> Netns {
        self.space_of(target)
            .map_or_else(|| self.hub_netns.clone(), |space| space.netns.clone())
    }

    /// Every target that has a namespace, with it.
    pub fn namespaces(&self) -> Vec<(Target, Netns)> {
        let links = self.links.read().unwrap_or_else(PoisonError::into_inner);
        let spaces = links.spaces.iter();
        spaces
            .map(|(target, space)| (target.clone(), space.netns.clone()))
            .collect()
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
        let space = self.space_of(target).ok_or_else(|| no_links(target))?;
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
        let taps = self.taps_of(target);
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
        let planned = self.taps_of(target);
        for each in &planned {
            taps.push(tap::Tap::create(&each.name, each.queues)?);
            let index = hub.index_of(&each.bridge).map_err(on_hub)?;
            hub.set_bridge(&each.name, index).map_err(on_hub)?;
            if let Some(mtu) = each.mtu {
                hub.set_mtu(&each.name, mtu).map_err(on_hub)?;
            }
            hub.set_up(&each.name, true).map_err(on_hub)?;
        }
        drop(hub);
        self.impair_planned(planned.iter().map(|tap| &tap.end))?;
        Ok(taps)
    }

    fn taps_of(&self, target: &Target) -> Vec<Tap> {
        let plan = self.plan();
        let own = plan.taps.iter().filter(|tap| tap.end.target == *target);
        own.cloned().collect()
    }

    /// MTU in bytes of each link of a VM, in the order of its NICs.
    pub fn mtus(&self, target: &Target) -> Vec<Option<u32>> {
        self.taps_of(target).iter().map(|tap| tap.mtu).collect()
    }

    /// Whether carrier was taken from a target.
    pub fn is_cut(&self, target: &Target) -> bool {
        let space = self.space_of(target);
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
        self.space_of(target)
            .map_or_else(|| Ok(T::default()), |space| space.with(work))
    }

    fn with_netlink<T>(
        &self,
        target: &Target,
        work: impl FnOnce(&mut Netlink) -> Result<T, NetlinkError>,
    ) -> Result<T, WiringError> {
        match self.space_of(target) {
            Some(space) => space.with(|netlink, _| work(netlink)),
            None if target.kind != TargetKind::Hub => Err(no_links(target)),
            None => {
                work(&mut self.hub.lock().unwrap_or_else(PoisonError::into_inner)).map_err(on_hub)
            }
        }
    }
}

impl Space {
    fn config(&self) -> Config {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        config.clone()
    }

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

fn no_links(target: &Target) -> WiringError {
    WiringError::NoLinks {
        target: target.clone(),
    }
}

/// `lo` has index 1 in every namespace.
const LO: u32 = 1;

fn configure(netlink: &mut Netlink, space: &Space) -> Result<(), NetlinkError> {
    let links = netlink.indexes()?;
    let config = space.config();
    for (name, addresses) in &config.interfaces {
        for address in addresses {
            if let Some(index) = links.get(name) {
                netlink.add_address(*index, *address)?;
            }
        }
    }
    for address in &config.loopback {
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
    for (name, _) in &space.config().interfaces {
        netlink.set_up(name, up)?;
    }
    Ok(())
}
