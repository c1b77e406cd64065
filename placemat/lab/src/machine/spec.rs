//! What a virtual machine is made of, resolved to files: no lookups are left to do.

use super::boot_order::Bootable;
use placemat_host::probe::accel::Accelerator;
use placemat_host::probe::firmware::FirmwareFile;
use placemat_spec::resource::{Cpu, Smbios};
use placemat_spec::value::Mac;
use std::path::PathBuf;

/// A virtual machine. Paths are absolute and UTF-8.
#[derive(Debug, Clone)]
pub struct MachineSpec {
    /// Node name.
    pub name: String,
    /// QEMU's program.
    pub qemu: PathBuf,
    /// How it runs instructions.
    pub accelerator: Accelerator,
    /// Virtual CPUs.
    pub cpu: Cpu,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// NUMA nodes that memory and CPUs are spread over.
    pub numa_nodes: Option<u32>,
    /// What runs first.
    pub firmware: MachineFirmware,
    /// A kernel that firmware starts instead of what disks and networks hold (tier `kernel`).
    pub kernel: Option<DirectKernel>,
    /// SMBIOS type 1 strings.
    pub smbios: Smbios,
    /// Ignition configuration, for whoever reads fw_cfg.
    pub ignition: Option<PathBuf>,
    /// MAC of each NIC, in order. Taps are given in the same order.
    pub nics: Vec<Mac>,
    /// MTU in bytes of the link of each NIC, which its guest is told; `None`: it is not.
    pub mtus: Vec<Option<u32>>,
    /// Pairs of queues of each NIC.
    pub queues: u32,
    /// Whether the kernel moves the NICs' frames (vhost-net).
    pub vhost: bool,
    /// Disks, in order.
    pub disks: Vec<Disk>,
    /// Shared folders, in order.
    pub shares: Vec<Share>,
    /// Every NIC and disk in the machine's own boot order.
    pub boot_order: Vec<Bootable>,
    /// TPM 2.0.
    pub tpm: Option<Tpm>,
    /// VNC socket of its screen; `None`: it has no screen.
    pub video: Option<PathBuf>,
    /// QEMU arguments of the file's own, after all others.
    pub arguments: Vec<String>,
    /// The serial console's log; it has everything since the lab started.
    pub console_log: PathBuf,
    /// What QEMU itself says.
    pub qemu_log: PathBuf,
}

/// What runs first in a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineFirmware {
    /// UEFI.
    Uefi {
        /// OVMF's code.
        code: FirmwareFile,
        /// This machine's own variable store.
        vars: FirmwareFile,
        /// Starts only what is signed with a key that the variable store has.
        secure_boot: bool,
        /// Whether it looks for boot servers over IPv6, too: more than a minute where there is none.
        ipv6: bool,
    },
    /// QEMU's BIOS.
    Bios,
}

/// A TPM 2.0, emulated by swtpm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tpm {
    /// swtpm's program.
    pub program: PathBuf,
    /// Folder with its state.
    pub state: PathBuf,
    /// What swtpm says.
    pub log: PathBuf,
}

/// A kernel that QEMU loads itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectKernel {
    /// Kernel.
    pub kernel: PathBuf,
    /// Initial RAM disk.
    pub initrd: PathBuf,
    /// Command line.
    pub command_line: String,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Its file or, for a disk of format [`Fat`](DiskFormat::Fat), its folder.
    pub path: PathBuf,
    /// The file's format.
    pub format: DiskFormat,
    /// How the host caches it.
    pub cache: DiskCache,
    /// Firmware looks for a system on it.
    pub bootable: bool,
}

impl Disk {
    /// A disk that a system may be on, cached as the host likes.
    pub fn new(path: PathBuf, format: DiskFormat) -> Self {
        Self {
            path,
            format,
            cache: DiskCache::default(),
            bootable: true,
        }
    }
}

/// Format of a disk's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFormat {
    /// Plain bytes.
    Raw,
    /// QEMU's own.
    Qcow2,
    /// A folder, which QEMU shows as a read-only disk with one FAT16 partition.
    Fat,
}

impl DiskFormat {
    /// QEMU's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Fat => "vvfat",
        }
    }
}

/// How the host caches a disk; what QEMU's cache modes come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiskCache {
    /// Around the host's page cache, with the kernel's own asynchronous I/O.
    pub direct: bool,
    /// Every write is flushed before the guest hears that it is done.
    pub write_through: bool,
    /// What the guest flushes is not.
    pub no_flush: bool,
}

/// A folder of the host that the guest mounts by its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Mount tag.
    pub tag: String,
    /// The folder.
    pub path: PathBuf,
    /// The guest may write.
    pub writable: bool,
    /// How it gets there.
    pub carrier: Carrier,
}

/// What carries a shared folder to the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// QEMU itself, by 9p.
    NineP,
    /// `virtiofsd`, by virtiofs.
    Virtiofs {
        /// The program.
        daemon: PathBuf,
        /// The socket on which QEMU finds it, made anew for each life.
        socket: PathBuf,
    },
}

/// What a boot tries first. What is not first still comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BootTarget {
    /// NICs, by whatever the firmware does with them: UEFI boots over HTTP.
    Network,
    /// Disks.
    Disk,
}
