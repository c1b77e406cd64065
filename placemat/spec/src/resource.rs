//! The kinds of resource, one file each: its checked type here, its YAML form and checks beside it.

mod boot_server;
mod image;
mod network;
mod node;
mod power;
mod router;

pub use boot_server::{BootEntry, BootServer, Dhcp, DhcpHost, DhcpRange};
pub use image::{Image, ImageSource};
pub use network::{Network, NetworkType};
pub use node::{Accel, Bmc, BmcFault, Cpu, Firmware, Node, Smbios, Tier, Volume, VolumeKind};
pub use power::Power;
pub use router::{App, Bird, Readiness, RestartPolicy, Router, RouterKind};

use crate::Place;
use crate::value::Mac;
use ipnet::IpNet;
use std::collections::BTreeMap;

/// A resource's name. Unique among all that can be a target (`router/x`, `node/x`, ...) of its kind.
pub type Name = String;

/// `labels:` of a resource. Selectors read only these and the kind's own fields.
pub type Labels = BTreeMap<String, String>;

/// One end of a link: an interface of a router, node or boot server.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Kernel name inside: `eth0`, `eth1`, ... in file order, unless given. At most 15 bytes.
    pub name: String,
    /// The network it is plugged into.
    pub network: Name,
    /// Static addresses, with prefix length.
    pub addresses: Vec<IpNet>,
    /// Fixed MAC; when absent, one is derived from resource name and index.
    pub mac: Option<Mac>,
    /// Where it stands in the file.
    pub place: Place,
}
