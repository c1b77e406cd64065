//! `volumes:` of a node.

mod keys;
mod print;
mod read;

pub(super) use keys::KEY;
pub(super) use print::print;
pub(super) use read::read;

use crate::Place;
use crate::resource::Name;
use std::path::PathBuf;

/// One disk or shared folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// Its name, unique in the node.
    pub name: Name,
    /// What is on it.
    pub kind: VolumeKind,
    /// How the host caches it.
    pub cache: CacheMode,
    /// Device class that its file lies in; by default the lab's data directory.
    pub device_class: Option<Name>,
    /// Where it stands.
    pub place: Place,
}

/// What is on a volume.
#[derive(Debug, Clone, PartialEq)]
pub enum VolumeKind {
    /// The disk of an image (for a bundle: its `disk.img`).
    Image {
        /// Image name.
        image: Name,
        /// A qcow2 overlay instead of a full copy.
        copy_on_write: bool,
    },
    /// A seed for cloud-init (NoCloud).
    Seed {
        /// Its `user-data`.
        user_data: PathBuf,
        /// Its `network-config`.
        network_config: Option<PathBuf>,
    },
    /// An empty disk.
    Raw {
        /// Size in bytes.
        size: u64,
        /// Format of its file.
        format: RawFormat,
    },
    /// A folder of the host, which the guest mounts by the volume's name.
    HostPath {
        /// Absolute path of the folder; made where it is missing.
        path: PathBuf,
        /// The guest may write.
        writable: bool,
        /// What host and guest speak.
        protocol: ShareProtocol,
    },
    /// A data folder as a read-only disk with one FAT16 partition.
    Folder {
        /// Data folder name.
        folder: Name,
    },
}

/// Format of the file of an empty disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RawFormat {
    /// QEMU's own.
    #[default]
    Qcow2,
    /// Plain bytes.
    Raw,
}

/// How the host caches a disk, in QEMU's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheMode {
    /// Around the host's page cache, where the file system can do that.
    #[default]
    None,
    /// Through the page cache.
    Writeback,
    /// Through the page cache, and every write flushed.
    Writethrough,
    /// Around the page cache, and every write flushed.
    Directsync,
    /// Through the page cache, and no write ever flushed.
    Unsafe,
}

/// How a guest reaches a folder of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShareProtocol {
    /// 9p over virtio, by QEMU itself.
    #[default]
    NineP,
    /// virtiofs, by `virtiofsd`.
    Virtiofs,
}
