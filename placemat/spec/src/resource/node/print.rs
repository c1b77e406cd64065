//! Prints a [`Node`].

use super::hardware::FAULTS;
use super::read::{ACCELS, RESTORES, TIERS};
use super::{
    Accel, Bmc, BootDevice, Cpu, CpuModel, Devices, Firmware, Memory, Node, Smbios, Tier, volume,
};
use crate::print::{Map, word};
use crate::resource::interface;
use crate::value::format_size;

pub(crate) fn print(node: &Node) -> Map {
    let Node {
        name,
        tier,
        interfaces,
        loopback,
        cpu,
        memory,
        firmware,
        ignition,
        boot_order,
        smbios,
        volumes,
        devices,
        bmc,
        image,
        accel,
        depends_on,
        autostart,
        power_restore,
        labels,
        place: _,
    } = node;
    // What says something of a QEMU is told where one runs, and else where the file says it, too.
    let in_vm = matches!(tier, Tier::Full | Tier::Kernel);
    let accel = (in_vm || *accel != Accel::default()).then(|| word(&ACCELS, accel));
    let order = boot_order.iter().map(|device| match device {
        BootDevice::Network => "network",
        BootDevice::Disk => "disk",
        BootDevice::Named(name) => name,
    });
    let map = Map::resource("Node", name)
        .text("tier", word(&TIERS, tier))
        .maybe_text("image", image.as_ref())
        .list("interfaces", interfaces.iter().map(interface::print))
        .addresses("loopback", loopback);
    let map = print_firmware(processor(map, cpu, memory), firmware)
        .texts("boot-order", order)
        .maybe_path("ignition", ignition.as_deref())
        .map("smbios", print_smbios(smbios))
        .list("volumes", volumes.iter().map(volume::print));
    print_devices(map, devices, in_vm)
        .maybe("bmc", bmc.as_ref().map(print_bmc))
        .maybe_text("accel", accel)
        .texts("depends-on", depends_on)
        .with("autostart", *autostart)
        .text("power-restore", word(&RESTORES, power_restore))
        .labels(labels)
}

fn processor(map: Map, cpu: &Cpu, memory: &Memory) -> Map {
    let Cpu {
        count,
        most,
        sockets,
        dies,
        cores,
        threads,
        model,
    } = cpu;
    let Memory {
        mib,
        numa_nodes,
        place: _,
    } = memory;
    let model = model.as_ref().map(|CpuModel { words, place: _ }| words);
    let flat = Cpu {
        model: cpu.model.clone(),
        ..Cpu::flat(*count)
    };
    // `cpu` alone is spread over NUMA nodes as the reader sees fit.
    let map = if *cpu == flat && numa_nodes.is_none() {
        map.with("cpu", *count)
    } else {
        let smp = Map::new()
            .with("cpus", *count)
            .with("sockets", *sockets)
            .with("dies", *dies)
            .with("cores", *cores)
            .with("threads", *threads)
            .with("maxcpus", *most);
        map.with("smp", smp)
    };
    map.maybe_text("cpu-model", model)
        .maybe(
            "numa",
            numa_nodes.map(|nodes| Map::new().with("nodes", nodes)),
        )
        .text("memory", format_size(mib << 20))
}

fn print_firmware(map: Map, firmware: &Firmware) -> Map {
    let Firmware {
        uefi,
        http_boot,
        secure_boot,
        nvram,
    } = firmware;
    let inner = Map::new()
        .with("uefi", *uefi)
        .with("http-boot", *http_boot)
        .with("secure-boot", secure_boot.is_some())
        .maybe_path("nvram", nvram.as_deref());
    map.with("firmware", inner)
}

fn print_smbios(smbios: &Smbios) -> Map {
    let Smbios {
        manufacturer,
        product,
        serial,
        uuid,
    } = smbios;
    Map::new()
        .maybe_text("manufacturer", manufacturer.as_ref())
        .maybe_text("product", product.as_ref())
        .text("serial", serial)
        .text("uuid", uuid)
}

fn print_devices(map: Map, devices: &Devices, in_vm: bool) -> Map {
    let Devices {
        queues,
        tpm,
        video,
        qemu_args,
    } = devices;
    map.maybe(
        "network-device-queue",
        (in_vm || *queues != 1).then_some(*queues),
    )
    .maybe("tpm", (in_vm || tpm.is_some()).then_some(tpm.is_some()))
    .maybe("video", (in_vm || *video).then_some(*video))
    .texts("qemu-args", qemu_args)
}

fn print_bmc(bmc: &Bmc) -> Map {
    let Bmc {
        address,
        // Found by the address.
        network: _,
        user,
        password,
        fault,
        place: _,
    } = bmc;
    Map::new()
        .text("address", address)
        .text("user", user)
        .text("password", password)
        .maybe_text("fault", fault.as_ref().map(|fault| word(&FAULTS, fault)))
}
