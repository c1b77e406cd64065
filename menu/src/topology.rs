//! The plan of a data center: every router, server, link, session and address by name. What is
//! rendered is rendered from this alone.

mod build;
mod fabric;
mod machines;

use serde::Serialize;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use ipnet::Ipv4Net;

/// A whole data center, planned. Racks, seats and NICs are in order everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// The image that servers boot.
    pub image: Image,
    /// Every network.
    pub networks: Vec<Network>,
    /// Spines, then the ToRs of each rack.
    pub routers: Vec<Router>,
    /// One a rack.
    pub boot_servers: Vec<BootServer>,
    /// Servers of each rack.
    pub servers: Vec<Server>,
    /// Failure domains.
    pub feeds: Vec<Feed>,
    /// What all sessions have in common.
    pub timers: Timers,
    /// Prefix that holds the loopbacks of all spines.
    pub spine_loopbacks: Ipv4Net,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub bundle: PathBuf,
}

/// A network; a link between two routers is one too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// The hub's address, on the BMC network only.
    pub bmc: Option<Ipv4Net>,
    /// The rack that it belongs to.
    pub rack: Option<u32>,
}

/// A plugged NIC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// `eth0`, `eth1`, ...
    pub name: String,
    /// Network that it is plugged into.
    pub network: String,
    /// Static address.
    pub address: Option<Ipv4Net>,
    /// Fixed MAC.
    pub mac: Option<String>,
}

/// What a router is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Joins racks.
    Spine,
    /// Top of rack.
    Tor,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spine => "spine",
            Self::Tor => "tor",
        })
    }
}

/// What speaks BGP: the part that routers, boot servers and servers share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Speaker {
    /// Name of the machine.
    pub name: String,
    /// Its ASN.
    pub asn: u32,
    /// Address on `lo`, router id, and source of what it sends.
    pub loopback: Ipv4Addr,
    /// Its sessions.
    pub sessions: Vec<Session>,
}

/// One BGP session, as one end sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Name of the neighbor, and of the protocol in BIRD.
    pub peer: String,
    /// What is at the other end.
    pub kind: PeerKind,
    /// Own address; none where it is leased.
    pub local: Option<Ipv4Addr>,
    /// The neighbor's address.
    pub neighbor: Ipv4Addr,
    /// The neighbor's ASN.
    pub asn: u32,
}

/// What is at the other end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PeerKind {
    /// A spine, seen by a ToR.
    Spine,
    /// A ToR.
    Tor,
    /// A boot server, seen by its ToR.
    Boot,
    /// A server, seen by its ToR.
    Server,
}

/// A spine or ToR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Router {
    /// Its routing.
    #[serde(flatten)]
    pub speaker: Speaker,
    /// What it is.
    pub role: Role,
    /// Its rack; spines have none.
    pub rack: Option<u32>,
    /// NICs.
    pub interfaces: Vec<Interface>,
    /// Its servers' segment, on a ToR.
    pub segment: Option<Segment>,
}

/// The servers' segment of a ToR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Interface of the ToR towards it.
    pub interface: String,
    /// Interface of the ToR towards the boot server.
    pub boot_interface: String,
    /// The ToR's address: gateway of the servers and `giaddr` of its DHCP relay.
    pub gateway: Ipv4Addr,
    /// Where its DHCP relay sends to: the loopback of the rack's boot server.
    pub dhcp_server: Ipv4Addr,
}

/// The boot server of a rack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BootServer {
    /// Its routing.
    #[serde(flatten)]
    pub speaker: Speaker,
    /// Its rack.
    pub rack: u32,
    /// NICs: one towards each ToR.
    pub interfaces: Vec<Interface>,
    /// What DHCP hands out, one a segment.
    pub ranges: Vec<DhcpRange>,
    /// Fixed leases.
    pub hosts: Vec<DhcpHost>,
    /// Machines that it boots.
    pub machines: Vec<Machine>,
}

/// What DHCP hands out on one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DhcpRange {
    /// The segment.
    pub subnet: Ipv4Net,
    /// First address for machines without a fixed lease.
    pub start: Ipv4Addr,
    /// Last one.
    pub end: Ipv4Addr,
    /// Gateway.
    pub router: Ipv4Addr,
}

/// A fixed lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DhcpHost {
    /// MAC of the NIC.
    pub mac: String,
    /// Its address.
    pub address: Ipv4Addr,
}

/// A machine that a boot server knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Its name, and of its folder under `boot/`.
    pub name: String,
    /// SMBIOS serial.
    pub serial: String,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its routing. A mock server has no sessions.
    #[serde(flatten)]
    pub speaker: Speaker,
    /// Its rack.
    pub rack: u32,
    /// Tier, as written.
    pub tier: &'static str,
    /// Whether it is a virtual machine, with processors, memory and firmware.
    pub virtual_machine: bool,
    /// Whether anything runs behind the BMC. Not so in a mock.
    pub runs: bool,
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory.
    pub memory: String,
    /// Image on its disk.
    pub disk: Option<String>,
    /// NICs: one towards each ToR.
    pub interfaces: Vec<Interface>,
    /// SMBIOS serial.
    pub serial: String,
    /// Its BMC.
    pub bmc: Bmc,
}

/// A server's BMC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bmc {
    /// Its address.
    pub address: Ipv4Addr,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// A power feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// Selectors of what is plugged into it.
    pub loads: Vec<String>,
    /// The rack that it feeds.
    pub rack: Option<u32>,
}

/// Timers of BFD (milliseconds) and BGP (seconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Timers {
    /// BFD: sent and expected this often.
    pub bfd_interval: u128,
    /// BFD: down after so many were missed.
    pub bfd_multiplier: u32,
    /// BGP hold time.
    pub hold: u64,
    /// Wait before and between connection attempts.
    pub connect: u64,
    /// Wait after a first error.
    pub error_wait: u64,
    /// Longest wait after errors.
    pub error_wait_max: u64,
}
