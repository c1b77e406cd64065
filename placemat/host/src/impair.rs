//! Impaired links: delay, jitter, loss, rate, corruption, duplicates and reordering of what one end
//! of a link sends, by whatever this kernel has for it.
//!
//! | sender | back end |
//! |---|---|
//! | interface of a namespace | netem, where the kernel has it |
//! | the same | else a filter for loss, tbf for rate, and the wire for the rest |
//! | TAP of a machine | a filter for loss alone, else the wire |
//!
//! The wire copies frames in user space ([`crate::wire`]). It needs no change to the link itself: a
//! filter sends what the interface is to send to a TAP device instead, and what comes out of the
//! wire goes to the interface with a mark that the filter lets pass. Of a machine's TAP it takes the
//! place in the bridge.

mod offer;

pub use offer::Offer;

use crate::netlink::{Filter, Hook, Netlink, NetlinkError};
use crate::netns::{Netns, NetnsError};
use crate::wire::{WireId, Wires};
use crate::{packet, tap};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is done to the frames that one end of a link sends. Shares go from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Effects {
    /// Every frame is late by this much.
    pub delay: Duration,
    /// The delay varies by at most this much to both sides.
    pub jitter: Duration,
    /// Share of frames that never arrive.
    pub loss: f64,
    /// Bits a second that pass.
    pub rate: Option<u64>,
    /// Share of frames in which one bit is turned.
    pub corrupt: f64,
    /// Share of frames that arrive twice.
    pub duplicate: f64,
    /// Share of frames that do not wait out the delay.
    pub reorder: f64,
}

impl Effects {
    /// Nothing is done.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether only copying frames does it, where there is no netem.
    fn need_wire(&self) -> bool {
        !self.delay.is_zero()
            || self.corrupt > 0.0
            || self.duplicate > 0.0
            || self.jitter > Duration::ZERO
            || self.reorder > 0.0
    }
}

/// By what an effect is brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The kernel's network emulator.
    Netem,
    /// A random filter.
    Filter,
    /// The kernel's token bucket.
    Tbf,
    /// Frames copied in user space.
    Wire,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Netem => "netem",
            Self::Filter => "random filter",
            Self::Tbf => "tbf",
            Self::Wire => "user-space wire",
        })
    }
}

/// One end of a link, as its sender.
#[derive(Debug, Clone)]
pub enum Link {
    /// An interface of a namespace.
    Interface {
        /// Its namespace.
        netns: Netns,
        /// Its name there.
        name: String,
    },
    /// A machine's TAP, a port of a bridge.
    Tap {
        /// The namespace of the bridge.
        netns: Netns,
        /// Its name.
        name: String,
        /// The bridge's name.
        bridge: String,
    },
}

impl Link {
    fn netns(&self) -> &Netns {
        match self {
            Self::Interface { netns, .. } | Self::Tap { netns, .. } => netns,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Interface { name, .. } | Self::Tap { name, .. } => name,
        }
    }

    fn is_tap(&self) -> bool {
        matches!(self, Self::Tap { .. })
    }
}

/// Why a link could not be impaired.
#[derive(Debug, thiserror::Error)]
pub enum ImpairError {
    /// This kernel has nothing for it.
    #[error("this kernel cannot do that to {0}: `placemat doctor` has the table")]
    Unavailable(String),
    /// There is no such link.
    #[error("there is no link {0}")]
    NoLink(String),
    /// A filter or discipline.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// The wire's descriptors.
    #[error("lay a wire at {link}")]
    Wire {
        /// The link.
        link: String,
        /// Why not.
        source: io::Error,
    },
}

/// Mark of what came out of a wire: `pm`.
const MARK: u32 = 0x706d;
/// Names of the wires' TAP devices begin with this, which no name in a file can.
pub const WIRE_PREFIX: &str = "~wire";

/// Impairs links, and remembers what it did to each.
#[derive(Debug)]
pub struct Impairments {
    offer: Offer,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    wires: Option<Wires>,
    links: HashMap<(String, String), Option<WireId>>,
}

impl Impairments {
    /// Nothing is impaired yet. `offer` is what this kernel has.
    pub fn new(offer: Offer) -> Self {
        Self {
            offer,
            state: Mutex::default(),
        }
    }

    /// Makes `effects` what befalls all that this end of the link sends; none of them heals it.
    /// Tells by what. Blocks.
    pub fn impair(&self, link: &Link, effects: &Effects) -> Result<Vec<Backend>, ImpairError> {
        let backends = self
            .offer
            .choose(effects, link.is_tap())
            .ok_or_else(|| ImpairError::Unavailable(link.name().to_owned()))?;
        let key = (link.netns().name().to_owned(), link.name().to_owned());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let laid = state.links.get(&key).copied().flatten();
        if let (Some(id), [Backend::Wire], Some(wires)) = (laid, &backends[..], &state.wires) {
            // No frame notices.
            wires.set(id, *effects);
            return Ok(backends);
        }
        let mut netlink = Netlink::open_in(link.netns())?;
        if state.links.remove(&key).is_some() {
            heal(&mut netlink, link, laid, state.wires.as_ref())?;
        }
        if backends.is_empty() {
            return Ok(backends);
        }
        // Before anything is changed: what fails half-way is taken back next time.
        state.links.insert(key.clone(), None);
        let (index, mtu) = find(&mut netlink, link.name())?;
        for backend in &backends {
            match backend {
                Backend::Netem => netlink.emulate(index, effects)?,
                Backend::Tbf => netlink.shape(index, effects.rate.unwrap_or(u64::MAX), mtu)?,
                Backend::Filter => {
                    let hook = if link.is_tap() {
                        Hook::Ingress
                    } else {
                        Hook::Egress
                    };
                    netlink.add_hooks(index)?;
                    netlink.add_filter(index, hook, Filter::Drop(effects.loss))?;
                }
                Backend::Wire => {
                    let id = lay(&mut netlink, &mut state, link, index, mtu, effects)?;
                    state.links.insert(key.clone(), Some(id));
                }
            }
        }
        Ok(backends)
    }
}

/// Takes everything off a link.
fn heal(
    netlink: &mut Netlink,
    link: &Link,
    laid: Option<WireId>,
    wires: Option<&Wires>,
) -> Result<(), ImpairError> {
    let bared = bare(netlink, link);
    // Whatever became of the link: nobody else knows the wire any more.
    if let (Some(id), Some(wires)) = (laid, wires) {
        wires.remove(id);
    }
    bared
}

/// Takes filters and disciplines off a link; a machine's TAP is in its bridge again, also where a
/// wire was laid only half-way.
fn bare(netlink: &mut Netlink, link: &Link) -> Result<(), ImpairError> {
    // The link may be gone, and all of this with it.
    let Ok((index, _)) = find(netlink, link.name()) else {
        return Ok(());
    };
    if let Link::Tap { bridge, name, .. } = link {
        let (bridge, _) = find(netlink, bridge)?;
        netlink.set_bridge(name, bridge)?;
    }
    netlink.remove_hooks(index)?;
    if !link.is_tap() {
        netlink.remove_root(index)?;
    }
    Ok(())
}

/// Lays a wire into a link: both directions of a machine's TAP, of which only what it sends is
/// impaired, or what an interface sends.
fn lay(
    netlink: &mut Netlink,
    state: &mut State,
    link: &Link,
    index: u32,
    mtu: u32,
    effects: &Effects,
) -> Result<WireId, ImpairError> {
    let failed = |source: io::Error| ImpairError::Wire {
        link: link.name().to_owned(),
        source,
    };
    let inside = |error: NetnsError| failed(io::Error::other(chain(&error)));
    let device = format!("{WIRE_PREFIX}{index}");
    let tap = link
        .netns()
        .run(|| {
            let tap = tap::create(&device).map_err(io::Error::other)?;
            nix::fcntl::fcntl(
                &tap,
                nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK),
            )?;
            // It must say nothing of its own.
            let quiet = format!("/proc/sys/net/ipv6/conf/{device}/disable_ipv6");
            match std::fs::write(quiet, "1") {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error)?,
                // Without IPv6 in the kernel there is nothing to switch off.
                _ => Ok(tap),
            }
        })
        .map_err(inside)?;
    let is_tap = link.is_tap();
    let socket = link
        .netns()
        .run(|| packet::wire(link.name(), is_tap, MARK))
        .map_err(inside)?;
    netlink.set_mtu(&device, mtu)?;
    netlink.set_up(&device, true)?;
    let (device_index, _) = find(netlink, &device)?;
    let wires = match &mut state.wires {
        Some(wires) => wires,
        none => none.insert(Wires::start().map_err(failed)?),
    };
    netlink.add_hooks(index)?;
    if let Link::Tap { name, bridge, .. } = link {
        let back = (
            tap.try_clone().map_err(failed)?,
            socket.try_clone().map_err(failed)?,
        );
        // What the machine sends is for the wire alone.
        netlink.add_filter(index, Hook::Ingress, Filter::Drop(1.0))?;
        netlink.release(name)?;
        let (bridge, _) = find(netlink, bridge)?;
        netlink.set_bridge(&device, bridge)?;
        let id = wires.add(socket, tap, *effects);
        wires.add_back(id, back.0, back.1);
        return Ok(id);
    }
    let id = wires.add(tap, socket, *effects);
    let filter = Filter::Redirect {
        to: device_index,
        but: MARK,
    };
    netlink
        .add_filter(index, Hook::Egress, filter)
        .inspect_err(|_| wires.remove(id))?;
    Ok(id)
}

fn find(netlink: &mut Netlink, name: &str) -> Result<(u32, u32), ImpairError> {
    let links = netlink.links()?;
    links
        .into_iter()
        .find(|link| link.name == name)
        .map(|link| (link.index, link.mtu))
        .ok_or_else(|| ImpairError::NoLink(name.to_owned()))
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
