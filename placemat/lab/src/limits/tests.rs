//! What labs of some sizes need, and what is said where a host has less.

use super::*;
use crate::plan::Plan;
use placemat_spec::{Cluster, Source};
use std::fmt::Write as _;

/// Routers in a line, each with an address on both of its links.
fn line(routers: u32) -> Cluster {
    let mut text = String::new();
    for link in 1..routers {
        let _ = writeln!(text, "kind: Network\nname: l{link}\ntype: internal\n---");
    }
    for router in 0..routers {
        let _ = writeln!(text, "kind: Router\nname: r{router}\ninterfaces:");
        for (link, last) in [(router, 1), (router + 1, 0)] {
            if (1..routers).contains(&link) {
                let (high, low) = (link >> 8, link & 255);
                let _ = writeln!(
                    text,
                    "  - {{network: l{link}, addresses: [10.{high}.{low}.{last}/31]}}"
                );
            }
        }
        let _ = writeln!(
            text,
            "apps: [{{name: a, command: [/usr/sbin/dnsmasq, -k]}}, {{name: b, command: [dnsmasq, --port=0]}}]\n---"
        );
    }
    load(&text)
}

fn load(text: &str) -> Cluster {
    let loaded = Cluster::load(vec![Source::inline("dc.yml", text)]);
    loaded.unwrap_or_else(|it| panic!("{it}")).0
}

fn demand(cluster: &Cluster) -> Demand {
    Demand::of(cluster, &Plan::of(cluster))
}

/// A host as a distribution sets it up.
fn usual() -> Measured {
    let has = |has| Reading {
        has: Some(has),
        used: 0,
    };
    let mut measured: BTreeMap<&'static str, Reading> = LIMITS
        .iter()
        .map(|limit| (limit.name, has(63_000)))
        .collect();
    for name in [
        "net.ipv4.neigh.default.gc_thresh3",
        "net.ipv6.neigh.default.gc_thresh3",
    ] {
        measured.insert(name, has(1024));
    }
    measured.insert("fs.inotify.max_user_instances", has(128));
    measured.insert("open files", has(4096));
    measured.insert(
        "kernel.pid_max",
        Reading {
            has: Some(32_768),
            used: 800,
        },
    );
    Measured(measured)
}

fn said(cluster: &Cluster, measured: &Measured) -> String {
    let found = check(&demand(cluster), measured);
    let lines = found.iter().map(|finding| {
        let problems = cluster.problems(vec![finding.problem()]);
        problems.render_as(finding.severity, false)
    });
    lines.collect()
}

#[test]
fn what_segments_need() {
    let cluster = load(
        "kind: Network\nname: bmc\ntype: bmc\naddress: 10.1.0.1/24\n---\n\
         kind: Network\nname: lan\ntype: external\naddresses: [10.0.0.1/24, 'fd00::1/64']\n---\n\
         kind: Network\nname: pair\ntype: internal\n---\n\
         kind: Router\nname: a\ninterfaces: [{network: lan, addresses: [10.0.0.2/24]}, {network: pair, addresses: [10.2.0.0/31]}]\n---\n\
         kind: Router\nname: b\ninterfaces: [{network: pair, addresses: [10.2.0.1/31]}]\n---\n\
         kind: Node\nname: n1\ncpu: 4\ntpm: true\ninterfaces: [lan]\nbmc: {address: 10.1.0.2}\n---\n\
         kind: Node\nname: n2\ntier: mock\nbmc: {address: 10.1.0.3}\n",
    );
    let Demand {
        neighbours: [ipv4, ipv6],
        namespaces,
        threads,
        own_files,
        ..
    } = demand(&cluster);
    // On `lan` the hub and `a` know each other and `n1`; `a` and `b` each other. Three namespaces.
    assert_eq!((ipv4.sure, ipv4.likely), (2 + 2, 4 + 2 + 3));
    assert_eq!((ipv6.sure, ipv6.likely), (2, 8 + 3));
    assert_eq!(namespaces, Need::all(3));
    // The lab's, two inits, QEMU's with four CPUs, swtpm's.
    assert_eq!(threads, Need::all(24 + 2 + 6 + 4 + 2));
    assert_eq!(own_files, Need::all(64 + 7 * 3 + 8 + 4 * 2));
}

#[test]
fn a_thousand_routers_on_a_usual_host() {
    let text = said(&line(1000), &usual());
    for words in [
        "error[host-limit]: the lab needs 2999 IPv4 neighbours of all namespaces; net.ipv4.neigh.default.gc_thresh3 allows 1024",
        "`sysctl -w net.ipv4.neigh.default.gc_thresh1=2048 net.ipv4.neigh.default.gc_thresh2=4096 net.ipv4.neigh.default.gc_thresh3=8192` raises it; `placemat doctor --fix FILE` does that, as root",
        "warning[host-limit]: the lab may need 1000 inotify instances of a user; fs.inotify.max_user_instances allows 128",
        "error[host-limit]: the lab needs 7071 open files of a process; open files allows 4096",
        "`ulimit -n 16384` raises it for this shell",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert_eq!(text.matches("[host-limit]").count(), 3, "{text}");
    assert_eq!(said(&line(60), &usual()), "");
}

#[test]
fn what_is_in_use_counts() {
    let mut measured = usual();
    let neighbours = "net.ipv4.neigh.default.gc_thresh3";
    let reading = Reading {
        has: Some(1024),
        used: 900,
    };
    measured.0.insert(neighbours, reading);
    let text = said(&line(60), &measured);
    let words = "warning[host-limit]: the lab may need 179 IPv4 neighbours of all namespaces; net.ipv4.neigh.default.gc_thresh3 allows 1024, 900 of them in use";
    assert!(text.contains(words), "{text}");
    // What the remedy sets is enough for the same lab.
    let found = check(&demand(&line(60)), &measured);
    let most = found[0].settings().last().map(|(_, value)| *value);
    measured.0.insert(
        neighbours,
        Reading {
            has: most,
            used: 900,
        },
    );
    assert_eq!(said(&line(60), &measured), "");
}

#[test]
fn what_is_not_known_is_no_problem() {
    assert_eq!(said(&line(1000), &Measured::default()), "");
}
