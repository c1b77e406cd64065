//! The checked data center: what `plan` and `lab` work from. Only [`Cluster::load`] builds one.

mod files;

pub use files::{FileKind, FileRef, wrong_files};

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

/// Equal are clusters that say the same, in whatever words and files: places, texts and the order in
/// which files are mentioned do not count, the order of resources of a kind does.
impl PartialEq for Cluster {
    fn eq(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: &IndexMap<Name, T>, other: &IndexMap<Name, T>) -> bool {
            one.iter().eq(other)
        }
        let Self {
            networks,
            routers,
            nodes,
            boot_servers,
            images,
            device_classes,
            data_folders,
            feeds,
            sources: _,
            files,
            dialect: _,
        } = self;
        same(networks, &other.networks)
            && same(routers, &other.routers)
            && same(nodes, &other.nodes)
            && same(boot_servers, &other.boot_servers)
            && same(images, &other.images)
            && same(device_classes, &other.device_classes)
            && same(data_folders, &other.data_folders)
            && same(feeds, &other.feeds)
            && files::sorted(files) == files::sorted(&other.files)
    }
}

impl Cluster {
    /// Problems that show only later (a missing file, a feature that the host lacks), rendered with
    /// the lines of this cluster that asked for it.
    pub fn problems(&self, list: Vec<Problem>) -> Problems {
        Problems::new(self.sources.to_vec(), list)
    }
}
