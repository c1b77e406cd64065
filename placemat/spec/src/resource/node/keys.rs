//! What a `Node` may say.

use super::volume;
use crate::resource::{interface, labels};
use crate::schema::{
    ADDRESS, CPU_MODEL, CREDENTIAL, Key, KindDoc, NAME, PATH, SERIAL, SIZE, Shape, UUID,
};

const CPUS: Shape = Shape::Integer(1, 255);

const TIER: Key = Key::optional(
    "tier",
    Shape::Choice(&[
        (
            "full",
            "QEMU with UEFI or BIOS, booting from the network or a disk",
        ),
        ("kernel", "QEMU with the kernel of a bundle, without firmware"),
        (
            "netns",
            "the services of a bundle as processes in a namespace",
        ),
        ("mock", "a chassis and a BMC, nothing behind them"),
    ]),
    "How faithfully the server is simulated. All tiers have the same face: BMC, lease, BGP, `exec`.",
)
.or("`full`");

const SMP: Key = Key::optional(
    "smp",
    Shape::Map(&[
        Key::optional("cpus", CPUS, "CPUs at start."),
        Key::optional("sockets", CPUS, "Sockets."),
        Key::optional("dies", CPUS, "Dies a socket."),
        Key::optional("cores", CPUS, "Cores a die."),
        Key::optional("threads", CPUS, "Threads a core."),
        Key::optional("maxcpus", CPUS, "CPUs at most."),
    ]),
    "Virtual CPUs by topology, instead of `cpu`.",
);

const FIRMWARE: Key = Key::optional(
    "firmware",
    Shape::Map(&[
        Key::optional("uefi", Shape::Boolean, "UEFI rather than BIOS.").or("`true`"),
        Key::optional(
            "http-boot",
            Shape::Boolean,
            "Boots over HTTP; from its disks after that, where no `boot-order` says otherwise.",
        )
        .or("as `uefi`"),
        Key::optional(
            "secure-boot",
            Shape::Boolean,
            "Starts only what is signed with a key in the variable store; by default those are Microsoft's.",
        )
        .or("`false`"),
        Key::optional(
            "nvram",
            Shape::Form(&PATH),
            "The variable store to begin with; each node has its own copy.",
        )
        .or("the firmware's template"),
    ]),
    "What it starts with.",
)
.or("BIOS");

const SMBIOS: Key = Key::optional(
    "smbios",
    Shape::Map(&[
        Key::optional("manufacturer", Shape::Text, "Manufacturer."),
        Key::optional("product", Shape::Text, "Product."),
        Key::optional("serial", Shape::Form(&SERIAL), "Serial number.")
            .or("the SHA-1 of the node's name in hexadecimal digits"),
        Key::optional("uuid", Shape::Form(&UUID), "UUID."),
    ]),
    "What the machine says of itself (SMBIOS type 1).",
);

const BMC: Key = Key::optional(
    "bmc",
    Shape::Map(&[
        Key::required(
            "address",
            Shape::Form(&ADDRESS),
            "Its address, on a network of type `bmc`.",
        ),
        Key::optional(
            "user",
            Shape::Form(&CREDENTIAL),
            "User, of at most 16 bytes.",
        )
        .or("`admin`"),
        Key::optional(
            "password",
            Shape::Form(&CREDENTIAL),
            "Password, of at most 20 bytes.",
        )
        .or("`placemat`"),
        Key::optional(
            "fault",
            Shape::Choice(&[(
                "lies-about-power",
                "takes power commands, says that they happened, and does nothing",
            )]),
            "A fault that it has from the start, to see that a scenario notices.",
        ),
    ]),
    "Its BMC: IPMI 2.0 and Redfish.",
);

pub(crate) const DOC: KindDoc = KindDoc {
    name: "Node",
    doc: "A server.",
    keys: &[
        TIER,
        Key::optional(
            "image",
            Shape::Form(&NAME),
            "The bundle that it runs; tiers `kernel` and `netns` need one.",
        ),
        interface::KEY,
        Key::optional(
            interface::LOOPBACK.name,
            interface::LOOPBACK.shape,
            "Addresses that its own BIRD announces, which `reachable` checks speak to. The lab does not configure them.",
        ),
        Key::optional("cpu", CPUS, "Virtual CPUs.").or("`1`"),
        SMP,
        Key::optional("cpu-model", Shape::Form(&CPU_MODEL), "CPU model.")
            .or("`host` under KVM, `max` under TCG"),
        Key::optional(
            "numa",
            Shape::Map(&[Key::required("nodes", Shape::Integer(1, 64), "How many.")]),
            "NUMA nodes, over which CPUs and memory are spread.",
        ),
        Key::optional(
            "memory",
            Shape::Form(&SIZE),
            "Memory, whole MiB from 16M; a bare number is in MiB.",
        )
        .or("`1G`"),
        FIRMWARE,
        Key::optional(
            "uefi",
            Shape::Boolean,
            "Placemat v2's form of `firmware`: UEFI that tries disks first, then the network.",
        ),
        Key::optional(
            "boot-order",
            Shape::List(&Shape::Text),
            "`network`, `disk`, names of interfaces and of volumes, first to last.",
        ),
        Key::optional(
            "ignition",
            Shape::Form(&PATH),
            "Ignition configuration, which the guest reads by fw_cfg.",
        ),
        SMBIOS,
        volume::KEY,
        Key::optional(
            "network-device-queue",
            Shape::Integer(1, 256),
            "Queues of each NIC.",
        )
        .or("`1`"),
        Key::optional("tpm", Shape::Boolean, "TPM 2.0, by `swtpm`.").or("`false`"),
        Key::optional(
            "video",
            Shape::Boolean,
            "A screen: VNC on a socket, and `placemat screenshot`.",
        )
        .or("`false`"),
        Key::optional(
            "qemu-args",
            Shape::List(&Shape::Text),
            "Further arguments of QEMU; what would take the machine out of the lab's hands is refused.",
        ),
        BMC,
        Key::optional(
            "accel",
            Shape::Choice(&[
                ("auto", "what the probe found to work"),
                ("kvm", "KVM, or an error"),
                ("tcg", "QEMU's own, slower and everywhere"),
            ]),
            "What runs its CPUs.",
        )
        .or("`auto`"),
        Key::optional(
            "depends-on",
            Shape::List(&Shape::Form(&NAME)),
            "Nodes, routers and boot servers that must be up first.",
        ),
        Key::optional(
            "autostart",
            Shape::Boolean,
            "Whether it gets power when the lab starts.",
        )
        .or("`true`"),
        Key::optional(
            "power-restore",
            Shape::Choice(&[
                ("always-on", "on, whatever it was"),
                ("previous", "as it was"),
                ("always-off", "off"),
            ]),
            "What it does when its power comes back after an outage.",
        )
        .or("`previous`"),
        labels::KEY,
    ],
    example: "\
kind: Node
name: rack1-cs1
labels: {role: cs, rack: 1}
cpu: 2
memory: 2G
firmware: {uefi: true}
interfaces:
  - {network: r1-node1, mac: \"52:54:00:aa:bb:01\"}
smbios: {serial: cs1-serial}
volumes:
  - {kind: image, name: root, image: ubuntu, copy-on-write: true}
  - {kind: raw, name: data, size: 10G, device-class: ssd}
  - {kind: vvfat, name: files, folder: host-data}
bmc: {address: 10.72.17.4}
depends-on: [rack1-tor1, rack1-boot]
---
kind: Network
name: bmc
type: bmc
address: 10.72.16.1/20
",
};
