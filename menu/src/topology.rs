//! The plan of a data center: every router, server, link, session and address by name. What is
//! rendered is rendered from this alone, and its fields are what templates see.

#[macro_use]
mod speaks;
mod build;
mod core;
mod fabric;
mod links;
mod machines;
mod power;
mod switches;

pub use crate::rack::{AsnScheme, Boot, Family};
pub(crate) use core::SETUP;

use crate::List;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// A whole data center, planned. Racks, seats and NICs are in order everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// The image that servers boot.
    pub image: Image,
    /// Families of addresses.
    pub family: Family,
    /// What has an ASN of its own.
    pub asn_scheme: AsnScheme,
    /// What serves boots.
    pub boot: Boot,
    /// Where addresses come from: pools, and ranges that are exposed.
    pub prefixes: Vec<Prefix>,
    /// Every network.
    pub networks: List<Network>,
    /// Super-spines, spines, the ToRs of each rack, then the core and what lies behind it.
    pub routers: List<Router>,
    /// One a rack.
    pub boot_servers: List<BootServer>,
    /// Servers of each rack.
    pub servers: List<Server>,
    /// Failure domains: feeds, then PDUs.
    pub feeds: Vec<Feed>,
    /// Services of the core.
    pub services: Services,
    /// What all sessions have in common.
    pub timers: Timers,
    /// Prefix that holds the loopbacks of all spines and super-spines.
    pub spine_loopbacks: Ipv4Net,
    /// The same in IPv6.
    pub spine_loopbacks6: Option<Ipv6Net>,
}

/// A pool, or a range that is exposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prefix {
    /// Its key in the rack spec.
    pub name: String,
    /// All of it.
    pub prefix: IpNet,
    /// Whether the core is told of it as a whole.
    pub aggregate: bool,
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
    /// What it is for: `bmc`, `link`, `boot`, `node`, `internet`, `external`, `operation`.
    pub role: &'static str,
    /// The hub's address, on the BMC network only.
    pub bmc: Option<Ipv4Net>,
    /// The hub's addresses where it leads out behind NAT.
    pub outside: Vec<IpNet>,
    /// The rack that it belongs to.
    pub rack: Option<u32>,
    /// The pod that it belongs to.
    pub pod: Option<u32>,
}

/// A plugged NIC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// `eth0`, `eth1`, ...
    pub name: String,
    /// Network that it is plugged into.
    pub network: String,
    /// Static IPv4 address.
    pub address: Option<Ipv4Net>,
    /// IPv6 address; a server's is made by itself from its MAC.
    pub address6: Option<Ipv6Net>,
    /// Fixed MAC.
    pub mac: Option<String>,
}

/// What a router is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Joins pods.
    SuperSpine,
    /// Joins racks.
    Spine,
    /// Top of rack.
    Tor,
    /// Above the fabric.
    Core,
    /// Behind the core, outside of the data center.
    External,
    /// Behind the core, where operators sit.
    Operation,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SuperSpine => "super-spine",
            Self::Spine => "spine",
            Self::Tor => "tor",
            Self::Core => "core",
            Self::External => "external",
            Self::Operation => "operation",
        })
    }
}

/// What speaks BGP: the part that routers, boot servers and servers share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Speaker {
    /// Name of the machine.
    pub name: String,
    /// Its ASN; 0 where it speaks no BGP.
    pub asn: u32,
    /// Address on `lo`, router id, and source of what it sends.
    pub loopback: Ipv4Addr,
    /// The same in IPv6.
    pub loopback6: Option<Ipv6Addr>,
    /// More addresses on `lo` that it announces: a bastion's, a service's.
    pub addresses: Vec<IpAddr>,
    /// Its sessions.
    pub sessions: Vec<Session>,
}

/// One BGP session, as one end sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Name of the protocol in BIRD: the neighbor's, with `-ipv6` on the second one to it.
    pub name: String,
    /// Name of the neighbor.
    pub peer: String,
    /// What is at the other end.
    pub kind: PeerKind,
    /// Own address; none where it is not given from here.
    pub local: Option<IpAddr>,
    /// The neighbor's address.
    pub neighbor: IpAddr,
    /// The neighbor's ASN.
    pub asn: u32,
    /// Families of the routes that it carries: `ipv4`, `ipv6`.
    pub channels: Vec<&'static str>,
}

/// What is at the other end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerKind {
    /// The core, seen by the switches below it.
    Core,
    /// A spine or super-spine, seen by the core.
    Switch,
    /// A super-spine, seen by a spine.
    SuperSpine,
    /// A spine, seen by a ToR or super-spine.
    Spine,
    /// A ToR.
    Tor,
    /// A boot server, seen by its ToR.
    Boot,
    /// A server, seen by its ToR.
    Server,
}

/// A switch, the core, or a router behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Router {
    /// Its routing.
    pub speaker: Speaker,
    /// What it is.
    pub role: Role,
    /// Its rack; spines have none.
    pub rack: Option<u32>,
    /// Its pod.
    pub pod: Option<u32>,
    /// NICs.
    pub interfaces: Vec<Interface>,
    /// Its servers' segment, on a ToR.
    pub segment: Option<Segment>,
    /// Where its static default routes lead, at most one of each family.
    pub gateways: Vec<IpAddr>,
    /// What it tells the core of as a whole.
    pub aggregates: Vec<IpNet>,
    /// Interfaces whose subnets it announces.
    pub announced: Vec<String>,
    /// Scripts that run before its programs.
    pub init_scripts: Vec<&'static str>,
    /// Programs besides BIRD and the DHCP relay of a segment.
    pub apps: Vec<App>,
}

speaks!(Router {
    role,
    rack,
    pod,
    interfaces,
    segment,
    gateways,
    aggregates,
    announced,
    init_scripts,
    apps
});

/// Services of the core, and who may use them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Services {
    /// Address of the HTTP proxy.
    pub proxy: Option<Ipv4Addr>,
    /// Address of the NTP server.
    pub ntp: Option<Ipv4Addr>,
    /// Whether they run on the core; else only their configuration is written.
    pub run: bool,
    /// Where those who may use them are.
    pub clients: Vec<Ipv4Net>,
}

/// A program of a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct App {
    /// Its name.
    pub name: &'static str,
    /// Program and arguments.
    pub command: Vec<String>,
    /// `always`, `on-failure` or `never`.
    pub restart: &'static str,
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
    /// IPv6 prefix of which servers make their addresses.
    pub prefix6: Option<Ipv6Net>,
    /// Where its DHCP relay sends to: the loopback of the rack's boot server.
    pub dhcp_server: Ipv4Addr,
}

/// The boot server of a rack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootServer {
    /// Its routing.
    pub speaker: Speaker,
    /// Its rack.
    pub rack: u32,
    /// The pod of its rack.
    pub pod: Option<u32>,
    /// NICs: one towards each ToR.
    pub interfaces: Vec<Interface>,
    /// What DHCP hands out, one a segment.
    pub ranges: Vec<DhcpRange>,
    /// Fixed leases.
    pub hosts: Vec<DhcpHost>,
    /// Machines that it boots.
    pub machines: Vec<Machine>,
}

speaks!(BootServer {
    rack,
    pod,
    interfaces,
    ranges,
    hosts,
    machines
});

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its routing. A mock server has no sessions.
    pub speaker: Speaker,
    /// Its rack.
    pub rack: u32,
    /// The pod of its rack.
    pub pod: Option<u32>,
    /// Its label, and part of its name.
    pub role: String,
    /// Name of its type in the rack spec.
    pub kind: String,
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
    /// NICs: one towards each ToR, or one in all.
    pub interfaces: Vec<Interface>,
    /// SMBIOS serial.
    pub serial: String,
    /// Its BMC.
    pub bmc: Bmc,
}

speaks!(Server {
    rack,
    pod,
    role,
    kind,
    tier,
    virtual_machine,
    runs,
    cpu,
    memory,
    disk,
    interfaces,
    serial,
    bmc
});

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

/// A power feed or PDU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// Whether it is a PDU, which feeds feed.
    pub pdu: bool,
    /// The feed that a PDU hangs on, where it is one alone: `a` or `b`.
    pub feed: Option<&'static str>,
    /// Selectors of what is plugged into it.
    pub loads: Vec<String>,
    /// The rack that it feeds.
    pub rack: Option<u32>,
    /// The pod whose spines it feeds.
    pub pod: Option<u32>,
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
