//! From a node of tier `full` or `kernel` to a virtual machine: files, firmware, taps.

use super::LabError;
use super::build::Workshop;
use crate::error::chain;
use crate::machine::{
    BootTarget, Bootable, DirectKernel, Disk, Machine, MachineFirmware, MachineSetup, MachineSpec,
    Tpm, make_vars, own_order,
};
use crate::plan::derived_mac;
use crate::server::BootTrack;
use placemat_host::probe::accel::{self, AccelReport, Accelerator};
use placemat_host::probe::firmware::{self, FirmwareFile, Flavor};
use placemat_host::probe::{program, vhost};
use placemat_spec::Cluster;
use placemat_spec::resource::{Accel, ImageSource, Name, Node, Tier, VolumeKind};
use placemat_spec::selector::{Target, TargetKind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long firmware that found nothing to boot waits before it tries again.
const BOOT_RETRY: Duration = Duration::from_secs(5);

/// What this host has for virtual machines.
#[derive(Debug, Clone)]
pub(super) struct Qemu {
    pub(super) path: PathBuf,
    pub(super) accel: AccelReport,
    /// Whether the kernel can move frames of NICs.
    pub(super) vhost: bool,
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
        vhost: vhost::works(),
    }))
}

impl Workshop {
    pub(super) fn machine(
        &self,
        node: &Node,
        track: &BootTrack,
        retired: &CancellationToken,
    ) -> Result<Machine, LabError> {
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
        let (disks, shares) = self.storage(node, &data)?;
        let accelerator = match node.accel {
            Accel::Auto => qemu.accel.accelerator,
            Accel::Kvm => kvm(node, qemu)?,
            Accel::Tcg => Accelerator::Tcg,
        };
        let devices = &node.devices;
        let spec = MachineSpec {
            name: node.name.clone(),
            qemu: qemu.path.clone(),
            accelerator,
            cpu: node.cpu.clone(),
            memory_mib: node.memory.mib,
            numa_nodes: node.memory.numa_nodes,
            firmware: firmware_of(node, &self.cluster, &data)
                .map_err(|reason| LabError(format!("node/{}: {reason}", node.name)))?,
            kernel: self.direct_kernel(node)?,
            smbios: node.smbios.clone(),
            ignition: node.ignition.clone(),
            mtus: self.wiring.mtus(&target),
            nics: node
                .interfaces
                .iter()
                .enumerate()
                .map(|(index, nic)| nic.mac.unwrap_or_else(|| derived_mac(&node.name, index)))
                .collect(),
            queues: devices.queues,
            // Emulated CPUs have no way to be interrupted by the kernel.
            vhost: qemu.vhost && accelerator == Accelerator::Kvm,
            boot_order: own_boot_order(node, &disks),
            disks,
            shares,
            tpm: tpm_of(node, &data, &logs)?,
            video: devices
                .video
                .then(|| self.screen_socket(node))
                .transpose()?,
            arguments: devices.qemu_args.clone(),
            console_log: logs.join("console.log"),
            qemu_log: logs.join("qemu.log"),
        };
        Ok(Machine::new(
            spec,
            MachineSetup {
                taps,
                track: track.clone(),
                boot_retry: Some(BOOT_RETRY),
                announced: self.announced.clone(),
                tasks: self.tasks.clone(),
                cancel: retired.clone(),
            },
        ))
    }

    /// Where the VNC server of a node's screen listens. Short: a socket's path has 107 bytes.
    fn screen_socket(&self, node: &Node) -> Result<PathBuf, LabError> {
        let folder = self.run_dir.join("vnc");
        std::fs::create_dir_all(&folder)
            .map_err(|error| LabError(format!("create {}: {error}", folder.display())))?;
        Ok(folder.join(&node.name))
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

/// Firmware, and a variable store of the node's own for it.
fn firmware_of(node: &Node, cluster: &Cluster, data: &Path) -> Result<MachineFirmware, String> {
    if !node.firmware.uefi {
        return Ok(MachineFirmware::Bios);
    }
    let secure_boot = node.firmware.secure_boot.is_some();
    let (flavor, kind) = if secure_boot {
        (Flavor::SecureBoot, "-secure")
    } else {
        (Flavor::Plain, "")
    };
    let ovmf = firmware::find(flavor).map_err(|error| error.to_string())?;
    let (template, kind) = match &node.firmware.nvram {
        None => (ovmf.vars, kind.to_owned()),
        Some(path) => (FirmwareFile::raw(path), format!("{kind}-own")),
    };
    let vars = make_vars(data, &kind, &template);
    let vars = vars.map_err(|error| format!("make its variable store: {}", chain(&error)))?;
    Ok(MachineFirmware::Uefi {
        code: ovmf.code,
        vars,
        secure_boot,
        ipv6: may_boot_over_ipv6(node, cluster),
    })
}

/// Whether a server could find a boot server over IPv6. The lab's own serve IPv4 alone, so where they
/// are, it takes somebody with an IPv6 address on the server's networks.
fn may_boot_over_ipv6(node: &Node, cluster: &Cluster) -> bool {
    if cluster.boot_servers.is_empty() {
        return true;
    }
    let mine = |network: &Name| node.interfaces.iter().any(|it| it.network == *network);
    let routers = cluster.routers.values().flat_map(|it| &it.interfaces);
    let servers = cluster.boot_servers.values().flat_map(|it| &it.interfaces);
    let nodes = cluster.nodes.values().flat_map(|it| &it.interfaces);
    let ends = routers.chain(servers).chain(nodes);
    let ends = ends.filter(|it| mine(&it.network));
    let networks = cluster.networks.values().filter(|it| mine(&it.name));
    let mut addresses = ends
        .flat_map(|it| &it.addresses)
        .chain(networks.flat_map(|it| &it.addresses));
    addresses.any(|it| it.addr().is_ipv6())
}

fn own_boot_order(node: &Node, disks: &[Disk]) -> Vec<Bootable> {
    let nics: Vec<&str> = node.interfaces.iter().map(|it| it.name.as_str()).collect();
    // Every volume but a shared folder is a disk, in order.
    let volumes = node.volumes.iter();
    let volumes = volumes.filter(|it| !matches!(it.kind, VolumeKind::HostPath { .. }));
    let named = volumes.zip(disks).enumerate();
    let disks: Vec<(usize, &str)> = named
        .filter(|(_, (_, disk))| disk.bootable)
        .map(|(index, (volume, _))| (index, volume.name.as_str()))
        .collect();
    // A server that can boot over HTTP does so before it looks at its disks.
    let first = if node.firmware.http_boot {
        BootTarget::Network
    } else {
        BootTarget::Disk
    };
    own_order(&nics, &disks, &node.boot_order, first)
}

fn tpm_of(node: &Node, data: &Path, logs: &Path) -> Result<Option<Tpm>, LabError> {
    if node.devices.tpm.is_none() {
        return Ok(None);
    }
    let program = program::locate("swtpm")
        .map_err(|error| LabError(format!("node/{}: {error}", node.name)))?;
    Ok(Some(Tpm {
        program,
        state: data.join("tpm"),
        log: logs.join("swtpm.log"),
    }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::Source;

    fn looks_for_ipv6(network: &str, boot: &str) -> bool {
        let text = format!(
            "{network}\n---\n{{kind: Network, name: other, type: external, address: \"fd00:1::1/64\"}}\n{boot}\
             ---\n{{kind: Node, name: n, tier: full, interfaces: [net]}}\n"
        );
        let (cluster, _) =
            Cluster::load(vec![Source::inline("dc.yml", text)]).expect("a good file");
        may_boot_over_ipv6(&cluster.nodes["n"], &cluster)
    }

    #[test]
    fn firmware_looks_for_boot_servers_over_ipv6_where_one_may_be() {
        let boot = |address: &str| {
            format!(
                "---\n{{kind: Image, name: os, bundle: os}}\n---\n{{kind: BootServer, name: boot, image: os, loopback: [10.2.0.1/32], \
                 interfaces: [{{network: net, addresses: [{address}]}}], \
                 dhcp: {{ranges: [{{subnet: 10.1.0.0/24, start: 10.1.0.9, end: 10.1.0.19}}]}}}}\n"
            )
        };
        let four = boot("10.1.0.1/24");
        let internal = "{kind: Network, name: net, type: internal}";
        assert!(!looks_for_ipv6(internal, &four));
        assert!(looks_for_ipv6(
            internal,
            &boot("10.1.0.1/24, \"fd00::1/64\"")
        ));
        let both =
            "{kind: Network, name: net, type: external, addresses: [10.1.0.2/24, \"fd00::1/64\"]}";
        assert!(looks_for_ipv6(both, &four));
        // Without a boot server of the lab's, somebody else's may be anywhere.
        assert!(looks_for_ipv6(internal, ""));
    }
}
