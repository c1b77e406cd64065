//! `kind: Node`: a server.

mod hardware;
mod read;
mod volume;

pub(crate) use read::read;
pub use volume::{CacheMode, RawFormat, ShareProtocol, Volume, VolumeKind};

use super::{Interface, Labels, Name};
use crate::Place;
use ipnet::IpNet;
use std::net::IpAddr;

/// How faithfully a server is simulated. All tiers share one face: BMC, DHCP lease, BGP, exec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// QEMU with UEFI firmware, booting from the network or a disk.
    #[default]
    Full,
    /// QEMU with direct kernel boot of the same image.
    Kernel,
    /// The same services as processes in a namespace whose root is the unpacked image.
    Netns,
    /// A chassis and a BMC, nothing behind them.
    Mock,
}

/// Accelerator wish of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accel {
    /// Whatever the probe found to work.
    #[default]
    Auto,
    /// KVM or an error.
    Kvm,
    /// TCG, always.
    Tcg,
}

/// Virtual CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    /// Number of virtual CPUs, at least 1.
    pub count: u32,
}

/// `firmware:` of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firmware {
    /// UEFI (OVMF) rather than BIOS.
    pub uefi: bool,
    /// Boots over HTTP when the boot order says network.
    pub http_boot: bool,
}

/// `smbios:` type 1 strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smbios {
    /// Manufacturer.
    pub manufacturer: Option<String>,
    /// Product.
    pub product: Option<String>,
    /// Serial; by default the hex SHA-1 of the node's name, as placemat v2 does.
    pub serial: String,
}

/// `bmc:` of a node.
#[derive(Debug, Clone)]
pub struct Bmc {
    /// Address on a network of type `bmc`.
    pub address: IpAddr,
    /// The network of type `bmc` that holds it.
    pub network: Name,
    /// User name; default `admin`.
    pub user: String,
    /// Password, 1 to 20 bytes; default `placemat`.
    pub password: String,
    /// A fault built in from the start, for negative controls.
    pub fault: Option<BmcFault>,
    /// Where the address stands.
    pub place: Place,
}

/// Faults of a BMC that a file can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BmcFault {
    /// Accepts power commands, says they happened, and does nothing.
    LiesAboutPower,
}

/// A checked `Node`.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: Name,
    /// How faithfully it is simulated.
    pub tier: Tier,
    /// NICs, in order.
    pub interfaces: Vec<Interface>,
    /// Addresses that its own BIRD announces; what `reachable` checks speak to. The node learns
    /// them from its boot entry, so they are not configured by the lab.
    pub loopback: Vec<IpNet>,
    /// Virtual CPUs.
    pub cpu: Cpu,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Firmware.
    pub firmware: Firmware,
    /// SMBIOS strings.
    pub smbios: Smbios,
    /// Disks and shared folders, in order.
    pub volumes: Vec<Volume>,
    /// BMC.
    pub bmc: Option<Bmc>,
    /// Image whose rootfs a `netns` node runs (and whose kernel a `kernel` node boots).
    pub image: Option<Name>,
    /// Accelerator.
    pub accel: Accel,
    /// Nodes and routers that must be up first.
    pub depends_on: Vec<Name>,
    /// Powered on when the lab starts; default true.
    pub autostart: bool,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}
