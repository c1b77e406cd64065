//! What can be captured: links of the lab, by the names that people know.

use super::{Wiring, WiringError};
use crate::plan::{Peer, Plan};
use placemat_host::impair::WIRE_PREFIX;
use placemat_host::netns::Netns;
use placemat_host::packet;
use placemat_spec::resource::Name;
use placemat_spec::selector::{Target, TargetKind};
use std::collections::HashMap;
use std::os::fd::OwnedFd;

/// Where all of a network can be seen: an interface of a target, or a bridge in the hub.
pub(super) type Views = HashMap<Name, (Target, String)>;

/// A link with a socket that sees what passes on it.
pub type Watched = (String, OwnedFd);

/// For each network of a plan, a link that sees all of it.
pub(super) fn views(plan: &Plan) -> Views {
    let hub = Target::new(TargetKind::Hub, "hub");
    let bridges = plan
        .bridges
        .iter()
        .map(|bridge| (bridge.name.clone(), (hub.clone(), bridge.name.clone())));
    let pairs = plan.pairs.iter().filter_map(|pair| match &pair.peer {
        Peer::End(_) => Some((
            pair.network.clone(),
            (pair.end.target.clone(), pair.end.interface.clone()),
        )),
        Peer::Port { .. } => None,
    });
    bridges.chain(pairs).collect()
}

impl Wiring {
    /// Opens a socket on the link that sees all of a network.
    pub fn capture_network(&self, network: &str) -> Result<Vec<Watched>, WiringError> {
        let of = Target::new(TargetKind::Network, network);
        // Into one without links, nothing is plugged.
        let links = self.there();
        let (target, interface) = links
            .views
            .get(network)
            .ok_or_else(|| WiringError::NoLinks { target: of.clone() })?;
        let one = watch(&self.netns(target), interface, of.to_string())?;
        Ok(vec![one])
    }

    /// Opens a socket on every interface of a target, or on the one with this name.
    pub fn capture(
        &self,
        target: &Target,
        interface: Option<&str>,
    ) -> Result<Vec<Watched>, WiringError> {
        let wanted = |name: &str| interface.is_none_or(|only| only == name);
        let taps = self.taps_of(target);
        let links: Vec<(String, String)> = if taps.is_empty() {
            let links = self.with_netlink(target, placemat_host::netlink::Netlink::links)?;
            let names = links.into_iter().map(|link| link.name);
            // The loopback and the insides of wires only for those who name them.
            let shown = |name: &String| {
                interface.is_some() || name != "lo" && !name.starts_with(WIRE_PREFIX)
            };
            names
                .filter(shown)
                .map(|name| (name.clone(), name))
                .collect()
        } else {
            taps.iter()
                .map(|tap| (tap.end.interface.clone(), tap.name.clone()))
                .collect()
        };
        let chosen: Vec<_> = links.iter().filter(|(name, _)| wanted(name)).collect();
        if chosen.is_empty() {
            return Err(WiringError::NoLinks {
                target: target.clone(),
            });
        }
        chosen
            .into_iter()
            .map(|(name, link)| watch(&self.netns(target), link, format!("{target}:{name}")))
            .collect()
    }
}

fn watch(netns: &Netns, link: &str, name: String) -> Result<Watched, WiringError> {
    let socket = netns.run(|| packet::listen(link))?;
    Ok((name, socket))
}
