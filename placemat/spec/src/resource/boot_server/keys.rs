//! What a `BootServer` may say.

use crate::resource::{interface, labels, router};
use crate::schema::{ADDRESSES, DURATION, IPV4, Key, KindDoc, MAC, NAME, PATH, SUBNET, Shape};

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
            "machines",
            Shape::List(&Shape::Map(&[
                Key::required("serial", Shape::Text, "SMBIOS serial of the machine."),
                Key::optional("image", Shape::Form(&NAME), "The bundle that it boots.")
                    .or("the server's"),
                Key::optional(
                    "config",
                    Shape::Form(&PATH),
                    "Folder of files that it finds under `/machines/SERIAL/`.",
                ),
            ])),
            "What single machines boot and learn.",
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
