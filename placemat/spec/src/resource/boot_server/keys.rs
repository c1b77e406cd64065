//! What a `BootServer` may say.

use crate::resource::{interface, labels, router};
use crate::schema::{
    ADDRESSES, DURATION, IPV4, Key, KindDoc, MAC, NAME, PATH, RATE, SELECTOR, SUBNET, Shape,
};

const DHCP: Key = Key::optional(
    "dhcp",
    Shape::Map(&[
        Key::optional(
            "ranges",
            Shape::List(&Shape::Map(&[
                Key::required(
                    "subnet",
                    Shape::Form(&SUBNET),
                    "The subnet of the relay that asks.",
                ),
                Key::required("start", Shape::Form(&IPV4), "First address."),
                Key::required("end", Shape::Form(&IPV4), "Last address."),
                Key::optional("router", Shape::Form(&IPV4), "Default gateway (option 3)."),
                Key::optional("lease", Shape::Form(&DURATION), "Lease time.").or("`1h`"),
            ])),
            "A pool for each relayed subnet.",
        ),
        Key::optional(
            "hosts",
            Shape::List(&Shape::Map(&[
                Key::required("mac", Shape::Form(&MAC), "MAC address of the NIC."),
                Key::required(
                    "address",
                    Shape::Form(&IPV4),
                    "Its address, in one of the subnets.",
                ),
            ])),
            "Fixed addresses.",
        ),
    ]),
    "What it leases, by way of relays.",
);

const METHOD: Shape = Shape::Choice(&[
    ("uki", "the image's unified kernel image"),
    (
        "ipxe",
        "iPXE, which asks for a script by the machine's serial",
    ),
]);

const WORDS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);

const HTTP_FAULT: Shape = Shape::Choice(&[
    ("slow", "bodies trickle"),
    ("silent", "nobody is answered"),
    ("404", "nothing is there"),
    ("truncated", "half a body, then the connection breaks"),
    ("corrupt", "one byte in 4 KiB is another"),
]);

const DHCP_FAULT: Shape = Shape::Choice(&[
    ("silent", "nobody is answered"),
    ("slow", "offers come late"),
    ("no-boot-file", "addresses, but nothing to boot"),
    ("nak", "addresses are offered, and refused when asked for"),
]);

const FAULTS: Key = Key::optional(
    "faults",
    Shape::Map(&[
        Key::optional(
            "http",
            Shape::Either(&[
                HTTP_FAULT,
                Shape::Map(&[
                    Key::required("how", HTTP_FAULT, "What it does."),
                    Key::optional("rate", Shape::Form(&RATE), "Of each answer, for `slow`.")
                        .or("`1mbit`"),
                ]),
            ]),
            "How its HTTP misbehaves.",
        ),
        Key::optional(
            "dhcp",
            Shape::Either(&[
                DHCP_FAULT,
                Shape::Map(&[
                    Key::required("how", DHCP_FAULT, "What it does."),
                    Key::optional(
                        "delay",
                        Shape::Form(&DURATION),
                        "Of each offer, for `slow`: whole seconds, at most 60.",
                    )
                    .or("`5s`"),
                ]),
            ]),
            "How its DHCP misbehaves.",
        ),
    ]),
    "How it misbehaves from the start.",
);

pub(crate) const DOC: KindDoc = KindDoc {
    name: "BootServer",
    doc: "DHCP and HTTP for UEFI HTTP boot, in a container of its own.",
    keys: &[
        interface::KEY,
        Key::required(
            "loopback",
            ADDRESSES,
            "Addresses on `lo`. The first, IPv4, is where DHCP relays send to and HTTP is served.",
        ),
        Key::required(
            "image",
            Shape::Form(&NAME),
            "The bundle that machines without one of their own boot.",
        ),
        router::BIRD,
        DHCP,
        Key::optional(
            "http",
            Shape::Map(&[Key::optional("port", Shape::Integer(1, 65535), "TCP port.").or("`80`")]),
            "How HTTP is served.",
        ),
        Key::optional(
            "boot",
            METHOD,
            "What firmware is handed unless a machine's entry says otherwise.",
        )
        .or("`uki`"),
        Key::optional(
            "kernel-params",
            WORDS,
            "Kernel parameters of machines whose entries give none; for `boot: ipxe`.",
        ),
        FAULTS,
        Key::optional(
            "machines",
            Shape::List(&Shape::Map(&[
                Key::optional(
                    "serial",
                    Shape::Text,
                    "SMBIOS serial of the one machine that it is for. This, `node`, `mac` or `nodes` must be there.",
                ),
                Key::optional("node", Shape::Form(&NAME), "Or the node's name."),
                Key::optional(
                    "mac",
                    Shape::Form(&MAC),
                    "Or the MAC address that the file gives to one of its interfaces.",
                ),
                Key::optional(
                    "nodes",
                    Shape::Form(&SELECTOR),
                    "Or a selector: for each node that it means and that has no entry of its own that says otherwise.",
                ),
                Key::optional("image", Shape::Form(&NAME), "The bundle that it boots.")
                    .or("the server's"),
                Key::optional("boot", METHOD, "What its firmware is handed.").or("the server's"),
                Key::optional(
                    "kernel-params",
                    WORDS,
                    "Kernel parameters after those of the image; for `boot: ipxe`.",
                )
                .or("the server's"),
                Key::optional(
                    "config",
                    Shape::Form(&PATH),
                    "Folder of files that it finds under `/machines/SERIAL/`.",
                ),
                Key::optional(
                    "ignition",
                    Shape::Form(&PATH),
                    "Ignition configuration, served as `/machines/SERIAL/ignition.json`.",
                ),
            ])),
            "What machines boot and learn. Entries of one machine come before those that select it, earlier ones before later ones; each key for itself.",
        ),
        labels::KEY,
    ],
    example: "\
kind: BootServer
name: rack1-boot
interfaces: [{network: r1-boot, addresses: [10.72.5.1/31]}]
loopback: [10.69.0.3/32]
image: node-os
dhcp:
  ranges: [{subnet: 10.69.0.64/26, start: 10.69.0.100, end: 10.69.0.120, router: 10.69.0.65}]
  hosts: [{mac: \"52:54:00:aa:bb:01\", address: 10.69.0.68}]
machines:
  - {serial: cs1-serial, config: boot/rack1-cs1}
---
kind: Network
name: r1-boot
type: internal
",
};
