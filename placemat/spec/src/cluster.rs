//! The checked data center: what `plan` and `lab` work from. Only [`Cluster::load`] builds one.

mod files;

pub use files::{FileKind, FileRef};

use crate::document::Dialect;
use crate::resource::{
    BootServer, DataFolder, DeviceClass, Image, Name, Network, Node, Power, Router,
};
use crate::{Problem, Problems, Source};
use indexmap::IndexMap;
use std::sync::Arc;

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
    /// Folders on chosen disks of the host, for volumes.
    pub device_classes: IndexMap<Name, DeviceClass>,
    /// Files for volumes of kind `vvfat`.
    pub data_folders: IndexMap<Name, DataFolder>,
    /// Power feeds: what is plugged where.
    pub feeds: IndexMap<Name, Power>,
    /// By whose rules it was read; what a file leaves out is theirs, too.
    pub dialect: Dialect,
    /// The texts it was read from, which every [`Place`](crate::Place) in it points into.
    pub sources: Arc<[Source]>,
    /// Every file and folder that it mentions.
    pub files: Vec<FileRef>,
}

impl Cluster {
    /// Problems that show only later (a missing file, a feature that the host lacks), rendered with
    /// the lines of this cluster that asked for it.
    pub fn problems(&self, list: Vec<Problem>) -> Problems {
        Problems::new(self.sources.to_vec(), list)
    }
}
