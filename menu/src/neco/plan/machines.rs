//! Servers: their names, addresses, hardware and disks.

use super::{Rack, Server, rack_name, rack_numbers, segment, spine_numbers, written};
use crate::neco::allocation::{Allocation, BOOT_SEAT, FIRST_SEAT, TORS, serial};
use crate::neco::input::{Cpu, Disks, Menu, ServerType};
use indexmap::IndexMap;
use serde::Serialize;
use std::path::Path;

/// Root disk of a boot server without an image.
const EMPTY_ROOT: &str = "30G";
/// CPUs and memory of the time server.
const CHRONY: (u32, &str) = (2, "4G");

/// A virtual machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Label: `boot`, `cs`, `ss` or `ntp`.
    pub role: &'static str,
    /// Label: number of its rack.
    pub rack: Option<u32>,
    /// CPUs, where they have no topology.
    pub cpu: Option<u32>,
    /// Their topology.
    pub smp: IndexMap<&'static str, u32>,
    /// Memory, as QEMU writes it.
    pub memory: Option<String>,
    /// NUMA nodes.
    pub numa: Option<u32>,
    /// Queues of each NIC.
    pub queues: Option<u32>,
    /// Networks of its NICs.
    pub interfaces: Vec<String>,
    /// UEFI firmware.
    pub uefi: bool,
    /// A TPM 2.0.
    pub tpm: bool,
    /// SMBIOS serial.
    pub serial: Option<String>,
    /// Ignition file.
    pub ignition: Option<String>,
    /// Disks and folders, in the order that the guest sees them.
    pub volumes: Vec<Volume>,
}

/// A disk or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind")]
pub enum Volume {
    /// A copy-on-write overlay of an image.
    #[serde(rename = "image")]
    Image {
        /// Its name.
        name: String,
        /// The image.
        image: String,
        /// Host cache; absent: the default.
        cache: Option<&'static str>,
    },
    /// A cloud-init seed.
    #[serde(rename = "localds")]
    Seed {
        /// Its name.
        name: String,
        /// User data.
        user_data: String,
        /// Network configuration.
        network_config: String,
    },
    /// An empty disk.
    #[serde(rename = "raw")]
    Raw {
        /// Its name.
        name: String,
        /// Its size, as QEMU writes it.
        size: String,
        /// Where it lies.
        device_class: Option<String>,
        /// Whether it is one of the data disks, which are plain files without a cache.
        data: bool,
    },
    /// A folder of the host, read-only.
    #[serde(rename = "hostPath")]
    Folder {
        /// Its name, and the mount tag.
        name: String,
        /// The folder.
        path: String,
    },
}

/// Every rack, with names and addresses.
pub(super) fn racks(menu: &Menu, allocation: &Allocation<'_>) -> Vec<Rack> {
    let address = |end: ipnet::Ipv4Net| end.addr();
    let rack = |index: u32| {
        let menu_rack = menu.inventory.racks[index as usize];
        let server = |name: String, short_name: String, seat: u32| Server {
            serial: serial(&name),
            addresses: [0, 1, 2].map(|which| allocation.server(index, which, seat)),
            name,
            short_name,
        };
        let list = |role: &str, count: u32, first: u32| {
            let one = |number: u32| {
                let short = format!("{role}{}", number + 1);
                server(format!("rack{index}-{short}"), short, first + number)
            };
            (0..count).map(one).collect()
        };
        let boot = format!("boot-{index}");
        Rack {
            name: rack_name(index),
            index,
            asn: allocation.rack_asn(index),
            node_interface: format!("eth{}", menu.inventory.spines.value),
            spine_addresses: [0, 1].map(|tor| {
                let links =
                    spine_numbers(menu).map(|spine| allocation.fabric_link(spine, index, tor));
                links.map(|ends| address(ends.lower)).collect()
            }),
            boot: server(boot.clone(), boot, BOOT_SEAT),
            bastion: allocation.bastion(index),
            cs: list("cs", menu_rack.cs, FIRST_SEAT),
            ss: list("ss", menu_rack.ss, FIRST_SEAT + menu_rack.cs),
        }
    };
    rack_numbers(menu).map(rack).collect()
}

/// Every virtual machine, rack by rack, and the time server.
pub(super) fn nodes(menu: &Menu, racks: &[Rack], out: &Path) -> Vec<Node> {
    let mut nodes = Vec::new();
    for rack in racks {
        let types = &menu.types;
        nodes.push(boot(&rack.boot, rack.index, &types.boot, out));
        for (role, servers, kind) in [("cs", &rack.cs, &types.cs), ("ss", &rack.ss, &types.ss)] {
            let Some(kind) = kind else { continue };
            nodes.extend(servers.iter().map(|it| worker(it, role, rack.index, kind)));
        }
    }
    nodes.extend(menu.network.ntp.map(|_| chrony()));
    nodes
}

fn plain(server: &Server, role: &'static str, rack: u32, kind: &ServerType) -> Node {
    let (cpu, smp) = match &kind.cpu {
        Cpu::Count(count) => (Some(*count), IndexMap::new()),
        Cpu::Topology(parts) => (None, parts.iter().copied().collect()),
    };
    Node {
        name: server.name.clone(),
        role,
        rack: Some(rack),
        cpu,
        smp,
        memory: kind.memory.clone(),
        numa: kind.numa,
        queues: None,
        interfaces: (0..TORS).map(|tor| segment(rack, tor)).collect(),
        uefi: kind.uefi,
        tpm: kind.tpm,
        serial: Some(server.serial.clone()),
        ignition: None,
        volumes: Vec::new(),
    }
}

/// A boot server: root disk, seed, sabakan's folder. Disks that Neco's menu left out come after those,
/// so that the ones before keep their names in the guest.
fn boot(server: &Server, rack: u32, kind: &ServerType, out: &Path) -> Node {
    let mut volumes = vec![root(kind).unwrap_or_else(|| Volume::Raw {
        name: "root".into(),
        size: EMPTY_ROOT.into(),
        device_class: None,
        data: false,
    })];
    volumes.extend(seed(server, kind));
    volumes.push(Volume::Folder {
        name: "sabakan".into(),
        path: written(out, "sabakan").display().to_string(),
    });
    volumes.extend(disks(&kind.disks));
    volumes.extend(extra(kind));
    Node {
        volumes,
        ..plain(server, "boot", rack, kind)
    }
}

/// Another server: root disk where it has an image, data disks, further images, seed.
fn worker(server: &Server, role: &'static str, rack: u32, kind: &ServerType) -> Node {
    let mut volumes: Vec<Volume> = root(kind).into_iter().collect();
    volumes.extend(disks(&kind.disks));
    volumes.extend(extra(kind));
    volumes.extend(seed(server, kind));
    Node {
        queues: Some(2 * kind.cpu.count()),
        volumes,
        ..plain(server, role, rack, kind)
    }
}

fn root(kind: &ServerType) -> Option<Volume> {
    let image = kind.image.as_ref()?;
    Some(Volume::Image {
        name: "root".into(),
        image: image.value.clone(),
        cache: Some("writeback"),
    })
}

fn extra(kind: &ServerType) -> impl Iterator<Item = Volume> {
    kind.data
        .iter()
        .enumerate()
        .map(|(index, image)| Volume::Image {
            name: format!("extra{index}"),
            image: image.value.clone(),
            cache: None,
        })
}

fn seed(server: &Server, kind: &ServerType) -> Option<Volume> {
    kind.template.as_ref().map(|_| Volume::Seed {
        name: "seed".into(),
        user_data: format!("seed_{}.yml", server.name),
        network_config: "network.yml".into(),
    })
}

fn disks(all: &[Disks]) -> impl Iterator<Item = Volume> {
    all.iter().enumerate().flat_map(|(index, disks)| {
        (1..=disks.count).map(move |number| Volume::Raw {
            name: if disks.listed {
                format!("data{}-{number}", index + 1)
            } else {
                format!("data{number}")
            },
            size: disks.size.clone(),
            device_class: disks.device_class.as_ref().map(|class| class.value.clone()),
            data: true,
        })
    })
}

fn chrony() -> Node {
    let (cpu, memory) = CHRONY;
    Node {
        name: "chrony".into(),
        role: "ntp",
        rack: None,
        cpu: Some(cpu),
        smp: IndexMap::new(),
        memory: Some(memory.into()),
        numa: None,
        queues: None,
        interfaces: vec!["core-ntp".into()],
        uefi: false,
        tpm: false,
        serial: None,
        ignition: Some("chrony.ign".into()),
        volumes: vec![Volume::Image {
            name: "root".into(),
            image: "flatcar".into(),
            cache: Some("writeback"),
        }],
    }
}
