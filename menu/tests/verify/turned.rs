//! IPv6 links with an ASN for each switch, ToRs alone and in pairs, sabakan, a core.

use super::Break::{self, Plan as InPlan, Text};

const CLUSTER: &str = "cluster.yml";
const CORE: &str = "bird/core.conf";
const TOR: &str = "bird/rack1-tor1.conf";
const BOOT: &str = "bird/rack1-boot.conf";

pub(crate) const BREAKS: &[(&str, Break)] = &[
    (
        "sessions-ipv6-server",
        Text(
            TOR,
            "neighbor fd69::101:5054:ff:fe00:450 as",
            "neighbor fd69::101:5054:ff:fe00:451 as",
        ),
    ),
    ("sessions-ipv6-bfd", Text(BOOT, "bfd on;", "bfd off;")),
    (
        "asns-per-switch",
        Text(
            TOR,
            "fd69:0:0:103::4 as 4200099997",
            "fd69:0:0:103::4 as 4200099998",
        ),
    ),
    (
        "pairs-ipv6-only",
        Text(
            CLUSTER,
            "{network: core-s2, addresses: [\"fd69:0:0:1::4/127\"]}",
            "{network: core-s1, addresses: [\"fd69:0:0:1::4/127\"]}",
        ),
    ),
    // Nobody has a MAC that this address could be made of.
    (
        "overlaps-ipv6-made-of-one-mac",
        InPlan(|plan| {
            let mac = plan.servers[0].interfaces[0].mac.clone();
            plan.servers[1].interfaces[0].mac = mac;
        }),
    ),
    (
        "dhcp-sabakan-no-relay",
        Text(
            CLUSTER,
            "--dhcp-relay=10.69.1.65,10.69.0.195",
            "--dhcp-relay=10.69.1.65,10.69.0.3",
        ),
    ),
    (
        "boot-sabakan-unknown",
        InPlan(|plan| drop(plan.boot_servers[0].machines.pop())),
    ),
    (
        "management-sabakan-untold",
        Text(CORE, "\tinterface \"eth1\";\n", ""),
    ),
    (
        "exposed-spine",
        Text(
            "bird/spine-2.conf",
            "\troute 10.71.0.0/16 unreachable;\n",
            "",
        ),
    ),
];
