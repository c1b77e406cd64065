//! The kinds of resource, one file each: its checked type, and in `<kind>/read.rs` how it is read
//! from YAML. Readers report what is wrong and go on with a stand-in, which nobody sees, since a
//! cluster with errors is never given out.

pub(crate) mod boot_server;
pub(crate) mod data_folder;
pub(crate) mod device_class;
pub(crate) mod image;
mod impair;
mod interface;
mod labels;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod power;
pub(crate) mod router;

pub use boot_server::{
    BootEntry, BootFaults, BootMethod, BootOf, BootRecipe, BootServer, Dhcp, DhcpFault, DhcpHost,
    DhcpRange, HttpFault, NodeIndex, SLOW_DELAY, SLOW_RATE,
};
pub use data_folder::{DataFolder, FileSource, FolderContent, FolderFile};
pub use device_class::DeviceClass;
pub use image::{Compression, Image, ImageSource};
pub use impair::{Effect, Effects, Impair};
pub use interface::Interface;
pub use labels::Labels;
pub use network::{Network, NetworkType};
pub use node::{
    Accel, Bmc, BmcFault, BootDevice, CacheMode, Cpu, CpuModel, Devices, Firmware, Memory, Node,
    PowerRestore, RawFormat, ShareProtocol, Smbios, Tier, Volume, VolumeKind,
};
pub use power::{Power, PowerType};
pub use router::{
    App, Bird, Limits, OciImage, OciSource, PodApp, PodMount, PodVolume, PodVolumeKind, Readiness,
    RestartPolicy, Router, RouterKind,
};

/// A resource's name. Unique among all that can be a target (`router/x`, `node/x`, ...) of its kind.
pub type Name = String;
