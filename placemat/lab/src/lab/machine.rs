//! From a node of tier `full` or `kernel` to a virtual machine: files, firmware, taps.

use super::LabError;
use super::build::Workshop;
use crate::error::chain;
use crate::machine::{
    BootTarget, DirectKernel, Machine, MachineFirmware, MachineSetup, MachineSpec, make_vars,
};
use crate::plan::derived_mac;
use crate::server::BootTrack;
use placemat_host::probe::accel::{self, AccelReport, Accelerator};
use placemat_host::probe::{firmware, program};
use placemat_spec::Cluster;
use placemat_spec::resource::{Accel, ImageSource, Name, Node, Tier};
use placemat_spec::selector::{Target, TargetKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long firmware that found nothing to boot waits before it tries again.
const BOOT_RETRY: Duration = Duration::from_secs(5);

/// What this host has for virtual machines.
#[derive(Debug, Clone)]
pub(super) struct Qemu {
    pub(super) path: PathBuf,
    pub(super) accel: AccelReport,
}

/// Looks for QEMU and probes its accelerators, if the cluster has any use for them.
pub(super) async fn find_qemu(cluster: &Cluster, cache: &Path) -> Result<Option<Qemu>, LabError> {
    if !cluster
        .nodes
        .values()
        .any(|node| matches!(node.tier, Tier::Full | Tier::Kernel))
    {
        return Ok(None);
    }
    let found = tokio::task::spawn_blocking(|| program::find("qemu-system-x86_64"))
        .await
        .map_err(|error| LabError(error.to_string()))?
        .map_err(|error| LabError(error.to_string()))?;
    let accel = accel::probe(&found, &cache.join("accel.json")).await;
    Ok(Some(Qemu {
        path: found.path,
        accel,
    }))
}

impl Workshop {
    pub(super) fn machine(&self, node: &Node, track: &BootTrack) -> Result<Machine, LabError> {
        let failed = |act: &str, error: &dyn std::error::Error| {
            LabError(format!("node/{}: {act}: {}", node.name, chain(error)))
        };
        let Some(qemu) = &self.qemu else {
            return Err(LabError(format!(
                "node/{}: QEMU was not looked for",
                node.name
            )));
        };
        let target = Target::new(TargetKind::Node, &node.name);
        let taps = self
            .wiring
            .taps(&target)
            .map_err(|error| failed("make its NICs", &error))?;
        let data = self.data_dir.join("nodes").join(&node.name);
        let logs = self
            .run_dir
            .join("logs")
            .join(format!("node-{}", node.name));
        for dir in [&data, &logs] {
            std::fs::create_dir_all(dir).map_err(|error| failed("create its folder", &error))?;
        }
        let firmware = if node.firmware.uefi {
            let ovmf = firmware::find().map_err(|error| failed("find UEFI firmware", &error))?;
            let vars = make_vars(&data, &ovmf.vars)
                .map_err(|error| failed("make its variable store", &error))?;
            MachineFirmware::Uefi {
                code: ovmf.code,
                vars,
            }
        } else {
            MachineFirmware::Bios
        };
        let (disks, shares) = self.storage(node, &data)?;
        let spec = MachineSpec {
            name: node.name.clone(),
            qemu: qemu.path.clone(),
            accelerator: match node.accel {
                Accel::Auto => qemu.accel.accelerator,
                Accel::Kvm => kvm(node, qemu)?,
                Accel::Tcg => Accelerator::Tcg,
            },
            cpus: node.cpu.count,
            memory_mib: node.memory_mib,
            firmware,
            kernel: self.direct_kernel(node)?,
            smbios: node.smbios.clone(),
            nics: node
                .interfaces
                .iter()
                .enumerate()
                .map(|(index, nic)| nic.mac.unwrap_or_else(|| derived_mac(&node.name, index)))
                .collect(),
            disks,
            shares,
            // A server that can boot over HTTP does so before it looks at its disks.
            boot_first: if node.firmware.http_boot {
                BootTarget::Network
            } else {
                BootTarget::Disk
            },
            console_log: logs.join("console.log"),
            qemu_log: logs.join("qemu.log"),
        };
        Ok(Machine::new(
            spec,
            MachineSetup {
                taps,
                track: track.clone(),
                boot_retry: Some(BOOT_RETRY),
                tasks: self.tasks.clone(),
                cancel: self.cancel.clone(),
            },
        ))
    }

    fn direct_kernel(&self, node: &Node) -> Result<Option<DirectKernel>, LabError> {
        if node.tier != Tier::Kernel {
            return Ok(None);
        }
        let bundle = self.bundle(node.image.as_ref()).ok_or_else(|| {
            LabError(format!(
                "node/{}: tier kernel needs an image bundle",
                node.name
            ))
        })?;
        let path = bundle.join("cmdline");
        let command_line = std::fs::read_to_string(&path)
            .map_err(|error| LabError(format!("read {}: {error}", path.display())))?;
        Ok(Some(DirectKernel {
            kernel: bundle.join("vmlinuz"),
            initrd: bundle.join("initrd.img"),
            // The last one counts, and what the bundle says is what its own boot files say.
            command_line: format!("{} placemat.image=kernel", command_line.trim()),
        }))
    }

    /// The folder of an image that is a bundle.
    pub(super) fn bundle(&self, image: Option<&Name>) -> Option<PathBuf> {
        match &self.cluster.images.get(image?)?.source {
            ImageSource::Bundle(path) => Some(path.clone()),
            ImageSource::File(_) | ImageSource::Url(_) => None,
        }
    }
}

fn kvm(node: &Node, qemu: &Qemu) -> Result<Accelerator, LabError> {
    if qemu.accel.accelerator == Accelerator::Kvm {
        return Ok(Accelerator::Kvm);
    }
    Err(LabError(format!(
        "node/{} asks for `accel: kvm`, which does not work here: {}",
        node.name, qemu.accel.reason
    )))
}
