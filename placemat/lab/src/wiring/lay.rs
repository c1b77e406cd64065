//! From the links that there are to those that a plan wants, phase by phase over all of them; at the start of a lab there
//! are none. What is not whole at the end is taken away again, and is not in the plan of what there is: the next change
//! makes it anew.

use super::{Config, LO, Links, Space, Wiring, WiringError, bring, capture, configure, on_hub};
use crate::plan::{End, Pair, Peer, Plan, Rewiring, ends};
use ipnet::IpNet;
use placemat_host::netlink::{Netlink, NetlinkError, VethEnd};
use placemat_host::netns::Netns;
use placemat_spec::selector::{Target, TargetKind};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Something that could not be made, removed or set.
#[derive(Debug)]
pub struct Unmade {
    /// A network, or whoever's interfaces they are.
    pub target: Target,
    /// Why not.
    pub error: WiringError,
}

/// A change under way.
struct Work<'w> {
    wiring: &'w Wiring,
    way: Rewiring,
    spaces: HashMap<Target, Arc<Space>>,
    unmade: Vec<Unmade>,
    /// Targets of `unmade`.
    spoilt: HashSet<Target>,
}

impl Wiring {
    /// Makes of the links what `plan` wants, and leaves everything else alone. `loopback` gives the static addresses on a
    /// target's `lo`. Never stops early; gives what is not as it should be. One at a time. Blocks.
    pub fn change_to(
        &self,
        mut plan: Plan,
        loopback: impl Fn(&Target) -> Vec<IpNet>,
    ) -> Vec<Unmade> {
        let old = self.there();
        let way = Rewiring::between(&old.plan, &mut plan);
        let mut work = Work {
            wiring: self,
            way,
            spaces: old.spaces,
            unmade: Vec::new(),
            spoilt: HashSet::new(),
        };
        work.clear();
        work.create();
        let touched = work.aim(&plan, loopback);
        // From here on others see it: what is impaired is looked up.
        self.show(&plan, &work.spaces);
        work.address(&touched);
        work.enslave();
        work.raise(&touched);
        work.set();
        work.drop_unmade(&mut plan, &old.plan);
        self.show(&plan, &work.spaces);
        work.unmade
    }

    fn show(&self, plan: &Plan, spaces: &HashMap<Target, Arc<Space>>) {
        let views = capture::views(plan);
        let mut links = self.links.write().unwrap_or_else(PoisonError::into_inner);
        *links = Links {
            plan: Arc::new(plan.clone()),
            spaces: spaces.clone(),
            views,
        };
    }
}

fn network(name: &str) -> Target {
    Target::new(TargetKind::Network, name)
}

impl Work<'_> {
    fn note<T>(&mut self, target: Target, done: Result<T, WiringError>) -> Option<T> {
        match done {
            Ok(value) => Some(value),
            Err(error) => {
                self.spoilt.insert(target.clone());
                self.unmade.push(Unmade { target, error });
                None
            }
        }
    }

    fn in_hub<T>(
        &mut self,
        target: Target,
        work: impl FnOnce(&mut Netlink) -> Result<T, NetlinkError>,
    ) -> Option<T> {
        let wiring = self.wiring;
        let mut hub = wiring.hub.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work(&mut hub).map_err(on_hub);
        drop(hub);
        self.note(target, done)
    }

    fn in_space<T>(
        &mut self,
        target: &Target,
        work: impl FnOnce(&mut Netlink, &Space) -> Result<T, NetlinkError>,
    ) -> Option<T> {
        let space = self.spaces.get(target)?.clone();
        self.note(target.clone(), space.with(work))
    }

    /// Links, bridges, addresses and namespaces that go.
    fn clear(&mut self) {
        for pair in self.way.pairs_gone.clone() {
            ends(&pair).for_each(|end| self.wiring.unimpair(end));
            self.delete_pair(&pair);
        }
        for address in self.way.hub_gone.clone() {
            self.in_hub(Target::new(TargetKind::Hub, "hub"), |hub| {
                hub.remove_address(LO, address)
            });
        }
        for bridge in self.way.bridges_gone.clone() {
            self.in_hub(network(&bridge.name), |hub| hub.delete_link(&bridge.name));
        }
        for namespace in self.way.namespaces_gone.clone() {
            if let Some(space) = self.spaces.remove(&namespace.target) {
                let done = space.netns.forget().map_err(WiringError::from);
                self.note(namespace.target, done);
            }
        }
    }

    fn delete_pair(&mut self, pair: &Pair) {
        match &pair.peer {
            Peer::Port { name, .. } => {
                self.in_hub(network(&pair.network), |hub| hub.delete_link(name));
            }
            Peer::End(_) => {
                self.in_space(&pair.end.target, |netlink, _| {
                    netlink.delete_link(&pair.end.interface)
                });
            }
        }
    }

    /// Namespaces, bridges and links that come.
    fn create(&mut self) {
        for namespace in self.way.namespaces_new.clone() {
            if let Some(space) = self.note(namespace.target.clone(), make_space(&namespace.name)) {
                self.spaces.insert(namespace.target, Arc::new(space));
            }
        }
        for bridge in self.way.bridges_new.clone() {
            self.in_hub(network(&bridge.name), |hub| {
                hub.create_bridge(&bridge.name, bridge.mtu)
            });
        }
        let spaces = self.spaces.clone();
        for pair in self.way.pairs_new.clone() {
            // Without its namespace an end would come to lie in the hub.
            if ends(&pair).any(|end| !spaces.contains_key(&end.target)) {
                self.spoilt.insert(network(&pair.network));
                continue;
            }
            self.in_hub(network(&pair.network), |hub| {
                let far = match &pair.peer {
                    Peer::End(end) => veth_end(end, &pair, &spaces),
                    Peer::Port { name, .. } => VethEnd {
                        name,
                        netns: None,
                        mac: None,
                        mtu: pair.mtu,
                    },
                };
                hub.create_veth(veth_end(&pair.end, &pair, &spaces), far)
            });
        }
    }

    /// Tells every namespace what is to be configured in it; which ones that changes.
    fn aim(&mut self, plan: &Plan, loopback: impl Fn(&Target) -> Vec<IpNet>) -> Vec<Target> {
        let mut wanted: HashMap<&Target, Config> = HashMap::new();
        for end in plan.pairs.iter().flat_map(ends) {
            let config = wanted.entry(&end.target).or_default();
            let interface = (end.interface.clone(), end.addresses.clone());
            config.interfaces.push(interface);
        }
        let mut touched: HashSet<Target> = HashSet::new();
        for namespace in &plan.namespaces {
            let mut config = wanted.remove(&namespace.target).unwrap_or_default();
            config.loopback = loopback(&namespace.target);
            let Some(space) = self.spaces.get(&namespace.target).cloned() else {
                continue;
            };
            let was = std::mem::replace(
                &mut *space.config.lock().unwrap_or_else(PoisonError::into_inner),
                config.clone(),
            );
            if was != config {
                self.take_addresses(&namespace.target, &was, &config);
                touched.insert(namespace.target.clone());
            }
        }
        let made = self.way.made().map(|(end, _)| end.target.clone());
        touched.extend(made.filter(|target| self.spaces.contains_key(target)));
        let new = self.way.namespaces_new.iter().map(|it| it.target.clone());
        touched.extend(new.filter(|target| self.spaces.contains_key(target)));
        touched.into_iter().collect()
    }

    /// Addresses that interfaces which stay have no longer.
    fn take_addresses(&mut self, target: &Target, was: &Config, is: &Config) {
        let gone = |was: &[IpNet], is: &[IpNet]| -> Vec<IpNet> {
            was.iter().filter(|it| !is.contains(it)).copied().collect()
        };
        let mut going = vec![("lo", gone(&was.loopback, &is.loopback))];
        for (name, addresses) in &was.interfaces {
            let stays = is.interfaces.iter().find(|(other, _)| other == name);
            going.extend(stays.map(|(_, new)| (name.as_str(), gone(addresses, new))));
        }
        going.retain(|(_, addresses)| !addresses.is_empty());
        if going.is_empty() {
            return;
        }
        self.in_space(target, |netlink, space| {
            if !space.plugged.load(Ordering::Relaxed) {
                return Ok(());
            }
            let links = netlink.indexes()?;
            for (name, addresses) in going {
                for address in addresses {
                    if let Some(index) = links.get(name) {
                        netlink.remove_address(*index, address)?;
                    }
                }
            }
            Ok(())
        });
    }

    fn address(&mut self, touched: &[Target]) {
        let (new, set) = (&self.way.bridges_new, &self.way.bridges_set);
        let bridges = new.iter().map(|bridge| (None, bridge));
        let bridges = bridges.chain(set.iter().map(|(was, is)| (Some(was), is)));
        let bridges: Vec<_> = bridges
            .map(|(was, is)| (was.cloned(), is.clone()))
            .collect();
        let hub_new = self.way.hub_new.clone();
        if !bridges.is_empty() || !hub_new.is_empty() {
            let hub = Target::new(TargetKind::Hub, "hub");
            let links = self.in_hub(hub.clone(), Netlink::indexes);
            let links = links.unwrap_or_default();
            for (was, is) in bridges {
                let Some(index) = links.get(&is.name).copied() else {
                    continue;
                };
                self.in_hub(network(&is.name), |hub| {
                    let was = was.as_ref().map_or(&[][..], |was| &was.addresses);
                    for gone in was.iter().filter(|it| !is.addresses.contains(it)) {
                        hub.remove_address(index, *gone)?;
                    }
                    let mut all = is.addresses.iter();
                    all.try_for_each(|address| hub.add_address(index, *address))
                });
            }
            self.in_hub(hub, |hub| {
                hub_new
                    .iter()
                    .try_for_each(|address| hub.add_address(LO, *address))
            });
        }
        self.in_hub(Target::new(TargetKind::Hub, "hub"), |hub| {
            hub.set_up("lo", true)
        });
        for target in touched {
            self.in_space(target, |netlink, space| {
                if space.plugged.load(Ordering::Relaxed) {
                    configure(netlink, space)?;
                }
                Ok(())
            });
        }
    }

    fn enslave(&mut self) {
        let ports: Vec<(String, String)> = new_ports(&self.way).collect();
        if ports.is_empty() {
            return;
        }
        let hub = Target::new(TargetKind::Hub, "hub");
        let Some(links) = self.in_hub(hub, Netlink::indexes) else {
            return;
        };
        for (name, bridge) in ports {
            // One that was not made is told already.
            if let (Some(index), true) = (links.get(&bridge), links.contains_key(&name)) {
                self.in_hub(network(&bridge), |hub| hub.set_bridge(&name, *index));
            }
        }
    }

    fn raise(&mut self, touched: &[Target]) {
        for target in touched {
            self.in_space(target, bring);
        }
        let ports: Vec<(String, String)> = new_ports(&self.way).collect();
        let bridges = self.way.bridges_new.iter();
        let bridges = bridges.map(|bridge| (bridge.name.clone(), bridge.name.clone()));
        let all: Vec<_> = ports.into_iter().chain(bridges).collect();
        for (name, of) in all {
            if !self.spoilt.contains(&network(&of)) {
                self.in_hub(network(&of), |hub| hub.set_up(&name, true));
            }
        }
    }

    /// MTU and impairment of what stays, impairment of what comes.
    fn set(&mut self) {
        for (was, is) in self.way.pairs_set.clone() {
            if was.mtu != is.mtu {
                self.set_mtu(&is);
            }
        }
        for (was, is) in self.way.bridges_set.clone() {
            if was.mtu != is.mtu {
                let mtu = is.mtu.unwrap_or(USUAL_MTU);
                self.in_hub(network(&is.name), |hub| hub.set_mtu(&is.name, mtu));
            }
        }
        let mut impaired: Vec<End> = self.way.made().map(|(end, _)| end.clone()).collect();
        // Those of machines are impaired as they are made.
        impaired.retain(|end| end.queues.is_none() && end.impair.is_some());
        let set = self.way.set().filter(|(was, is)| was.impair != is.impair);
        impaired.extend(set.map(|(_, is)| is.clone()));
        let taps = self
            .way
            .taps_set
            .iter()
            .filter(|(was, is)| was.end.impair != is.end.impair);
        impaired.extend(taps.map(|(_, is)| is.end.clone()));
        for end in impaired {
            if self.spoilt.contains(&end.target) {
                continue;
            }
            let effects = end.impair.as_ref().map(super::effects).unwrap_or_default();
            let done = self.wiring.impair(&end.target, &end.interface, &effects);
            self.note(end.target, done);
        }
    }

    fn set_mtu(&mut self, pair: &Pair) {
        let mtu = pair.mtu.unwrap_or(USUAL_MTU);
        for end in ends(pair) {
            let name = end.interface.clone();
            self.in_space(&end.target, |netlink, _| netlink.set_mtu(&name, mtu));
        }
        if let Peer::Port { name, bridge } = &pair.peer {
            self.in_hub(network(bridge), |hub| hub.set_mtu(name, mtu));
        }
    }

    /// Takes away what was made in part, and notes what is set as it was.
    fn drop_unmade(&mut self, plan: &mut Plan, old: &Plan) {
        if self.unmade.is_empty() {
            return;
        }
        let spoilt = self.spoilt.clone();
        let is_spoilt = |pair: &Pair| {
            spoilt.contains(&network(&pair.network))
                || ends(pair).any(|end| spoilt.contains(&end.target))
        };
        let new = std::mem::take(&mut self.way.pairs_new);
        let dropped: Vec<Pair> = new.into_iter().filter(|pair| is_spoilt(pair)).collect();
        let told = self.unmade.len();
        for pair in &dropped {
            self.delete_pair(pair);
        }
        // That what was never made cannot be removed is no news.
        self.unmade.truncate(told);
        plan.pairs.retain(|pair| !dropped.contains(pair));
        for (was, is) in &self.way.pairs_set {
            if is_spoilt(is)
                && let Some(pair) = plan.pairs.iter_mut().find(|it| *it == is)
            {
                *pair = was.clone();
            }
        }
        let gone: Vec<_> = self.way.bridges_new.clone();
        for bridge in gone.iter().filter(|it| spoilt.contains(&network(&it.name))) {
            self.in_hub(network(&bridge.name), |hub| hub.delete_link(&bridge.name));
            self.unmade.truncate(told);
            plan.bridges.retain(|it| it.name != bridge.name);
        }
        for (was, is) in &self.way.bridges_set {
            if spoilt.contains(&network(&is.name))
                && let Some(bridge) = plan.bridges.iter_mut().find(|it| *it == is)
            {
                *bridge = was.clone();
            }
        }
        plan.namespaces
            .retain(|it| self.spaces.contains_key(&it.target));
        if spoilt.contains(&Target::new(TargetKind::Hub, "hub")) {
            plan.hub_addresses.clone_from(&old.hub_addresses);
        }
    }
}

/// What a link has of which nobody says how large its frames are.
const USUAL_MTU: u32 = 1500;

fn make_space(name: &str) -> Result<Space, WiringError> {
    let netns = Netns::create(name)?;
    let netlink = Netlink::open_in(&netns).map_err(|source| WiringError::Netlink {
        on: name.to_owned(),
        source,
    })?;
    Ok(Space {
        netns,
        netlink: Mutex::new(netlink),
        plugged: AtomicBool::new(true),
        cut: AtomicBool::new(false),
        config: Mutex::default(),
    })
}

fn veth_end<'a>(end: &'a End, pair: &Pair, spaces: &'a HashMap<Target, Arc<Space>>) -> VethEnd<'a> {
    VethEnd {
        name: &end.interface,
        netns: spaces.get(&end.target).map(|space| &space.netns),
        mac: Some(end.mac.0),
        mtu: pair.mtu,
    }
}

fn new_ports(way: &Rewiring) -> impl Iterator<Item = (String, String)> {
    way.pairs_new.iter().filter_map(|pair| match &pair.peer {
        Peer::Port { name, bridge } => Some((name.clone(), bridge.clone())),
        Peer::End(_) => None,
    })
}
