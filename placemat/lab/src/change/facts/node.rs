//! Keys of servers. What is hardware restarts a virtual machine, and is nothing to a mock.

use super::super::How;
use super::{Facts, file, flag, nets, said, word, words};
use crate::blueprint::Blueprint;
use crate::change::facts::other;
use placemat_spec::resource::{
    Bmc, Cpu, Devices, Firmware, Memory, NetworkType, Node, Smbios, Tier, Volume, VolumeKind,
};
use placemat_spec::value::format_size;

pub(super) fn facts(node: &Node, of: &Blueprint) -> Facts {
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
    let vm = matches!(tier, Tier::Full | Tier::Kernel);
    let hardware = if vm { How::Restart } else { How::InPlace };
    let mut facts = Facts::default();
    facts.add("tier", word(tier), How::Restart);
    match tier {
        Tier::Full | Tier::Kernel => {
            facts.interfaces(name, interfaces, How::Restart, How::InPlace);
            facts.add("mtu", mtus(node, of), How::Restart);
        }
        Tier::Netns => facts.interfaces(name, interfaces, How::Link, How::Address),
        Tier::Mock => facts.interfaces(name, interfaces, How::InPlace, How::InPlace),
    }
    facts.add("loopback", nets(loopback), How::InPlace);
    facts.add("cpu", of_cpu(cpu), hardware);
    facts.add("memory", of_memory(memory), hardware);
    facts.add("firmware", of_firmware(firmware), hardware);
    let ignition = ignition.as_ref().map(|path| file(path, of));
    facts.add("ignition", ignition.unwrap_or_default(), hardware);
    facts.add("boot-order", words(boot_order.iter().map(word)), hardware);
    facts.add("smbios", of_smbios(smbios), How::Restart);
    for (index, volume) in volumes.iter().enumerate() {
        let text = format!("disk {index}: {}", of_volume(volume, of));
        facts.add(format!("volumes.{}", volume.name), text, hardware);
    }
    facts.add("devices", of_devices(devices), hardware);
    if let Some(bmc) = bmc {
        of_bmc(bmc, &mut facts);
    }
    if let Some(image) = image {
        let how = match tier {
            Tier::Kernel | Tier::Netns => How::Restart,
            Tier::Full | Tier::Mock => How::InPlace,
        };
        facts.add("image", other::named_image(image, &of.cluster), how);
    }
    facts.add("accel", word(accel), hardware);
    facts.add("depends-on", depends_on.join(" "), How::InPlace);
    facts.add("autostart", autostart, How::InPlace);
    facts.add("power-restore", word(power_restore), How::InPlace);
    facts.labels(labels);
    facts
}

/// MTUs that its networks ask for: QEMU tells them to the guest.
fn mtus(node: &Node, of: &Blueprint) -> String {
    let networks = node.interfaces.iter().filter_map(|nic| {
        let network = of.cluster.networks.get(&nic.network)?;
        Some(format!("{} {}", nic.name, network.mtu?))
    });
    words(networks)
}

fn of_cpu(cpu: &Cpu) -> String {
    let Cpu {
        count,
        most,
        sockets,
        dies,
        cores,
        threads,
        model,
    } = cpu;
    let most = (most != count).then(|| format!(" of {most}"));
    let model = model.as_ref().map(|it| format!(" {}", it.words));
    format!(
        "{count}{} ({sockets}x{dies}x{cores}x{threads}){}",
        most.unwrap_or_default(),
        model.unwrap_or_default()
    )
}

fn of_memory(memory: &Memory) -> String {
    let Memory {
        mib,
        numa_nodes,
        place: _,
    } = memory;
    let numa = said(" numa", *numa_nodes);
    format!("{}{numa}", format_size(mib << 20))
}

fn of_firmware(firmware: &Firmware) -> String {
    let Firmware {
        uefi,
        http_boot,
        secure_boot,
        nvram,
    } = firmware;
    let all = [
        if *uefi { "uefi" } else { "bios" }.to_owned(),
        flag("http-boot", *http_boot),
        flag("secure-boot", secure_boot.is_some()),
        said("nvram", nvram.as_ref().map(|it| it.display())),
    ];
    words(all.iter().filter(|text| !text.is_empty()))
}

fn of_smbios(smbios: &Smbios) -> String {
    let Smbios {
        manufacturer,
        product,
        serial,
        uuid,
    } = smbios;
    let all = [
        said("manufacturer", manufacturer.as_ref()),
        said("product", product.as_ref()),
        format!("serial {serial} uuid {uuid}"),
    ];
    words(all.iter().filter(|text| !text.is_empty()))
}

fn of_volume(volume: &Volume, of: &Blueprint) -> String {
    let Volume {
        name: _,
        kind,
        cache,
        device_class,
        place: _,
    } = volume;
    let kind = match kind {
        VolumeKind::Image {
            image,
            copy_on_write,
        } => {
            let image = other::named_image(image, &of.cluster);
            format!("{image} {}", flag("copy-on-write", *copy_on_write))
        }
        VolumeKind::Seed {
            user_data,
            network_config,
        } => {
            let network = network_config.as_ref().map(|it| file(it, of));
            format!(
                "seed {} {}",
                file(user_data, of),
                network.unwrap_or_default()
            )
        }
        VolumeKind::Raw { size, format } => format!("raw {} {}", format_size(*size), word(format)),
        VolumeKind::HostPath {
            path,
            writable,
            protocol,
        } => {
            let writable = flag("writable", *writable);
            format!("{} {} {writable}", path.display(), word(protocol))
        }
        VolumeKind::Folder { folder } => other::named_folder(folder, &of.cluster),
    };
    let class = device_class.as_ref().and_then(|name| {
        let class = of.cluster.device_classes.get(name)?;
        Some(format!("in {}", class.path.display()))
    });
    let all = [
        kind.trim().to_owned(),
        format!("cache {}", word(cache)),
        class.unwrap_or_default(),
    ];
    words(all.iter().filter(|text| !text.is_empty()))
}

fn of_devices(devices: &Devices) -> String {
    let Devices {
        queues,
        tpm,
        video,
        qemu_args,
    } = devices;
    let all = [
        format!("queues {queues}"),
        flag("tpm", tpm.is_some()),
        flag("video", *video),
        qemu_args.join(" "),
    ];
    words(all.iter().filter(|text| !text.is_empty()))
}

fn of_bmc(bmc: &Bmc, facts: &mut Facts) {
    let Bmc {
        address,
        network,
        user,
        password,
        fault,
        place: _,
    } = bmc;
    facts.add(
        "bmc.address",
        format!("{address} on {network}"),
        How::Restart,
    );
    facts.add("bmc.user", user, How::Restart);
    facts.secret("bmc.password", password, How::Restart);
    facts.add(
        "bmc.fault",
        fault.map(|it| word(&it)).unwrap_or_default(),
        How::Restart,
    );
}

/// What a network's kind is called in a file.
pub(super) fn network_type(kind: NetworkType) -> String {
    word(&kind)
}
