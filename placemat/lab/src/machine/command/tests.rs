//! QEMU's command lines, whole, for servers of every make.

use super::*;
use crate::machine::{Carrier, DirectKernel, Disk, DiskCache, DiskFormat, MachineFirmware, Share};
use placemat_host::probe::accel::Accelerator;
use placemat_host::probe::firmware::FirmwareFile;
use placemat_spec::resource::{Cpu, CpuModel, Smbios};
use placemat_spec::value::{Mac, Uuid};

fn server() -> MachineSpec {
    MachineSpec {
        name: "rack1-cs1".into(),
        qemu: "/usr/bin/qemu-system-x86_64".into(),
        accelerator: Accelerator::Tcg,
        cpu: Cpu::flat(2),
        memory_mib: 512,
        numa_nodes: None,
        firmware: MachineFirmware::Uefi {
            code: FirmwareFile::raw("/usr/share/OVMF/OVMF_CODE_4M.fd"),
            vars: FirmwareFile::raw("/data/rack1-cs1/nvram.fd"),
            secure_boot: false,
            ipv6: false,
        },
        kernel: None,
        smbios: Smbios {
            manufacturer: Some("Placemat, Inc.".into()),
            product: None,
            serial: "0a1b2c".into(),
            uuid: Uuid::of_serial("0a1b2c"),
        },
        ignition: None,
        nics: vec![Mac([0x52, 0x54, 0, 0, 0, 1]), Mac([0x52, 0x54, 0, 0, 0, 2])],
        mtus: vec![Some(1400), None],
        queues: 1,
        vhost: false,
        disks: vec![
            Disk::new("/data/a,b \"c\".qcow2".into(), DiskFormat::Qcow2),
            Disk::new("/data/data.raw".into(), DiskFormat::Raw),
        ],
        shares: Vec::new(),
        boot_order: vec![
            Bootable::Nic(0),
            Bootable::Nic(1),
            Bootable::Disk(0),
            Bootable::Disk(1),
        ],
        tpm: None,
        video: None,
        arguments: Vec::new(),
        console_log: "/run/lab/a,b.log".into(),
        qemu_log: "/run/lab/qemu.log".into(),
    }
}

fn fds(queues: i32, vhost: bool) -> Descriptors {
    let range = |from: i32| (from..from + queues).collect::<Vec<i32>>();
    Descriptors {
        monitor: 11,
        console: 12,
        agent: 13,
        announce: 14,
        tpm: None,
        taps: vec![range(20), range(30)],
        vhost: if vhost {
            vec![range(40), range(50)]
        } else {
            Vec::new()
        },
    }
}

fn shown(spec: &MachineSpec, first: Option<BootTarget>, fds: &Descriptors) -> String {
    arguments(spec, first, fds)
        .join("\n")
        .replace("\n-", "\n\n-")
}

/// The options that `spec` has and the plain server has not, and the other way round.
fn difference(spec: &MachineSpec, fds_of: &Descriptors) -> String {
    let pairs = |spec: &MachineSpec, fds: &Descriptors| -> Vec<String> {
        let text = arguments(spec, None, fds).join("\n").replace("\n-", "\0-");
        text.split('\0').map(|it| it.replace('\n', " ")).collect()
    };
    let (plain, changed) = (pairs(&server(), &fds(1, false)), pairs(spec, fds_of));
    let gone = plain.iter().filter(|it| !changed.contains(it));
    let new = changed.iter().filter(|it| !plain.contains(it));
    let lines = gone.map(|it| format!("- {it}"));
    let lines = lines.chain(new.map(|it| format!("+ {it}")));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn uefi_server_from_the_network() {
    insta::assert_snapshot!(shown(&server(), None, &fds(1, false)));
}

#[test]
fn the_disk_first_changes_nothing_but_the_order() {
    let network = shown(&server(), Some(BootTarget::Network), &fds(1, false));
    let disk = shown(&server(), Some(BootTarget::Disk), &fds(1, false));
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
    let all = shown(spec, Some(BootTarget::Disk), &fds(1, false));
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
        boot_order: (0..4).map(Bootable::Disk).collect(),
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
        boot_order: vec![Bootable::Nic(0), Bootable::Nic(1), Bootable::Disk(1)],
        ..server()
    };
    insta::assert_snapshot!(storage(&spec));
    let order = boot_order(&spec, Some(BootTarget::Disk));
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
        boot_order: vec![Bootable::Nic(0)],
        ..server()
    };
    insta::assert_snapshot!(shown(&spec, None, &fds(1, false)));
}

#[test]
fn numa_spreads_cpus_and_memory_with_what_does_not_divide() {
    let cpu = Cpu {
        count: 3,
        most: 5,
        sockets: 5,
        cores: 1,
        model: Some(CpuModel {
            words: "EPYC,+x2apic".into(),
            place: placemat_spec::Place::default(),
        }),
        ..Cpu::flat(5)
    };
    let spec = MachineSpec {
        cpu,
        memory_mib: 1000,
        numa_nodes: Some(3),
        ..server()
    };
    insta::assert_snapshot!(difference(&spec, &fds(1, false)));
}

#[test]
fn queues_and_vhost() {
    let several = MachineSpec {
        queues: 4,
        vhost: true,
        ..server()
    };
    let one = MachineSpec {
        vhost: true,
        ..server()
    };
    insta::assert_snapshot!(format!(
        "{}\n\n{}",
        difference(&several, &fds(4, true)),
        difference(&one, &fds(1, true))
    ));
}

#[test]
fn secure_boot() {
    let file = |path: &str| FirmwareFile {
        path: path.into(),
        format: "qcow2",
    };
    let spec = MachineSpec {
        firmware: MachineFirmware::Uefi {
            code: file("/fw/code.qcow2"),
            vars: file("/data/nvram-secure.qcow2"),
            secure_boot: true,
            ipv6: true,
        },
        ..server()
    };
    insta::assert_snapshot!(difference(&spec, &fds(1, false)));
}

#[test]
fn tpm_screen_ignition_and_arguments_of_the_file() {
    let spec = MachineSpec {
        video: Some("/run/placemat/vnc/a,b.sock".into()),
        ignition: Some("/dc/a,b.ign".into()),
        arguments: vec!["-device".into(), "usb-tablet,id=a".into()],
        ..server()
    };
    let fds = Descriptors {
        tpm: Some(14),
        ..fds(1, false)
    };
    insta::assert_snapshot!(difference(&spec, &fds));
    let bios = MachineSpec {
        firmware: MachineFirmware::Bios,
        ..spec
    };
    let machine = arguments(&bios, None, &fds);
    assert!(machine.contains(&"q35,vmport=off,smm=off,memory-backend=ram".to_owned()));
}
