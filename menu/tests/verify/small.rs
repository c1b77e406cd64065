//! The small example: two racks, IPv4, no core.

use super::Break::{self, Plan as InPlan, Text, Texts, Without};

const TOR: &str = "bird/rack1-tor1.conf";
const SPINE: &str = "bird/spine-1.conf";
const BOOT: &str = "bird/rack1-boot.conf";
const CLUSTER: &str = "cluster.yml";
const SESSION: &str = "\nprotocol bgp 'spine-1' from 'spine_ipv4' {\n\tlocal 10.72.1.1;\n\tneighbor 10.72.1.0 as 64600;\n}\n";
const BACK: &str = "\nprotocol bgp 'rack1-tor1' from 'tor_ipv4' {\n\tlocal 10.72.1.0;\n\tneighbor 10.72.1.1 as 64601;\n}\n";
const LINK: &str = "name: s1-r1t1\ntype: internal\n";

/// By rule.
pub(crate) const BREAKS: &[(&str, Break)] = &[
    ("readable-bird", Text(TOR, "bfd on;\n}", "bfd on;\n")),
    (
        "readable-cluster",
        Text(CLUSTER, "kind: Router", "kind: Ruoter"),
    ),
    ("readable-missing", Without("boot/rack1-cs1/bird.conf")),
    (
        "sessions-no-neighbor",
        Text(SPINE, "neighbor 10.72.1.1 ", "neighbor 10.99.0.1 "),
    ),
    (
        "sessions-itself",
        Text(SPINE, "neighbor 10.72.1.1 ", "neighbor 10.72.1.0 "),
    ),
    ("sessions-one-sided", Text(TOR, SESSION, "")),
    (
        "sessions-foreign-local",
        Text(TOR, "local 10.72.1.1;", "local 10.72.1.3;"),
    ),
    (
        "sessions-nobodys-local",
        Text(TOR, "local 10.72.1.1;", "local 10.99.0.1;"),
    ),
    (
        "sessions-other-link",
        Text(TOR, "local 10.72.1.1;", "local 10.72.1.5;"),
    ),
    (
        "sessions-out-of-reach",
        Text(TOR, "neighbor 10.72.1.0 ", "neighbor 10.72.0.1 "),
    ),
    (
        "sessions-both-passive",
        Text(BOOT, "\tdirect;", "\tdirect; passive;"),
    ),
    ("sessions-bfd", Text(SPINE, "bfd on;", "bfd off;")),
    (
        "sessions-bfd-protocol",
        Text(SPINE, "protocol bfd {", "protocol static bfd {"),
    ),
    (
        "sessions-multihop",
        Text(TOR, "local 10.72.1.1;", "local 10.72.1.1; multihop 2;"),
    ),
    (
        "asns-neighbor",
        Text(TOR, "10.72.1.0 as 64600", "10.72.1.0 as 64609"),
    ),
    (
        "asns-local",
        Text(SPINE, "local as 64600", "local as 64609"),
    ),
    (
        "asns-internal",
        Text(TOR, "10.72.1.0 as 64600", "10.72.1.0 internal"),
    ),
    (
        "asns-external",
        Text(BOOT, "10.72.1.60 as 64601", "10.72.1.60 external"),
    ),
    (
        "asns-plan",
        InPlan(|plan| plan.routers[0].speaker.sessions[0].asn += 1),
    ),
    (
        "router-ids-twice",
        InPlan(|plan| {
            plan.routers[0].speaker.loopback = plan.routers[1].speaker.loopback;
        }),
    ),
    (
        "router-ids-foreign",
        Text(TOR, "router id 10.69.0.1", "router id 10.69.0.9"),
    ),
    (
        "pairs-three",
        InPlan(|plan| {
            let interface = plan.routers[0].interfaces[0].clone();
            plan.routers[1].interfaces.push(interface);
        }),
    ),
    (
        "pairs-one",
        InPlan(|plan| drop(plan.boot_servers[0].interfaces.pop())),
    ),
    (
        "pairs-split",
        Text(
            CLUSTER,
            "{network: s1-r1t1, addresses: [10.72.1.1/31]}",
            "{network: s2-r1t1, addresses: [10.72.1.1/31]}",
        ),
    ),
    (
        "mtu",
        Text(CLUSTER, LINK, "name: s1-r1t1\ntype: internal\nmtu: 1400\n"),
    ),
    (
        "mtu-v6",
        Text(CLUSTER, LINK, "name: s1-r1t1\ntype: internal\nmtu: 1200\n"),
    ),
    (
        "overlaps-twice",
        InPlan(|plan| {
            plan.servers[0].speaker.loopback = plan.servers[1].speaker.loopback;
        }),
    ),
    (
        "overlaps-loopback",
        InPlan(|plan| {
            plan.servers[0].speaker.loopback = "10.69.0.70".parse().unwrap();
        }),
    ),
    (
        "overlaps-network",
        InPlan(|plan| {
            plan.networks[0].bmc = Some("10.69.0.66/24".parse().unwrap());
        }),
    ),
    (
        "dhcp-not-free",
        Text(CLUSTER, "start: 10.69.0.112", "start: 10.69.0.69"),
    ),
    (
        "dhcp-bad-range",
        InPlan(|plan| {
            plan.boot_servers[0].ranges[0].end = "10.69.0.129".parse().unwrap();
        }),
    ),
    (
        "dhcp-gateway",
        InPlan(|plan| {
            plan.boot_servers[0].ranges[0].router = "10.69.0.113".parse().unwrap();
        }),
    ),
    (
        "dhcp-no-relay",
        Text(
            CLUSTER,
            "--dhcp-relay=10.69.0.65,10.69.0.3",
            "--dhcp-relay=10.69.0.65,10.69.0.195",
        ),
    ),
    (
        "dhcp-lease-nobody",
        Text(
            CLUSTER,
            "{mac: \"52:54:00:00:04:40\"",
            "{mac: \"52:54:00:00:04:4f\"",
        ),
    ),
    (
        "dhcp-lease-nowhere",
        InPlan(|plan| {
            plan.boot_servers[0].hosts[0].address = "10.99.0.1".parse().unwrap();
        }),
    ),
    (
        "dhcp-lease-astray",
        Text(CLUSTER, "address: 10.69.0.68}", "address: 10.69.0.133}"),
    ),
    (
        "boot-unknown",
        InPlan(|plan| drop(plan.boot_servers[0].machines.pop())),
    ),
    (
        "boot-no-lease",
        InPlan(|plan| drop(plan.boot_servers[0].hosts.pop())),
    ),
    (
        "boot-serial",
        InPlan(|plan| plan.servers[0].serial = plan.servers[1].serial.clone()),
    ),
    (
        "management-outside",
        InPlan(|plan| {
            plan.servers[0].bmc.address = "10.99.0.1".parse().unwrap();
        }),
    ),
    (
        "management-edge",
        InPlan(|plan| {
            plan.servers[0].bmc.address = "10.72.31.255".parse().unwrap();
        }),
    ),
    (
        "promise-machine",
        Text(CLUSTER, "name: rack2-cs1\n", "name: rack2-cs9\n"),
    ),
    (
        "promise-bmc",
        Text(
            CLUSTER,
            "bmc: {address: 10.72.17.4,",
            "bmc: {address: 10.72.17.9,",
        ),
    ),
    (
        "on-top-is-fine",
        Text(
            CLUSTER,
            "loopback: [10.69.0.4/32]",
            "loopback: [10.69.0.4/32, 10.69.0.9/32]",
        ),
    ),
    (
        "promise-loopback",
        Texts(&[
            (
                CLUSTER,
                "loopback: [10.69.0.4/32]",
                "loopback: [10.69.0.9/32]",
            ),
            (
                "boot/rack1-cs1/bird.conf",
                "router id 10.69.0.4",
                "router id 10.69.0.9",
            ),
        ]),
    ),
    (
        "promise-session",
        Texts(&[(TOR, SESSION, ""), (SPINE, BACK, "")]),
    ),
    (
        "promise-serial",
        Texts(&[
            (CLUSTER, "4ae0771764376e0184274e24e0b18abd8fa5f285", "A1"),
            (CLUSTER, "4ae0771764376e0184274e24e0b18abd8fa5f285", "A1"),
        ]),
    ),
    (
        "pairs-apart",
        InPlan(|plan| plan.routers[2].interfaces[0].network = "s2-r1t1".into()),
    ),
];
