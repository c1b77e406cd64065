//! Five stages of dual stack under a core, with exposed ranges.

use super::Break::{self, Plan as InPlan, Text, Texts};
use placemat_menu::topology::{Plan, Router, Server};

const CLUSTER: &str = "cluster.yml";
const CORE: &str = "bird/core.conf";
const SUPER: &str = "bird/super-spine-1.conf";
const SPINE: &str = "bird/pod1-spine-1.conf";
const TOR: &str = "bird/rack1-tor1.conf";
const UP: &str = "\nprotocol bgp 'super-spine-1-ipv6' from 'super-spine_ipv6' {\n\tlocal fd69:0:0:2::1;\n\tneighbor fd69:0:0:2:: as 4200000100;\n}\n";
const DOWN: &str = "\nprotocol bgp 'pod1-spine-1-ipv6' from 'spine_ipv6' {\n\tlocal fd69:0:0:2::;\n\tneighbor fd69:0:0:2::1 as 4200000098;\n}\n";
const CORE_UP: &str = "\nprotocol bgp 'core' from 'core_ipv4' {\n\tlocal 10.74.0.3;\n\tneighbor 10.74.0.2 as 4200000099;\n}\n";

fn router<'p>(plan: &'p mut Plan, name: &str) -> &'p mut Router {
    let found = plan.routers.iter_mut().find(|it| it.speaker.name == name);
    found.unwrap()
}

/// A virtual machine, which makes its IPv6 addresses by itself.
fn machine(plan: &mut Plan) -> &mut Server {
    let found = plan.servers.iter_mut().find(|it| it.virtual_machine);
    found.unwrap()
}

pub(crate) const BREAKS: &[(&str, Break)] = &[
    ("sessions-ipv6-one-sided", Text(SPINE, UP, "")),
    (
        "sessions-ipv6-no-neighbor",
        Text(SPINE, "neighbor fd69:0:0:2:: as", "neighbor fd69:dead:: as"),
    ),
    (
        "sessions-ipv6-foreign-local",
        Text(SPINE, "local fd69:0:0:2::1;", "local fd69:0:0:2::3;"),
    ),
    // The super-spine's address towards the other spine of the pod.
    (
        "sessions-super-spine-other-link",
        Texts(&[
            (SPINE, "neighbor 10.73.0.0 as", "neighbor 10.73.0.4 as"),
            (SUPER, "neighbor 10.73.0.1 as", "neighbor 10.73.0.5 as"),
        ]),
    ),
    // A ToR of one pod that speaks to a spine of another.
    (
        "sessions-other-pod",
        Text(TOR, "neighbor 10.70.0.0 as", "neighbor 10.70.0.64 as"),
    ),
    ("sessions-core-one-sided", Text(SUPER, CORE_UP, "")),
    (
        "sessions-server-ipv6",
        Text(
            "boot/rack1-cs1/bird.conf",
            "neighbor fd69:0:0:101::1 as",
            "neighbor fd69:0:0:105::1 as",
        ),
    ),
    (
        "asns-other-pod",
        Text(SPINE, "local as 4200000098", "local as 4200000097"),
    ),
    (
        "asns-core",
        Text(SUPER, "10.74.0.2 as 4200000099", "10.74.0.2 as 4200000098"),
    ),
    (
        "asns-super-spine",
        InPlan(|plan| {
            let session = &mut router(plan, "pod2-spine-1").speaker.sessions[0];
            session.asn += 1;
        }),
    ),
    (
        "router-ids-core",
        InPlan(|plan| {
            let loopback = router(plan, "super-spine-1").speaker.loopback;
            router(plan, "core").speaker.loopback = loopback;
        }),
    ),
    (
        "pairs-ipv6-apart",
        Text(CLUSTER, "\"fd69:0:0:2::1/127\"", "\"fd69:0:0:2::11/127\""),
    ),
    (
        "pairs-ipv6-split",
        Text(
            CLUSTER,
            "{network: x1-p1s1, addresses: [10.73.0.1/31, \"fd69:0:0:2::1/127\"]}",
            "{network: x2-p1s2, addresses: [10.73.0.1/31, \"fd69:0:0:2::1/127\"]}",
        ),
    ),
    (
        "pairs-core",
        Text(
            CLUSTER,
            "{network: core-x1, addresses: [10.74.0.2/31,",
            "{network: core-x1, addresses: [10.74.0.22/31,",
        ),
    ),
    (
        "mtu-above-spines",
        Text(
            CLUSTER,
            "name: x2-p2s1\ntype: internal\n",
            "name: x2-p2s1\ntype: internal\nmtu: 1280\n",
        ),
    ),
    (
        "mtu-core-ipv6",
        Text(
            CLUSTER,
            "name: core-x1\ntype: internal\n",
            "name: core-x1\ntype: internal\nmtu: 1000\n",
        ),
    ),
    (
        "overlaps-ipv6-loopbacks",
        InPlan(|plan| {
            let loopback = router(plan, "super-spine-2").speaker.loopback6;
            router(plan, "pod1-spine-1").speaker.loopback6 = loopback;
        }),
    ),
    // Nobody wrote this address down: the server will make it of its MAC.
    (
        "overlaps-ipv6-self-made",
        InPlan(|plan| {
            let made = machine(plan).interfaces[0].address6;
            plan.servers[0].interfaces[0].address6 = made;
        }),
    ),
    (
        "overlaps-ipv6-segments",
        InPlan(|plan| {
            let tor = router(plan, "rack2-tor1");
            let segment = tor.interfaces.last_mut().unwrap();
            segment.address6 = Some("fd69:0:0:101::2/63".parse().unwrap());
        }),
    ),
    (
        "overlaps-bastions",
        InPlan(|plan| {
            plan.boot_servers[1].speaker.addresses = plan.boot_servers[0].speaker.addresses.clone();
        }),
    ),
    (
        "overlaps-proxy-on-a-network",
        InPlan(|plan| {
            router(plan, "core").speaker.addresses[0] = "10.75.1.9".parse().unwrap();
        }),
    ),
    (
        "overlaps-way-out",
        InPlan(|plan| {
            let internet = plan.networks.iter_mut().find(|it| it.name == "internet");
            internet.unwrap().outside[0] = "10.75.2.9/24".parse().unwrap();
        }),
    ),
    (
        "dhcp-relay-to-another-pod",
        Text(
            CLUSTER,
            "--dhcp-relay=10.69.0.65,10.69.0.3",
            "--dhcp-relay=10.69.0.65,10.69.0.195",
        ),
    ),
    (
        "management-core-elsewhere",
        Text(
            CLUSTER,
            "{network: bmc, addresses: [10.72.0.2/16]}",
            "{network: bmc, addresses: [10.79.0.2/16]}",
        ),
    ),
    (
        "management-core-apart",
        InPlan(|plan| {
            let core = router(plan, "core");
            core.interfaces.retain(|nic| nic.network != "bmc");
        }),
    ),
    (
        "management-untold",
        Text(CORE, "\tinterface \"eth3\";\n", ""),
    ),
    (
        "management-told-by-a-route-is-fine",
        Texts(&[
            (CORE, "\tinterface \"eth3\";\n", ""),
            (
                CORE,
                "\troute 0.0.0.0/0 via 10.0.0.1;\n",
                "\troute 0.0.0.0/0 via 10.0.0.1;\n\troute 10.72.0.0/16 via \"eth3\";\n",
            ),
        ]),
    ),
    (
        "management-of-the-core",
        InPlan(|plan| plan.servers[0].bmc.address = "10.72.0.2".parse().unwrap()),
    ),
    (
        "exposed-bastion",
        Text(SUPER, "\troute 10.76.16.0/24 unreachable;\n", ""),
    ),
    (
        "exposed-node",
        InPlan(|plan| {
            let tells = &mut router(plan, "super-spine-2").aggregates;
            tells.retain(|net| !net.contains(&"10.69.0.1".parse::<std::net::IpAddr>().unwrap()));
        }),
    ),
    (
        "exposed-ipv6",
        Text(
            SUPER,
            "route fd69::/48 unreachable",
            "route fd69:0:0:100::/56 unreachable",
        ),
    ),
    (
        "exposed-all-is-fine",
        Texts(&[
            (
                SUPER,
                "protocol static aggregates_ipv4 {",
                "protocol static none {\n\tdisabled; }\nfilter not_ipv4 {",
            ),
            (
                SUPER,
                "protocol static aggregates_ipv6 {",
                "filter not_ipv6 {",
            ),
        ]),
    ),
    ("promise-bastion", Text(CLUSTER, ", 10.76.16.1/32]", "]")),
    (
        "promise-ipv6-loopback",
        Text(
            CLUSTER,
            "loopback: [10.71.0.65/32, \"fd69::41/128\"]",
            "loopback: [10.71.0.65/32, \"fd69::49/128\"]",
        ),
    ),
    (
        "promise-ipv6-session",
        Texts(&[(SPINE, UP, ""), (SUPER, DOWN, "")]),
    ),
    (
        "promise-proxy",
        Text(CLUSTER, ", 10.75.3.1/32, 10.75.3.2/32]", ", 10.75.3.2/32]"),
    ),
];
