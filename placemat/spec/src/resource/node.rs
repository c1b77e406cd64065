//! `kind: Node`: a server.

mod devices;
mod firmware;
mod hardware;
mod keys;
mod print;
mod processor;
mod read;
mod volume;

pub(crate) use keys::DOC;
pub(crate) use print::print;
pub(crate) use read::read;
pub use volume::{CacheMode, RawFormat, ShareProtocol, Volume, VolumeKind};

use super::{Interface, Labels, Name};
use crate::Place;
use crate::value::Uuid;
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::PathBuf;

/// How faithfully a server is simulated. All tiers share one face: BMC, DHCP lease, BGP, exec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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

/// What a server does when its power comes back (IPMI 2.0 section 28.8). Its BMC can be told
/// otherwise while the lab runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PowerRestore {
    /// On, whatever it was.
    AlwaysOn,
    /// As it was.
    #[default]
    Previous,
    /// Off.
    AlwaysOff,
}

/// Virtual CPUs: `sockets * dies * cores * threads == most`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpu {
    /// CPUs that are there at power-on, at least 1.
    pub count: u32,
    /// CPUs that could be plugged in, with those that are there.
    pub most: u32,
    /// Sockets.
    pub sockets: u32,
    /// Dies a socket.
    pub dies: u32,
    /// Cores a die.
    pub cores: u32,
    /// Threads a core.
    pub threads: u32,
    /// CPU model; without one, the accelerator's best.
    pub model: Option<CpuModel>,
}

impl Cpu {
    /// One socket with `count` cores.
    pub const fn flat(count: u32) -> Self {
        Self {
            count,
            most: count,
            sockets: 1,
            dies: 1,
            cores: count,
            threads: 1,
            model: None,
        }
    }

    /// Spreads the cores of a [`flat`](Self::flat) one over sockets, so that no socket is in two of
    /// `nodes` NUMA nodes: no server has such a one, and Linux complains of it.
    fn spread(&mut self, nodes: u32) {
        let (whole, cores) = (self.most.is_multiple_of(nodes), self.most / nodes);
        (self.sockets, self.cores) = if whole {
            (nodes, cores)
        } else {
            (self.most, 1)
        };
    }
}

/// `cpu-model:` of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuModel {
    /// A model of QEMU's, with features after it: `EPYC,+x2apic`.
    pub words: String,
    /// Where it stands.
    pub place: Place,
}

/// Memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// All of it, in MiB.
    pub mib: u64,
    /// Number of NUMA nodes that memory and CPUs are spread over; `None`: no NUMA.
    pub numa_nodes: Option<u32>,
    /// Where its size stands, or the node's name.
    pub place: Place,
}

/// `firmware:` of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// UEFI (OVMF) rather than BIOS.
    pub uefi: bool,
    /// The network comes before disks, where the boot order does not say otherwise.
    pub http_boot: bool,
    /// Secure Boot with enrolled keys; where that stands.
    pub secure_boot: Option<Place>,
    /// Variable store that the machine's own begins as a copy of; default: the distribution's.
    pub nvram: Option<PathBuf>,
}

/// One word of `boot-order:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootDevice {
    /// All NICs that no other word names.
    Network,
    /// All disks that no other word names.
    Disk,
    /// An interface or a volume.
    Named(Name),
}

/// What hangs on a server that QEMU runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devices {
    /// Pairs of queues of each NIC, at least 1.
    pub queues: u32,
    /// TPM 2.0; where the file asks for it.
    pub tpm: Option<Place>,
    /// A screen.
    pub video: bool,
    /// QEMU arguments of the file's own, after all others.
    pub qemu_args: Vec<String>,
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
    /// UUID; by default it follows from the serial.
    pub uuid: Uuid,
}

/// `bmc:` of a node.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
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
    /// Memory.
    pub memory: Memory,
    /// Firmware.
    pub firmware: Firmware,
    /// Ignition configuration.
    pub ignition: Option<PathBuf>,
    /// What firmware tries to boot, first to last; what it does not name comes after. Empty: as the
    /// firmware has it.
    pub boot_order: Vec<BootDevice>,
    /// SMBIOS strings.
    pub smbios: Smbios,
    /// Disks and shared folders, in order.
    pub volumes: Vec<Volume>,
    /// Queues, TPM, screen, QEMU arguments.
    pub devices: Devices,
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
    /// What it does when its power comes back.
    pub power_restore: PowerRestore,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}
