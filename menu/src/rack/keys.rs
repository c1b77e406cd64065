//! Every key of a rack spec: what JSON Schema and the reference are printed from, and readers are
//! held against.

use placemat_spec::schema::{DURATION, Form, Key, KindDoc, PATH, SIZE, Shape};

const WORD: Form = Form::new(
    "word",
    "",
    "^[a-z][a-z0-9-]{0,62}$",
    "storage",
    "a lower-case letter, then lower-case letters, digits and `-`",
);
const ROLE: Form = Form::new(
    "role",
    "",
    "^[a-z]([a-z0-9-]{0,48}[a-z-])?$",
    "gpu",
    "a word of 50 characters at most that does not end in a digit, since a number follows it in names, or in `-ipv`",
);
const RUN: Form = Form::new(
    "run",
    "",
    "^([1-9][0-9]* x )?[a-z0-9A-Z_.-]+$",
    "28 x compute",
    "the name of a server type, or a run of it",
);
const PREFIX: Form = Form::new(
    "prefix",
    "bad-prefix",
    "^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$",
    "10.69.0.0/20",
    "an IPv4 prefix of unicast addresses",
);
const PREFIX6: Form = Form::new(
    "ipv6-prefix",
    "bad-prefix",
    "^[0-9A-Fa-f:.]+/[0-9]{1,3}$",
    "fd69::/48",
    "an IPv6 prefix of unicast addresses",
);
const IPV4: Form = Form::new(
    "ipv4",
    "bad-address",
    "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$",
    "10.75.3.1",
    "an IPv4 unicast address",
);
const ACCOUNT: Form = Form::new(
    "credential",
    "",
    "^[!-~]{1,20}$",
    "placemat",
    "a user name (16 bytes) or password (20 bytes) of IPMI 2.0, printable ASCII without spaces",
);

const RACKS: Shape = Shape::List(&Shape::Map(&[
    Key::required(
        "servers",
        Shape::List(&Shape::Form(&RUN)),
        "Its servers from the bottom up, at most 44. A server added at the end moves none.",
    ),
    Key::optional(
        "count",
        Shape::Integer(1, 16_383),
        "How many racks are like this.",
    )
    .or("`1`"),
    Key::optional("tors", Shape::Integer(1, 2), "ToRs of each of them.")
        .or("that of the data center"),
]));

const TYPES: Shape = Shape::Dictionary(&Shape::Map(&[
    Key::required(
        "tier",
        Shape::Choice(&[
            ("full", "UEFI firmware, HTTP boot"),
            ("kernel", "a virtual machine that starts with the kernel"),
            ("netns", "the same system as processes in a namespace"),
            ("mock", "a BMC with nothing behind it"),
        ]),
        "How faithfully its servers are simulated.",
    ),
    Key::optional(
        "role",
        Shape::Form(&ROLE),
        "Their label `role`, and part of their names: `rack1-ss3`. It has 50 characters at most, does not end in a digit or in `-ipv`, and is no role of another machine (`tor`, `boot`, `spine`, ...).",
    )
    .or("`cs`"),
    Key::optional(
        "nics",
        Shape::Integer(1, 2),
        "NICs of each. With one, servers take the rack's ToRs in turn.",
    )
    .or("one towards each ToR"),
    Key::optional(
        "cpu",
        Shape::Integer(1, 255),
        "Virtual CPUs, of virtual machines.",
    )
    .or("`1`"),
    Key::optional(
        "memory",
        Shape::Form(&SIZE),
        "Memory, of virtual machines: a whole number of MiB, 128M to 16T.",
    )
    .or("`512M`"),
    Key::optional(
        "disk",
        Shape::Form(&WORD),
        "Image on the disk, of virtual machines: a copy-on-write overlay.",
    )
    .or("no disk"),
]));

const POOLS: Shape = Shape::Map(&[
    Key::optional(
        "node",
        Shape::Form(&PREFIX),
        "Loopbacks and server segments of racks: 192 addresses a rack.",
    )
    .or("`10.69.0.0/16`"),
    Key::optional(
        "fabric",
        Shape::Form(&PREFIX),
        "Links (/31) below spines: 64 addresses a rack, more with over 15 spines.",
    )
    .or("`10.70.0.0/16`"),
    Key::optional(
        "loopback",
        Shape::Form(&PREFIX),
        "Loopbacks of spines and super-spines: one each, and 64 addresses a pod.",
    )
    .or("`10.71.0.0/16`"),
    Key::optional(
        "bmc",
        Shape::Form(&PREFIX),
        "BMCs: 64 addresses a rack, after the first 256.",
    )
    .or("`10.72.0.0/16`"),
    Key::optional(
        "pods",
        Shape::Form(&PREFIX),
        "Links (/31) between spines of pods and super-spines.",
    )
    .or("`10.73.0.0/16`"),
    Key::optional(
        "core",
        Shape::Form(&PREFIX),
        "The core router's loopback and its links (/31) to the fabric.",
    )
    .or("`10.74.0.0/24`"),
    Key::optional(
        "ipv6",
        Shape::Form(&PREFIX6),
        "Everything of IPv6: four /64 a rack, after the first 256.",
    )
    .or("`fd69::/48`"),
]);

const CORE: Shape = Shape::Map(&[
    Key::optional(
        "internet",
        Shape::Form(&PREFIX),
        "The way out: a network behind NAT to the host's. The hub is its first address, the core the second.",
    ),
    Key::optional(
        "external",
        Shape::Form(&PREFIX),
        "A network outside of the data center: the core is its first address, router `external` the second.",
    ),
    Key::optional(
        "operation",
        Shape::Form(&PREFIX),
        "Where operators sit: the core is its first address, router `operation` the second.",
    ),
    Key::optional(
        "proxy",
        Shape::Form(&IPV4),
        "Address of the HTTP proxy on the core. `core/squid.conf` is its configuration.",
    ),
    Key::optional(
        "ntp",
        Shape::Form(&IPV4),
        "Address of the NTP server on the core. `core/chrony.conf` is its configuration.",
    ),
    Key::optional(
        "services",
        Shape::Choice(&[
            (
                "address",
                "addresses alone: what answers there is yours to run",
            ),
            (
                "run",
                "squid and chronyd run on the core, from the host's files",
            ),
        ]),
        "What `proxy` and `ntp` are.",
    )
    .or("`address`"),
]);

const EXPOSED: Shape = Shape::Map(&[
    Key::optional(
        "load-balancer",
        Shape::Form(&PREFIX),
        "Addresses of services, announced by servers.",
    ),
    Key::optional(
        "bastion",
        Shape::Form(&PREFIX),
        "One address for each boot server.",
    ),
    Key::optional(
        "egress",
        Shape::Form(&PREFIX),
        "Sources of what leaves, announced by servers.",
    ),
    Key::optional(
        "global",
        Shape::Form(&PREFIX),
        "Public addresses, announced by servers.",
    ),
    Key::optional(
        "load-balancer6",
        Shape::Form(&PREFIX6),
        "The same of IPv6, where `family` has it.",
    ),
    Key::optional(
        "bastion6",
        Shape::Form(&PREFIX6),
        "One IPv6 address for each boot server.",
    ),
    Key::optional(
        "egress6",
        Shape::Form(&PREFIX6),
        "IPv6 sources of what leaves.",
    ),
    Key::optional("global6", Shape::Form(&PREFIX6), "Public IPv6 addresses."),
]);

/// Title of the rack spec's JSON Schema.
pub const TITLE: &str = "placemat rack spec";
/// Description of the rack spec's JSON Schema.
pub const DESCRIPTION: &str = "The one document of a rack spec, which `placemat menu` expands.";

/// The rack spec.
pub const DOC: KindDoc = KindDoc {
    name: "DataCenter",
    doc: "A rack spec: a whole data center in a few lines, which `placemat menu` expands. `up`, `check`, `plan` and suites take it as it is, too.",
    keys: &[
        Key::required("spines", Shape::Integer(1, 64), "Spines, of each pod where there are pods."),
        Key::optional("racks", RACKS, "The racks as runs. A rack added at the end moves nothing. This or `pods`."),
        Key::optional(
            "pods",
            Shape::List(&Shape::Map(&[
                Key::required("racks", RACKS, "Its racks as runs. They are numbered through all pods."),
                Key::optional("count", Shape::Integer(1, 999), "How many pods are like this.").or("`1`"),
            ])),
            "Pods as runs, each with spines of its own, joined by super-spines (a five-stage Clos).",
        ),
        Key::optional("super-spines", Shape::Integer(1, 64), "Super-spines, each linked to every spine; with `pods` only.")
            .or("required with `pods`"),
        Key::optional("tors", Shape::Integer(1, 2), "ToRs of each rack.").or("`2`"),
        Key::required("types", TYPES, "Server types by name."),
        Key::required(
            "image",
            Shape::Map(&[
                Key::required("bundle", Shape::Form(&PATH), "Its folder, from the folder of the rack spec."),
                Key::optional("name", Shape::Form(&WORD), "Its name.").or("`node-os`"),
            ]),
            "The image that servers boot.",
        ),
        Key::optional(
            "family",
            Shape::Choice(&[
                ("ipv4", "IPv4 only"),
                ("dual", "every link and machine has both, with a BGP session of each"),
                (
                    "ipv6",
                    "links have IPv6 only, whose sessions carry IPv4 routes too (RFC 8950), since servers boot over IPv4",
                ),
            ]),
            "Families of addresses.",
        )
        .or("`ipv4`"),
        Key::optional(
            "asn",
            Shape::Map(&[
                Key::optional(
                    "scheme",
                    Shape::Choice(&[
                        ("per-rack", "one a rack, one for the spines of a pod"),
                        ("per-switch", "one a switch, one for the servers of a rack"),
                    ]),
                    "What has an ASN of its own.",
                )
                .or("`per-rack`"),
                Key::optional("base", Shape::Integer(1, 4_294_967_295), "What the others are counted from: see [the menu](../menu.md).")
                    .or("`64600`, or `4200100000` with `per-switch`"),
            ]),
            "Autonomous systems; two-byte or four-byte, private ones (RFC 6996).",
        ),
        Key::optional("asn-base", Shape::Integer(1, 4_294_967_295), "Short for `asn: {base}`."),
        Key::optional("pools", POOLS, "Where addresses come from. Not from what is set apart: loopback, link-local, multicast, `0.0.0.0/8`, `240.0.0.0/4`."),
        Key::optional(
            "bfd",
            Shape::Map(&[
                Key::optional("interval", Shape::Form(&DURATION), "Sent and expected this often: 10ms to 60s.").or("`400ms`"),
                Key::optional("multiplier", Shape::Integer(1, 255), "Down after so many were missed.").or("`5`"),
            ]),
            "BFD of all sessions.",
        ),
        Key::optional(
            "bgp",
            Shape::Map(&[
                Key::optional("hold", Shape::Form(&DURATION), "Hold time: 3s to 65535s.").or("`30s`"),
                Key::optional(
                    "connect",
                    Shape::Form(&DURATION),
                    "Wait before the first attempt to connect, and between attempts: 1s to 1h.",
                )
                .or("`1s`"),
                Key::optional("error-wait", Shape::Form(&DURATION), "Wait after a first error; it doubles up to four times this: 1s to 1h.")
                    .or("`1s`"),
            ]),
            "BGP timers of all sessions, in whole seconds.",
        ),
        Key::optional("core", CORE, "A router above the fabric, with the networks and services that are named; `{}` for none."),
        Key::optional("exposed", EXPOSED, "Ranges that the core is told of besides the pools; with `core` only."),
        Key::optional(
            "power",
            Shape::Map(&[
                Key::optional("feeds", Shape::Integer(1, 2), "Feeds from outside.").or("`2`"),
                Key::optional("pdus", Shape::Integer(1, 2), "PDUs of each rack and group of switches. Every machine is plugged into all.")
                    .or("one a feed"),
            ]),
            "Feeds and PDUs. Without it each rack has a feed of its own, and the spines one.",
        ),
        Key::optional(
            "boot",
            Shape::Choice(&[
                ("built-in", "a `BootServer` in each rack"),
                ("sabakan", "a router in its place, for the sabakan that you run"),
            ]),
            "What serves DHCP and boots.",
        )
        .or("`built-in`"),
        Key::optional(
            "templates",
            Shape::Form(&PATH),
            "Folder of templates in place of built-in ones, from the folder of the rack spec: see [templates](../menu-templates.md). `--templates` of `placemat menu` counts instead.",
        )
        .or("built-in ones"),
        Key::optional(
            "bmc",
            Shape::Map(&[
                Key::optional("user", Shape::Form(&ACCOUNT), "User name, 1 to 16 printable ASCII characters without spaces.").or("`admin`"),
                Key::optional("password", Shape::Form(&ACCOUNT), "Password, 1 to 20 printable ASCII characters without spaces.").or("`placemat`"),
            ]),
            "Account on every BMC.",
        ),
    ],
    example: "\
kind: DataCenter
name: small
spines: 2
racks:
  - {count: 2, servers: [uefi, 3 x light]}
types:
  uefi: {tier: full, disk: node-os}
  light: {tier: netns}
image: {bundle: ../../images/out/node}
",
};
