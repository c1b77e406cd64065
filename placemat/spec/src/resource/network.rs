//! `kind: Network`: an L2 segment.

mod keys;
mod print;
mod read;

pub(crate) use keys::DOC;
pub(crate) use print::print;
pub(crate) use read::read;

use super::{Impair, Labels, Name};
use crate::Place;
use ipnet::IpNet;

/// What a network is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NetworkType {
    /// A segment inside the lab, with no address of its own.
    Internal,
    /// A segment whose first address is the hub's.
    External,
    /// The segment on which the BMCs of servers answer; its address is the hub's.
    Bmc,
}

/// A checked `Network`.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub kind: NetworkType,
    /// The hub's addresses on it; empty for internal networks.
    pub addresses: Vec<IpNet>,
    /// MTU in bytes, where the file asks for one.
    pub mtu: Option<u32>,
    /// Whether the lab masquerades it towards the outside.
    pub use_nat: bool,
    /// Where the file asks for that.
    pub use_nat_place: Option<Place>,
    /// What happens to the frames that each interface on it sends.
    pub impair: Option<Impair>,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}
