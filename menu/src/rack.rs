//! The rack spec, `kind: DataCenter`: the compact description that a person writes.
//!
//! Types here are checked one by one (names exist, numbers are in range); that the pools reach is
//! the allocator's business. [`keys`] has every key; the reference is printed from it.

mod asn;
mod core;
pub mod keys;
mod layout;
mod pools;
mod power;
mod read;
mod servers;
mod timers;
mod unicast;

pub use asn::{Asn, AsnScheme};
pub use core::{Core, Exposed};
pub use pools::{Pool, Pools};
pub use power::Power;
pub use read::{is_rack_spec, look, read};
pub use timers::{Bfd, Bgp};

use indexmap::IndexMap;
use placemat_spec::Place;
use placemat_spec::document::At;
use placemat_spec::resource::Tier;
use serde::Serialize;
use std::path::PathBuf;

/// A whole data center, as written.
#[derive(Debug, Clone)]
pub struct DataCenter {
    /// Its name.
    pub name: String,
    /// Number of spines, of each pod where there are pods; at least 1.
    pub spines: u32,
    /// Number of super-spines; 0 where there are no pods.
    pub super_spines: u32,
    /// Number of pods; 0 where the spines join all racks.
    pub pods: u32,
    /// Families of addresses.
    pub family: Family,
    /// Server types by name.
    pub types: IndexMap<String, ServerType>,
    /// Racks in order, runs expanded.
    pub racks: Vec<Rack>,
    /// Where the `racks` or `pods` key stands, for what concerns all of them.
    pub racks_place: Place,
    /// How ASNs are given.
    pub asn: Asn,
    /// Where addresses come from.
    pub pools: Pools,
    /// BFD on every session.
    pub bfd: Bfd,
    /// BGP timers of every session.
    pub bgp: Bgp,
    /// What servers boot.
    pub image: Image,
    /// Account on every BMC.
    pub bmc: BmcAccount,
    /// The core router and what lies behind it.
    pub core: Option<Core>,
    /// Ranges that the core is told of besides the pools.
    pub exposed: Vec<Exposed>,
    /// Feeds and PDUs; without it each rack has a feed of its own.
    pub power: Option<Power>,
    /// What serves boots.
    pub boot: Boot,
    /// Folder of templates in place of built-in ones, resolved against the folder of the rack spec.
    pub templates: Option<At<PathBuf>>,
}

impl DataCenter {
    /// Whether machines have IPv6 addresses.
    pub fn has_ipv6(&self) -> bool {
        self.family != Family::Ipv4
    }

    /// ToRs of a rack, numbered from 1.
    pub fn tors(&self, rack: u32) -> u32 {
        self.rack(rack).map_or(0, |rack| rack.tors)
    }

    /// A rack, numbered from 1.
    pub fn rack(&self, rack: u32) -> Option<&Rack> {
        self.racks.get((rack as usize).checked_sub(1)?)
    }

    /// The pod of a rack.
    pub fn pod(&self, rack: u32) -> Option<u32> {
        self.rack(rack)?.pod
    }
}

/// Families of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4 only.
    Ipv4,
    /// Links have IPv6 addresses only, and carry IPv4 routes too (RFC 8950).
    Ipv6,
    /// Both, with a session of each.
    Dual,
}

/// What serves boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// A `BootServer` in each rack.
    BuiltIn,
    /// sabakan, which the user runs.
    Sabakan,
}

/// One rack.
#[derive(Debug, Clone, Default)]
pub struct Rack {
    /// Where its run stands.
    pub place: Place,
    /// Names of the types of its servers, in order, runs expanded.
    pub servers: Vec<At<String>>,
    /// ToRs: 1 or 2.
    pub tors: u32,
    /// Where their number stands; nowhere where it is the default.
    pub tors_place: Option<Place>,
    /// Its pod, numbered from 1.
    pub pod: Option<u32>,
}

/// A type of server.
#[derive(Debug, Clone, Default)]
pub struct ServerType {
    /// How faithfully it is simulated.
    pub tier: Tier,
    /// What its servers are labelled.
    pub role: String,
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory, as QEMU writes it: `512M`.
    pub memory: String,
    /// Name of the image on its disk, a copy-on-write overlay; none: no disk.
    pub disk: Option<String>,
    /// NICs, 1 or 2; none: one towards each ToR of the rack.
    pub nics: Option<u32>,
}

/// The image that servers boot.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// Its folder, resolved against the folder of the rack spec.
    pub bundle: At<PathBuf>,
}

/// Account on every BMC.
#[derive(Debug, Clone)]
pub struct BmcAccount {
    /// User name.
    pub user: String,
    /// Password, 1 to 20 bytes (IPMI 2.0).
    pub password: String,
}
