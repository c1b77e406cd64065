//! `kind: BootServer`: DHCP and HTTP for UEFI HTTP boot, in a network namespace of its own.

mod dhcp;
mod entry;
mod fault;
mod keys;
mod print;
mod read;

pub use entry::{BootEntry, BootMethod, BootOf, BootRecipe, NodeIndex};
pub use fault::{BootFaults, DhcpFault, HttpFault, SLOW_DELAY, SLOW_RATE};
pub(crate) use keys::DOC;
pub(crate) use print::print;
pub(crate) use read::read;

use super::{Bird, Interface, Labels, Name};
use crate::Place;
use crate::document::At;
use crate::value::Mac;
use ipnet::{IpNet, Ipv4Net};
use std::net::Ipv4Addr;
use std::time::Duration;

/// A checked `BootServer`.
#[derive(Debug, Clone, PartialEq)]
pub struct BootServer {
    /// Its name.
    pub name: Name,
    /// Its interfaces, in order.
    pub interfaces: Vec<Interface>,
    /// Addresses on `lo`. The first is where DHCP relays send to and where HTTP is served.
    pub loopback: Vec<IpNet>,
    /// Its routing daemon.
    pub bird: Option<Bird>,
    /// DHCP.
    pub dhcp: Dhcp,
    /// TCP port of HTTP; default 80.
    pub http_port: u16,
    /// Image that machines without one of their own boot.
    pub image: Name,
    /// What firmware is handed unless a machine's entry says otherwise.
    pub boot: BootMethod,
    /// Kernel parameters of machines whose entries give none.
    pub kernel_params: Option<At<Vec<String>>>,
    /// Entries for machines.
    pub machines: Vec<BootEntry>,
    /// How it misbehaves from the start.
    pub faults: BootFaults,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}

/// `dhcp:` of a boot server.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dhcp {
    /// One per relayed subnet.
    pub ranges: Vec<DhcpRange>,
    /// Fixed addresses by MAC.
    pub hosts: Vec<DhcpHost>,
}

/// A pool for one relayed subnet.
#[derive(Debug, Clone, PartialEq)]
pub struct DhcpRange {
    /// The subnet; the relay's `giaddr` is in it.
    pub subnet: Ipv4Net,
    /// First address handed out.
    pub start: Ipv4Addr,
    /// Last address handed out.
    pub end: Ipv4Addr,
    /// Default gateway (option 3).
    pub router: Option<Ipv4Addr>,
    /// Lease time; default 1 h.
    pub lease: Duration,
    /// Where it stands.
    pub place: Place,
}

/// A fixed address.
#[derive(Debug, Clone, PartialEq)]
pub struct DhcpHost {
    /// MAC of the NIC.
    pub mac: Mac,
    /// Its address, inside one of the ranges' subnets.
    pub address: Ipv4Addr,
    /// Where it stands.
    pub place: Place,
}
