//! A site with what most rules ask of it: whose an address is, who is on a network, which session
//! is the other end of which.

use super::site::{Held, Kind, Machine, Port, Session, Site};
use std::collections::HashMap;
use std::net::IpAddr;

/// An indexed site.
pub(crate) struct Facts<'s> {
    pub(crate) site: &'s Site,
    /// Every address that a machine has.
    pub(crate) held: Vec<Held<'s>>,
    by_address: HashMap<IpAddr, Held<'s>>,
    ends: HashMap<&'s str, Vec<(&'s str, &'s Port)>>,
    /// Sessions by whose they are and with whom: a spine has thousands.
    between: HashMap<&'s str, HashMap<&'s str, Vec<&'s Session>>>,
}

impl<'s> Facts<'s> {
    pub(crate) fn of(site: &'s Site) -> Self {
        let held = site.held();
        // Of an address that is given twice the first counts; another rule tells of it.
        let by_address = held.iter().rev().map(|it| (it.net.addr(), *it)).collect();
        let mut facts = Self {
            site,
            by_address,
            held,
            ends: site.ends(),
            between: HashMap::new(),
        };
        let mut between: HashMap<_, HashMap<_, Vec<&Session>>> = HashMap::new();
        for (name, session) in facts.sessions() {
            if let Some(peer) = facts.holder(session.neighbor) {
                let ours = between.entry(name).or_default();
                ours.entry(peer.machine).or_default().push(session);
            }
        }
        facts.between = between;
        facts
    }

    /// Whose an address is.
    pub(crate) fn holder(&self, address: IpAddr) -> Option<&Held<'s>> {
        self.by_address.get(&address)
    }

    /// Machines, with their ports, on a network.
    pub(crate) fn ends(&self, network: &str) -> &[(&'s str, &'s Port)] {
        self.ends.get(network).map_or(&[], Vec::as_slice)
    }

    /// All sessions of all machines.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = (&'s str, &'s Session)> {
        let machines = self.site.machines.iter();
        machines.flat_map(|(name, machine)| {
            machine
                .sessions
                .iter()
                .map(move |session| (name.as_str(), session))
        })
    }

    /// The other end of a session: whose it is, and the session there, if there is one.
    pub(crate) fn back(
        &self,
        name: &str,
        session: &Session,
    ) -> Option<(&'s str, Option<&'s Session>)> {
        let peer = self.holder(session.neighbor)?.machine;
        let mut candidates = self.towards(peer, name).iter().copied();
        Some((peer, candidates.find(|back| fit(session, back))))
    }

    /// The session of a peer that is probably meant to be the other end, but has other addresses:
    /// one that has no other end either.
    pub(crate) fn near(&self, name: &str, peer: &str) -> Option<&'s Session> {
        let mut candidates = self.towards(peer, name).iter().copied();
        let ours = self.towards(name, peer);
        candidates.find(|near| !ours.iter().any(|session| fit(session, near)))
    }

    /// The sessions of a machine with another.
    fn towards(&self, from: &str, to: &str) -> &[&'s Session] {
        let ours = self.between.get(from);
        ours.and_then(|it| it.get(to)).map_or(&[], Vec::as_slice)
    }

    /// Whether a machine is plugged into a network.
    pub(crate) fn is_on(&self, machine: &str, network: &str) -> bool {
        self.ends(network).iter().any(|(name, _)| *name == machine)
    }

    /// Whether a network joins routers only.
    pub(crate) fn is_link(&self, network: &str) -> bool {
        self.ends(network)
            .iter()
            .all(|(name, _)| self.machine(name).is_some_and(|it| it.kind == Kind::Router))
    }

    /// Routers above the fabric.
    pub(crate) fn cores(&self) -> impl Iterator<Item = (&'s str, &'s Machine)> {
        let machines = self.site.machines.iter();
        machines
            .filter(|(_, machine)| machine.kind == Kind::Router && machine.role == "core")
            .map(|(name, machine)| (name.as_str(), machine))
    }

    pub(crate) fn machine(&self, name: &str) -> Option<&'s Machine> {
        self.site.machines.get(name)
    }
}

/// Whether two ends name each other's addresses.
fn fit(one: &Session, other: &Session) -> bool {
    let names = |one: &Session, other: &Session| one.local.is_none_or(|it| it == other.neighbor);
    names(one, other) && names(other, one)
}
