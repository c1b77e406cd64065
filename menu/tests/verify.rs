//! Rules of a generated data center: each is broken once in the plan or in a rendered file, and found.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use placemat_menu::topology::Plan;
use placemat_menu::verify::{RULES, verify};
use placemat_menu::{File, Source, expand, plan};
use std::path::Path;

fn source(text: &str) -> Source {
    Source {
        dir: "/dc".into(),
        ..Source::inline("dc.yml", text)
    }
}

fn small() -> (Plan, Vec<File>) {
    let source = source(include_str!("../examples/small.yml"));
    (plan(&source).unwrap(), expand(&source).unwrap().files)
}

/// One thing broken in the small example.
enum Break {
    /// In a file: a text, and what stands there instead, once.
    Text(&'static str, &'static str, &'static str),
    /// The same, in several places.
    Texts(&'static [(&'static str, &'static str, &'static str)]),
    /// A file is not there.
    Without(&'static str),
    /// In the plan.
    Plan(fn(&mut Plan)),
}

use Break::{Plan as InPlan, Text, Texts, Without};

const TOR: &str = "bird/rack1-tor1.conf";
const SPINE: &str = "bird/spine-1.conf";
const BOOT: &str = "bird/rack1-boot.conf";
const CLUSTER: &str = "cluster.yml";
const SESSION: &str = "\nprotocol bgp 'spine-1' from 'spine_ipv4' {\n\tlocal 10.72.1.1;\n\tneighbor 10.72.1.0 as 64600;\n}\n";
const BACK: &str = "\nprotocol bgp 'rack1-tor1' from 'tor_ipv4' {\n\tlocal 10.72.1.0;\n\tneighbor 10.72.1.1 as 64601;\n}\n";
const LINK: &str = "name: s1-r1t1\ntype: internal\n";

/// By rule.
const BREAKS: &[(&str, Break)] = &[
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

fn replace(files: &mut [File], path: &str, from: &str, to: &str) {
    let file = files
        .iter_mut()
        .find(|file| file.path == Path::new(path))
        .unwrap();
    assert!(file.contents.contains(from), "{path} has no {from}");
    file.contents = file.contents.replacen(from, to, 1);
}

/// What is said of the small example with one thing broken; nothing where it is still good.
fn said(broken: &Break) -> String {
    let (mut plan, mut files) = small();
    match broken {
        Text(path, from, to) => replace(&mut files, path, from, to),
        Texts(all) => {
            for (path, from, to) in *all {
                replace(&mut files, path, from, to);
            }
        }
        Without(path) => files.retain(|file| file.path != Path::new(path)),
        InPlan(change) => change(&mut plan),
    }
    let said = verify(&plan, &files);
    said.map_or_else(
        |problems| problems.to_string(),
        |_| "nothing is wrong".into(),
    )
}

#[test]
fn whatever_is_broken_is_found() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots/verify");
    let _bound = settings.bind_to_scope();
    for (name, broken) in BREAKS {
        insta::assert_snapshot!(*name, said(broken));
    }
}

/// Each rule is broken here, in each of the ways in which it can be.
#[test]
fn no_rule_is_without_a_test() {
    for rule in RULES {
        let mut breaks = BREAKS.iter().map(|(name, _)| *name);
        assert!(
            breaks.any(|name| name.starts_with(rule.name)),
            "{} is never broken",
            rule.name
        );
    }
    let said: String = BREAKS.iter().map(|(_, broken)| said(broken)).collect();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verify/rule");
    for file in rules.read_dir().unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for after in text.split("Problem::new(\"").skip(1) {
            let code = after.split('"').next().unwrap();
            assert!(
                said.contains(&format!("error[{code}]")),
                "{code} is never provoked"
            );
        }
    }
}

#[test]
fn examples_keep_every_rule_and_tell_their_single_points_of_failure() {
    let one = "
kind: DataCenter
name: one
spines: 1
tors: 1
types: {light: {tier: netns}, chassis: {tier: mock}}
racks: [{count: 3, servers: [2 x light, chassis]}, {servers: []}]
image: {bundle: node}
";
    let lines = |text: &str| {
        let source = source(text);
        let report = verify(&plan(&source).unwrap(), &expand(&source).unwrap().files);
        report
            .unwrap_or_else(|problems| panic!("{problems}"))
            .single_points
            .join("\n")
    };
    // The servers of both examples are the same in number and place.
    for text in [
        include_str!("../examples/small.yml"),
        include_str!("../examples/routers.yml"),
    ] {
        insta::allow_duplicates! { insta::assert_snapshot!(lines(text), @r"
    feed feed-spines: 2 routers without power; what is left falls into 2 parts, the largest with 2 of 4 servers
    feed feed-rack1 or feed-rack2: 2 routers, 1 boot server and 2 servers without power
    boot server rack1-boot or rack2-boot: 2 servers find nobody to boot from
    ") }
    }
    insta::assert_snapshot!(lines(one), @r"
    spine spine-1: what is left falls into 4 parts, the largest with 2 of 6 servers
    any tor of 3 (rack1-tor1 ... rack3-tor1): 1 boot server and 2 servers cut off
    tor rack4-tor1: 1 boot server cut off
    any link of 3 (s1-r1t1 ... s1-r3t1): 1 router, 1 boot server and 2 servers cut off
    any link of 4 (r1b-t1 ... r4b-t1): 1 boot server cut off
    link s1-r4t1: 1 router and 1 boot server cut off
    feed feed-spines: 1 router without power; what is left falls into 4 parts, the largest with 2 of 6 servers
    any feed of 3 (feed-rack1 ... feed-rack3): 1 router, 1 boot server and 3 servers without power
    feed feed-rack4: 1 router and 1 boot server without power
    any boot server of 3 (rack1-boot ... rack3-boot): 2 servers find nobody to boot from
    ");
}

#[test]
fn what_has_a_core_pods_or_ipv6_keeps_every_rule() {
    for text in [
        include_str!("inputs/medium.yml"),
        include_str!("inputs/turned.yml"),
    ] {
        let output = expand(&source(text)).unwrap();
        if let Err(problems) = verify(&output.plan, &output.files) {
            panic!("{problems}");
        }
    }
}

#[test]
fn the_book_has_every_rule() {
    let rules = RULES
        .iter()
        .map(|rule| format!("| {} | {} |\n", rule.name, rule.holds));
    let table = format!(
        "| rule | what holds |\n|---|---|\n{}",
        rules.collect::<String>()
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/menu.md");
    let book = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = book.split_once("`menu/src/verify.rs` -->\n").unwrap();
    let (now, after) = rest.split_once("<!-- end -->").unwrap();
    if std::env::var_os("PLACEMAT_UPDATE").is_some() {
        let text = format!("{before}`menu/src/verify.rs` -->\n{table}<!-- end -->{after}");
        std::fs::write(path, text).unwrap();
    } else {
        assert_eq!(now, table, "PLACEMAT_UPDATE=1 writes it");
    }
}
