//! What a `Network` may say.

use crate::resource::{impair, labels};
use crate::schema::{ADDRESSES, Form, INTERFACE_ADDRESS, Key, KindDoc, Shape};

/// The hub's address: placemat v2 takes a subnet's own, too, so any address will do.
const HUB: &Form = &INTERFACE_ADDRESS;

pub(crate) const DOC: KindDoc = KindDoc {
    name: "Network",
    doc: "An L2 segment. Where exactly two namespaces are plugged in it is one veth pair, otherwise a bridge.",
    keys: &[
        Key::required(
            "type",
            Shape::Choice(&[
                ("internal", "inside the lab, with no address of the hub's"),
                ("external", "with an address of the hub's"),
                (
                    "bmc",
                    "where the BMCs of servers answer; its address is the hub's",
                ),
            ]),
            "What the network is for.",
        ),
        Key::optional(
            "address",
            Shape::Form(HUB),
            "The hub's address, for networks of type `external` and `bmc`.",
        ),
        Key::optional(
            "addresses",
            ADDRESSES,
            "Several addresses of the hub, IPv4 or IPv6, instead of `address`.",
        ),
        Key::optional(
            "mtu",
            Shape::Integer(68, 65535),
            "MTU of its links in bytes.",
        )
        .or("that of the host's way to the outside"),
        Key::optional(
            "use-nat",
            Shape::Boolean,
            "Whether the lab masquerades it towards the outside.",
        )
        .or("`false`"),
        impair::KEY,
        labels::KEY,
    ],
    example: "\
kind: Network
name: r1-node1
type: internal
mtu: 1450
impair: {delay: 5ms, jitter: 1ms, loss: 0.5%}
labels: {rack: 1}
",
};
