//! The rack spec, `kind: DataCenter`: the compact description that a person writes.
//!
//! Types here are checked one by one (names exist, numbers are in range); that the pools reach is
//! the allocator's business.

mod read;
mod servers;

pub use read::{is_rack_spec, read};

use indexmap::IndexMap;
use ipnet::Ipv4Net;
use placemat_spec::Place;
use placemat_spec::resource::Tier;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

/// A whole data center, as written.
#[derive(Debug, Clone)]
pub struct DataCenter {
    /// Its name.
    pub name: String,
    /// Number of spines, at least 1.
    pub spines: u32,
    /// ToRs in each rack: 1 or 2.
    pub tors: u32,
    /// Server types by name.
    pub types: IndexMap<String, ServerType>,
    /// Racks in order, runs expanded.
    pub racks: Vec<Rack>,
    /// Where the `racks` key stands, for what concerns all of them.
    pub racks_place: Place,
    /// The spines' ASN; rack `r` has this plus `r`.
    pub asn_base: AsnBase,
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
}

/// `asn-base`.
#[derive(Debug, Clone, Copy)]
pub struct AsnBase {
    /// The ASN.
    pub number: u32,
    /// Where it stands; the rack spec's kind where it is the default.
    pub place: Place,
}

/// One rack.
#[derive(Debug, Clone, Default)]
pub struct Rack {
    /// Names of the types of its servers, in order, runs expanded.
    pub servers: Vec<String>,
}

/// A type of server.
#[derive(Debug, Clone, Default)]
pub struct ServerType {
    /// How faithfully it is simulated.
    pub tier: Tier,
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory, as QEMU writes it: `512M`.
    pub memory: String,
    /// Name of the image on its disk, a copy-on-write overlay; none: no disk.
    pub disk: Option<String>,
}

/// Where addresses come from.
#[derive(Debug, Clone, Copy)]
pub struct Pools {
    /// Loopbacks and server segments of racks.
    pub node: Pool,
    /// Point-to-point links.
    pub fabric: Pool,
    /// Loopbacks of spines.
    pub loopback: Pool,
    /// BMCs.
    pub bmc: Pool,
}

/// One pool.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// All of it.
    pub prefix: Ipv4Net,
    /// Where it stands; nowhere where it is the default.
    pub place: Option<Place>,
}

/// BFD timers.
#[derive(Debug, Clone, Copy)]
pub struct Bfd {
    /// Sent and expected this often; whole milliseconds.
    pub interval: Duration,
    /// Down after so many were missed.
    pub multiplier: u32,
}

/// BGP timers; whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct Bgp {
    /// Hold time.
    pub hold: Duration,
    /// Wait before the first connection attempt, and between attempts.
    pub connect: Duration,
    /// Wait after a first error; it doubles up to four times this.
    pub error_wait: Duration,
}

/// The image that servers boot.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// Its folder, resolved against the folder of the rack spec.
    pub bundle: PathBuf,
}

/// Account on every BMC.
#[derive(Debug, Clone)]
pub struct BmcAccount {
    /// User name.
    pub user: String,
    /// Password, 1 to 20 bytes (IPMI 2.0).
    pub password: String,
}

impl Pools {
    /// Every pool with its key, in the order of the documentation.
    pub fn all(&self) -> [(&'static str, Pool); 4] {
        [
            ("node", self.node),
            ("fabric", self.fabric),
            ("loopback", self.loopback),
            ("bmc", self.bmc),
        ]
    }

    /// What a rack spec that does not name pool `key` gets: room for 254 spines and 341 racks.
    pub fn default_prefix(key: &str) -> Ipv4Net {
        let (address, len) = match key {
            "node" => ([10, 69, 0, 0], 16),
            "fabric" => ([10, 70, 0, 0], 16),
            "loopback" => ([10, 71, 0, 0], 24),
            _ => ([10, 72, 0, 0], 16),
        };
        Ipv4Net::new_assert(Ipv4Addr::from(address), len)
    }
}
