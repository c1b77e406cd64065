//! From the links that there are to those that there are to be: what goes, what comes, what stays and is only set otherwise.
//! Pure.
//!
//! What stays keeps its name in the hub, and a network that has a bridge keeps it for as long as anything that was plugged
//! in stays plugged in: nobody else's link is touched because a neighbour went.

use super::{Bridge, End, Namespace, Pair, Peer, Plan, Tap};
use ipnet::IpNet;
use placemat_spec::selector::Target;
use std::collections::{HashMap, HashSet};

/// The way from one plan to another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rewiring {
    /// Namespaces that go.
    pub namespaces_gone: Vec<Namespace>,
    /// Namespaces that come.
    pub namespaces_new: Vec<Namespace>,
    /// Bridges that go.
    pub bridges_gone: Vec<Bridge>,
    /// Bridges that come.
    pub bridges_new: Vec<Bridge>,
    /// Bridges that stay, as they were and as they are to be.
    pub bridges_set: Vec<(Bridge, Bridge)>,
    /// veth pairs that go.
    pub pairs_gone: Vec<Pair>,
    /// veth pairs that come.
    pub pairs_new: Vec<Pair>,
    /// veth pairs that stay, as they were and as they are to be.
    pub pairs_set: Vec<(Pair, Pair)>,
    /// TAP devices that go with their machine's power.
    pub taps_gone: Vec<Tap>,
    /// TAP devices that come.
    pub taps_new: Vec<Tap>,
    /// TAP devices that stay, as they were and as they are to be.
    pub taps_set: Vec<(Tap, Tap)>,
    /// Addresses that the hub's loopback loses.
    pub hub_gone: Vec<IpNet>,
    /// Addresses that the hub's loopback gets.
    pub hub_new: Vec<IpNet>,
    /// Networks whose veth pair becomes a bridge.
    pub converted: Vec<String>,
}

impl Rewiring {
    /// What leads from `old` to `new`, whose names in the hub become those that the same things have in `old`.
    pub fn between(old: &Plan, new: &mut Plan) -> Self {
        keep_bridges(old, new);
        keep_names(old, new);
        let mut way = Self::default();
        (way.namespaces_gone, way.namespaces_new, _) =
            split(&old.namespaces, &new.namespaces, |it| {
                (it.target.clone(), it.name.clone())
            });
        (way.bridges_gone, way.bridges_new, way.bridges_set) =
            split(&old.bridges, &new.bridges, |it| it.name.clone());
        (way.pairs_gone, way.pairs_new, way.pairs_set) = split(&old.pairs, &new.pairs, pair_key);
        (way.taps_gone, way.taps_new, way.taps_set) = split(&old.taps, &new.taps, |it| {
            let nic = (it.end.target.clone(), it.end.interface.clone());
            (nic, it.bridge.clone(), it.end.mac, it.queues)
        });
        (way.hub_gone, way.hub_new, _) = split(&old.hub_addresses, &new.hub_addresses, |it| *it);
        let was_pair: HashSet<&str> = bridgeless(old).collect();
        let bridges = way.bridges_new.iter().map(|it| it.name.clone());
        way.converted = bridges
            .filter(|name| was_pair.contains(name.as_str()))
            .collect();
        way
    }

    /// Whether all stays as it is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Interfaces whose link goes, with the network that it was of: also those that get another one.
    pub fn cut(&self) -> impl Iterator<Item = (&End, &str)> {
        let pairs = self.pairs_gone.iter();
        let pairs = pairs.flat_map(|pair| ends(pair).map(|end| (end, pair.network.as_str())));
        let taps = self.taps_gone.iter();
        pairs.chain(taps.map(|tap| (&tap.end, tap.bridge.as_str())))
    }

    /// Interfaces that come, with their networks: also those that had another link.
    pub fn made(&self) -> impl Iterator<Item = (&End, &str)> {
        let pairs = self.pairs_new.iter();
        let pairs = pairs.flat_map(|pair| ends(pair).map(|end| (end, pair.network.as_str())));
        let taps = self.taps_new.iter();
        pairs.chain(taps.map(|tap| (&tap.end, tap.bridge.as_str())))
    }

    /// Interfaces that stay and are set otherwise, as they were and as they are to be.
    pub fn set(&self) -> impl Iterator<Item = (&End, &End)> {
        self.pairs_set
            .iter()
            .flat_map(|(old, new)| {
                ends(old).filter_map(move |end| Some((end, same_end(end, new)?)))
            })
            .filter(|(old, new)| old != new)
    }
}

/// The interfaces of a veth pair.
pub fn ends(pair: &Pair) -> impl Iterator<Item = &End> {
    let far = match &pair.peer {
        Peer::End(end) => Some(end),
        Peer::Port { .. } => None,
    };
    std::iter::once(&pair.end).chain(far)
}

fn same_end<'p>(end: &End, pair: &'p Pair) -> Option<&'p End> {
    ends(pair).find(|it| it.target == end.target && it.interface == end.interface)
}

fn bridgeless(plan: &Plan) -> impl Iterator<Item = &str> {
    let pairs = plan.pairs.iter();
    let pairs = pairs.filter(|pair| matches!(pair.peer, Peer::End(_)));
    pairs.map(|pair| pair.network.as_str())
}

/// Those of `old` that are not in `new`, those of `new` that are not in `old`, and those in both that differ.
fn split<T: Clone + PartialEq, K: std::hash::Hash + Eq>(
    old: &[T],
    new: &[T],
    key: impl Fn(&T) -> K,
) -> (Vec<T>, Vec<T>, Vec<(T, T)>) {
    let known: HashMap<K, &T> = old.iter().map(|it| (key(it), it)).collect();
    let wanted: HashSet<K> = new.iter().map(&key).collect();
    let gone = old.iter().filter(|it| !wanted.contains(&key(it)));
    let (mut come, mut set) = (Vec::new(), Vec::new());
    for each in new {
        match known.get(&key(each)) {
            None => come.push(each.clone()),
            Some(was) if **was != *each => set.push(((*was).clone(), each.clone())),
            Some(_) => {}
        }
    }
    (gone.cloned().collect(), come, set)
}

type Nic = (Target, String, placemat_spec::value::Mac);

/// What makes a veth pair the same one: both ends, whichever comes first.
fn pair_key(pair: &Pair) -> (String, Vec<Nic>, Option<String>) {
    let nic = |end: &End| (end.target.clone(), end.interface.clone(), end.mac);
    let mut nics: Vec<Nic> = ends(pair).map(nic).collect();
    nics.sort();
    let bridge = match &pair.peer {
        Peer::End(_) => None,
        Peer::Port { bridge, .. } => Some(bridge.clone()),
    };
    (pair.network.clone(), nics, bridge)
}

/// A network that has a bridge keeps it where an end of it stays: as a pair, that end would lose its link.
fn keep_bridges(old: &Plan, new: &mut Plan) {
    let bridges: HashSet<&str> = old.bridges.iter().map(|it| it.name.as_str()).collect();
    let mut plugged: HashSet<(&str, &Target, &str)> = HashSet::new();
    for pair in &old.pairs {
        plugged.insert((&pair.network, &pair.end.target, &pair.end.interface));
    }
    let pairs = std::mem::take(&mut new.pairs);
    for pair in pairs {
        let stays = |end: &End| plugged.contains(&(&*pair.network, &end.target, &*end.interface));
        let Peer::End(peer) = &pair.peer else {
            new.pairs.push(pair);
            continue;
        };
        if !bridges.contains(pair.network.as_str()) || !(stays(&pair.end) || stays(peer)) {
            new.pairs.push(pair);
            continue;
        }
        new.bridges.push(Bridge {
            name: pair.network.clone(),
            addresses: Vec::new(),
            mtu: pair.mtu,
        });
        for end in [&pair.end, peer] {
            new.pairs.push(Pair {
                end: end.clone(),
                peer: Peer::Port {
                    name: String::new(),
                    bridge: pair.network.clone(),
                },
                ..pair.clone()
            });
        }
    }
}

/// Gives ports and TAPs the names that they have, and new ones names that nothing has.
fn keep_names(old: &Plan, new: &mut Plan) {
    let key = |bridge: &str, end: &End| {
        let nic = (end.target.clone(), end.interface.clone());
        (bridge.to_owned(), nic)
    };
    let mut names = HashMap::new();
    for pair in &old.pairs {
        if let Peer::Port { name, bridge } = &pair.peer {
            names.insert(key(bridge, &pair.end), name.clone());
        }
    }
    let taps = old.taps.iter();
    names.extend(taps.map(|tap| (key(&tap.bridge, &tap.end), tap.name.clone())));
    if names.is_empty() {
        return;
    }
    let number = |name: &String| {
        let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.parse::<u32>().unwrap_or(0)
    };
    let mut next = names.values().map(number).max().unwrap_or(0);
    let mut name_of = |kind: &str, bridge: &str, end: &End| {
        let known = names.get(&key(bridge, end));
        // What was a TAP and is a port now is no longer the same.
        if let Some(name) = known.filter(|name| name.starts_with(kind)) {
            return name.clone();
        }
        next += 1;
        format!("{kind}{next}")
    };
    for pair in &mut new.pairs {
        if let Peer::Port { name, bridge } = &mut pair.peer {
            *name = name_of("_port", bridge, &pair.end);
        }
    }
    for tap in &mut new.taps {
        tap.name = name_of("_tap", &tap.bridge, &tap.end);
    }
}

#[cfg(test)]
mod tests;
