//! What a virtual machine is made of, resolved to files: no lookups are left to do.

use placemat_host::probe::accel::Accelerator;
use placemat_spec::resource::Smbios;
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
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// What runs first.
    pub firmware: MachineFirmware,
    /// A kernel that firmware starts instead of what disks and networks hold (tier `kernel`).
    pub kernel: Option<DirectKernel>,
    /// SMBIOS type 1 strings.
    pub smbios: Smbios,
    /// MAC of each NIC, in order. Taps are given in the same order.
    pub nics: Vec<Mac>,
    /// Disks, in order.
    pub disks: Vec<Disk>,
    /// What is tried first when nothing else is asked for.
    pub boot_first: BootTarget,
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
        code: PathBuf,
        /// This machine's own variable store.
        vars: PathBuf,
    },
    /// QEMU's BIOS.
    Bios,
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
    /// Its file.
    pub path: PathBuf,
    /// The file's format.
    pub format: DiskFormat,
}

/// Format of a disk's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFormat {
    /// Plain bytes.
    Raw,
    /// QEMU's own, here always an overlay.
    Qcow2,
}

impl DiskFormat {
    /// QEMU's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

/// What a boot tries first. What is not first still comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BootTarget {
    /// NICs, by whatever the firmware does with them: UEFI boots over HTTP.
    Network,
    /// Disks.
    Disk,
}
