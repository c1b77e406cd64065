//! The checked data center: what `plan` and `lab` work from. Only the loader builds one.

use crate::resource::{BootServer, Image, Name, Network, Node, Power, Router};
use indexmap::IndexMap;

/// A checked, immutable data center. Every name that one resource gives of another exists.
/// Maps keep the order of the files.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// L2 networks.
    pub networks: IndexMap<Name, Network>,
    /// BIRD router containers, and network namespaces (routers without a container).
    pub routers: IndexMap<Name, Router>,
    /// Servers, of any tier.
    pub nodes: IndexMap<Name, Node>,
    /// DHCP and HTTP boot servers.
    pub boot_servers: IndexMap<Name, BootServer>,
    /// Boot and disk images.
    pub images: IndexMap<Name, Image>,
    /// Power feeds: what is plugged where.
    pub feeds: IndexMap<Name, Power>,
}
