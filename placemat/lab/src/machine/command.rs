//! QEMU's command line for a machine. Pure: the same machine gives the same line.

use super::spec::{BootTarget, Carrier, Disk, DiskFormat, MachineFirmware, MachineSpec, Share};
use placemat_host::probe::accel::Accelerator;
use serde_json::json;
use std::path::Path;

/// Descriptor numbers that QEMU inherits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptors {
    /// Monitor.
    pub monitor: i32,
    /// Serial console.
    pub console: i32,
    /// Guest agent's channel.
    pub agent: i32,
    /// One TAP a NIC, in order.
    pub taps: Vec<i32>,
}

/// Name of the guest agent's channel in the guest.
pub const AGENT_CHANNEL: &str = "org.qemu.guest_agent.0";

/// `id` of the guest agent's channel in QEMU, as `VSERPORT_CHANGE` events name it.
pub(super) const AGENT_ID: &str = "agent";

/// The `id` of each bootable device and its place in the boot order, when `first` comes first. None
/// has a place beside a kernel that QEMU loads itself: that takes the first.
pub fn boot_order(spec: &MachineSpec, first: BootTarget) -> Vec<(String, u32)> {
    if spec.kernel.is_some() {
        return Vec::new();
    }
    let nics = (0..spec.nics.len()).map(nic_id);
    // A disk that has no place of its own is tried by no firmware: a seed or data folder has nothing
    // that could boot, and a BIOS that tries it stops there.
    let disks = spec.disks.iter().enumerate();
    let disks = disks
        .filter(|(_, disk)| disk.bootable)
        .map(|(index, _)| disk_id(index));
    let devices: Vec<String> = match first {
        BootTarget::Network => nics.chain(disks).collect(),
        BootTarget::Disk => disks.chain(nics).collect(),
    };
    devices.into_iter().zip(0..).collect()
}

/// `id` of a NIC in QEMU.
pub(super) fn nic_id(index: usize) -> String {
    format!("net{index}")
}

fn disk_id(index: usize) -> String {
    format!("disk{index}")
}

/// QEMU's arguments, without the program, for a boot that tries `first` first.
pub fn arguments(spec: &MachineSpec, first: BootTarget, fds: &Descriptors) -> Vec<String> {
    let mut line = Line::default();
    base(&mut line, spec);
    firmware(&mut line, spec);
    channels(&mut line, spec, fds);
    let order = boot_order(spec, first);
    let place = |id: &str| {
        let place = order.iter().find(|(name, _)| name == id);
        place.map_or_else(String::new, |(_, at)| format!(",bootindex={at}"))
    };
    for (index, (mac, tap)) in spec.nics.iter().zip(&fds.taps).enumerate() {
        let id = nic_id(index);
        line.option("-netdev", format!("tap,id=tap{index},fd={tap}"));
        // UEFI boots by its own drivers; the option ROM would only be loaded and hidden.
        let rom = match spec.firmware {
            MachineFirmware::Uefi { .. } => ",romfile=",
            MachineFirmware::Bios => "",
        };
        let bootindex = place(&id);
        line.option(
            "-device",
            format!("virtio-net-pci,id={id},netdev=tap{index},mac={mac}{bootindex}{rom}"),
        );
    }
    for (index, disk) in spec.disks.iter().enumerate() {
        let id = disk_id(index);
        line.option("-blockdev", block_node(index, disk).to_string());
        let bootindex = place(&id);
        let flushed = if disk.cache.write_through {
            ",write-cache=off"
        } else {
            ""
        };
        line.option(
            "-device",
            format!("virtio-blk-pci,id={id},drive=blk{index},serial={id}{bootindex}{flushed}"),
        );
    }
    for (index, share) in spec.shares.iter().enumerate() {
        share_device(&mut line, index, share);
    }
    line.0
}

#[derive(Default)]
struct Line(Vec<String>);

impl Line {
    fn option(&mut self, name: &str, value: impl Into<String>) {
        self.0.push(name.into());
        self.0.push(value.into());
    }
}

fn base(line: &mut Line, spec: &MachineSpec) {
    let memory = spec.memory_mib;
    let mut machine = String::from("q35,smm=off,vmport=off,memory-backend=ram");
    if matches!(spec.firmware, MachineFirmware::Uefi { .. }) {
        machine.push_str(",pflash0=code,pflash1=vars");
    }
    line.option("-name", format!("guest={}", escaped(&spec.name)));
    line.0.push("-nodefaults".into());
    line.0.push("-no-user-config".into());
    line.option("-display", "none");
    line.option("-machine", machine);
    line.option("-accel", spec.accelerator.name());
    line.option(
        "-cpu",
        match spec.accelerator {
            Accelerator::Kvm => "host",
            Accelerator::Tcg => "max",
        },
    );
    line.option("-smp", spec.cpus.to_string());
    line.option("-m", format!("{memory}M"));
    // Shared memory in a file of its own costs nothing and is what a checkpoint needs.
    line.option(
        "-object",
        format!("memory-backend-memfd,id=ram,size={memory}M,share=on"),
    );
    line.option("-rtc", "base=utc");
    let smbios = &spec.smbios;
    let strings = [
        ("manufacturer", smbios.manufacturer.as_deref()),
        ("product", smbios.product.as_deref()),
        ("serial", Some(smbios.serial.as_str())),
    ];
    let strings: String = strings
        .iter()
        .filter_map(|(key, value)| value.map(|value| format!(",{key}={}", escaped(value))))
        .collect();
    line.option("-smbios", format!("type=1{strings}"));
}

fn firmware(line: &mut Line, spec: &MachineSpec) {
    if let MachineFirmware::Uefi { code, vars } = &spec.firmware {
        line.option("-blockdev", file_node("code", code, true).to_string());
        line.option("-blockdev", file_node("vars", vars, false).to_string());
        // Without these OVMF tries PXE over both families before HTTP, a minute each.
        for family in ["IPv4PXESupport", "IPv6PXESupport"] {
            line.option(
                "-fw_cfg",
                format!("name=opt/org.tianocore/{family},string=n"),
            );
        }
    }
    if let Some(direct) = &spec.kernel {
        line.option("-kernel", direct.kernel.display().to_string());
        line.option("-initrd", direct.initrd.display().to_string());
        line.option("-append", &*direct.command_line);
    }
}

/// Monitor, console, guest agent, and the small devices every server has.
fn channels(line: &mut Line, spec: &MachineSpec, fds: &Descriptors) {
    line.option("-chardev", format!("socket,id=monitor,fd={}", fds.monitor));
    line.option("-mon", "chardev=monitor,mode=control");
    line.option(
        "-chardev",
        format!(
            "socket,id=console,fd={},logfile={},logappend=on",
            fds.console,
            escaped(&spec.console_log.display().to_string())
        ),
    );
    line.option("-serial", "chardev:console");
    line.option("-device", "virtio-serial-pci,id=serial");
    line.option(
        "-chardev",
        format!("socket,id=agent-channel,fd={}", fds.agent),
    );
    line.option(
        "-device",
        format!("virtserialport,id={AGENT_ID},chardev=agent-channel,name={AGENT_CHANNEL}"),
    );
    line.option("-device", "virtio-rng-pci,id=rng");
}

/// Block nodes are written as JSON: no character of a path needs an escape of its own.
fn file_node(name: &str, path: &Path, read_only: bool) -> serde_json::Value {
    json!({
        "driver": "raw",
        "node-name": name,
        "read-only": read_only,
        "file": {"driver": "file", "filename": path.display().to_string()},
    })
}

fn block_node(index: usize, disk: &Disk) -> serde_json::Value {
    let name = format!("blk{index}");
    let path = disk.path.display().to_string();
    if disk.format == DiskFormat::Fat {
        return json!({
            "driver": disk.format.name(),
            "node-name": name,
            "dir": path,
            "fat-type": 16,
            "read-only": true,
        });
    }
    let cache = json!({"direct": disk.cache.direct, "no-flush": disk.cache.no_flush});
    json!({
        "driver": disk.format.name(),
        "node-name": name,
        "discard": "unmap",
        "cache": cache,
        "file": {
            "driver": "file",
            "filename": path,
            "discard": "unmap",
            "cache": cache,
            // The kernel's asynchronous I/O is none through the page cache.
            "aio": if disk.cache.direct { "native" } else { "threads" },
        },
    })
}

/// A shared folder, and the device by which the guest finds it.
fn share_device(line: &mut Line, index: usize, share: &Share) {
    let id = format!("share{index}");
    match &share.carrier {
        Carrier::NineP => {
            let path = escaped(&share.path.display().to_string());
            let read_only = if share.writable { "" } else { ",readonly=on" };
            // Files keep the owners that they have on the host, as in placemat v2.
            line.option(
                "-fsdev",
                format!("local,id={id},path={path},security_model=none,multidevs=remap{read_only}"),
            );
            line.option(
                "-device",
                format!("virtio-9p-pci,fsdev={id},mount_tag={}", share.tag),
            );
        }
        Carrier::Virtiofs { socket, .. } => {
            let socket = escaped(&socket.display().to_string());
            line.option("-chardev", format!("socket,id={id},path={socket}"));
            line.option(
                "-device",
                format!("vhost-user-fs-pci,chardev={id},tag={}", share.tag),
            );
        }
    }
}

/// A value in QEMU's `key=value,...` options: commas are doubled.
fn escaped(value: &str) -> String {
    value.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::super::spec::{DirectKernel, DiskCache};
    use super::*;
    use placemat_spec::resource::Smbios;
    use placemat_spec::value::Mac;

    fn server() -> MachineSpec {
        MachineSpec {
            name: "rack1-cs1".into(),
            qemu: "/usr/bin/qemu-system-x86_64".into(),
            accelerator: Accelerator::Tcg,
            cpus: 2,
            memory_mib: 512,
            firmware: MachineFirmware::Uefi {
                code: "/usr/share/OVMF/OVMF_CODE_4M.fd".into(),
                vars: "/data/rack1-cs1/nvram.fd".into(),
            },
            kernel: None,
            smbios: Smbios {
                manufacturer: Some("Placemat, Inc.".into()),
                product: None,
                serial: "0a1b2c".into(),
            },
            nics: vec![Mac([0x52, 0x54, 0, 0, 0, 1]), Mac([0x52, 0x54, 0, 0, 0, 2])],
            disks: vec![
                Disk::new("/data/a,b \"c\".qcow2".into(), DiskFormat::Qcow2),
                Disk::new("/data/data.raw".into(), DiskFormat::Raw),
            ],
            shares: Vec::new(),
            boot_first: BootTarget::Network,
            console_log: "/run/lab/a,b.log".into(),
            qemu_log: "/run/lab/qemu.log".into(),
        }
    }

    fn shown(spec: &MachineSpec, first: BootTarget) -> String {
        let fds = Descriptors {
            monitor: 11,
            console: 12,
            agent: 13,
            taps: vec![21, 22],
        };
        arguments(spec, first, &fds)
            .join("\n")
            .replace("\n-", "\n\n-")
    }

    #[test]
    fn uefi_server_from_the_network() {
        insta::assert_snapshot!(shown(&server(), BootTarget::Network));
    }

    #[test]
    fn the_disk_first_changes_nothing_but_the_order() {
        let network = shown(&server(), BootTarget::Network);
        let disk = shown(&server(), BootTarget::Disk);
        let changed: Vec<String> = network
            .lines()
            .zip(disk.lines())
            .filter(|(before, after)| before != after)
            .map(|(_, after)| after.to_owned())
            .collect();
        insta::assert_snapshot!(changed.join("\n"));
    }

    /// The lines about disks and shares alone.
    fn storage(spec: &MachineSpec) -> String {
        let all = shown(spec, BootTarget::Disk);
        let ours = ["drive=blk", "\"blk", "-fsdev", "9p", "share"];
        let lines = all
            .split("\n\n")
            .filter(|option| ours.iter().any(|word| option.contains(word)));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn disks_are_cached_as_asked() {
        let cached = |direct, write_through, no_flush| Disk {
            cache: DiskCache {
                direct,
                write_through,
                no_flush,
            },
            ..Disk::new("/data/disk.qcow2".into(), DiskFormat::Qcow2)
        };
        let spec = MachineSpec {
            disks: vec![
                cached(true, false, false),
                cached(false, true, false),
                cached(true, true, false),
                cached(false, false, true),
            ],
            ..server()
        };
        insta::assert_snapshot!(storage(&spec));
    }

    #[test]
    fn seeds_and_folders_do_not_boot_and_shares_have_tags() {
        let not_bootable = |path: &str, format| Disk {
            bootable: false,
            ..Disk::new(path.into(), format)
        };
        let share = |tag: &str, writable, carrier| Share {
            tag: tag.into(),
            path: "/srv/a,b".into(),
            writable,
            carrier,
        };
        let virtiofs = Carrier::Virtiofs {
            daemon: "/usr/lib/qemu/virtiofsd".into(),
            socket: "/run/share/n1-fast.sock".into(),
        };
        let spec = MachineSpec {
            disks: vec![
                not_bootable("/data/seed.img", DiskFormat::Raw),
                Disk::new("/data/root.qcow2".into(), DiskFormat::Qcow2),
                not_bootable("/srv/tools", DiskFormat::Fat),
            ],
            shares: vec![
                share("read", false, Carrier::NineP),
                share("write", true, Carrier::NineP),
                share("fast", true, virtiofs),
            ],
            ..server()
        };
        insta::assert_snapshot!(storage(&spec));
        let order = boot_order(&spec, BootTarget::Disk);
        let disks: Vec<&str> = order.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(disks, ["disk1", "net0", "net1"]);
    }

    #[test]
    fn kernel_tier_under_kvm_with_bios() {
        let spec = MachineSpec {
            accelerator: Accelerator::Kvm,
            firmware: MachineFirmware::Bios,
            kernel: Some(DirectKernel {
                kernel: "/img/vmlinuz".into(),
                initrd: "/img/initrd.img".into(),
                command_line: "console=ttyS0,115200 quiet".into(),
            }),
            nics: vec![Mac([0x52, 0x54, 0, 0, 0, 1])],
            disks: Vec::new(),
            ..server()
        };
        insta::assert_snapshot!(shown(&spec, BootTarget::Network));
    }
}
