//! Every kind of change in words, and what holds of any two clusters.

use super::compare::{NetworkRule, between};
use super::{Changes, LiveSession, SessionKind};
use crate::blueprint::Blueprint;
use crate::plan::{Plan, Rewiring};
use placemat_spec::selector::{Target, TargetKind};
use placemat_spec::{Cluster, Source};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Two routers on a link, a third on a network of three, a boot server, servers of every tier, power.
const LAB: &str = r"
{kind: Image, name: os, bundle: img}
---
{kind: DataFolder, name: tools, dir: tools}
---
{kind: DeviceClass, name: fast, path: /srv/fast}
---
{kind: Network, name: p2p, type: internal}
---
{kind: Network, name: lan, type: internal}
---
{kind: Network, name: bmc, type: bmc, address: 10.9.0.1/24}
---
{kind: Network, name: out, type: external, address: 10.8.0.1/24, use-nat: true}
---
kind: Router
name: a
interfaces: [{network: p2p, addresses: [10.0.0.0/31]}, {network: lan, addresses: [10.1.0.1/24]}]
loopback: [10.2.0.1/32]
bird: {config: a.conf}
apps: [{name: relay, command: [dnsmasq, -k]}]
---
kind: Router
name: b
interfaces: [{network: p2p, addresses: [10.0.0.1/31]}]
bird: {config: b.conf}
---
kind: Router
name: c
interfaces: [{network: lan, addresses: [10.1.0.2/24]}]
bird: {config: c.conf}
limits: {memory: 64M}
---
kind: BootServer
name: boot
interfaces: [{network: lan, addresses: [10.1.0.3/24]}]
loopback: [10.3.0.1/32]
image: os
dhcp: {ranges: [{subnet: 10.4.0.0/24, start: 10.4.0.10, end: 10.4.0.20}]}
machines: [{node: vm, kernel-params: [quiet], boot: ipxe}]
---
kind: Node
name: vm
cpu: 1
memory: 1G
firmware: {uefi: true}
interfaces: [lan]
bmc: {address: 10.9.0.2}
volumes: [{kind: raw, name: data, size: 3G, device-class: fast}, {kind: vvfat, name: tools, folder: tools}]
---
{kind: Node, name: light, tier: netns, image: os, interfaces: [lan]}
---
{kind: Node, name: dummy, tier: mock, bmc: {address: 10.9.0.3}}
---
{kind: Power, name: feed, loads: [node/vm, node/dummy]}
";

const BIRD: &str = "protocol device {}\nprotocol bgp up { neighbor 10.0.0.1 as 2; }\n";

fn blueprint(text: &str, birds: &[(&str, &str)]) -> Blueprint {
    let (cluster, _) = match Cluster::load(vec![Source::inline("lab.yml", text)]) {
        Ok(loaded) => loaded,
        Err(problems) => panic!("{problems}"),
    };
    let mut files: HashMap<PathBuf, _> = ["a.conf", "b.conf", "c.conf"]
        .into_iter()
        .map(|name| (PathBuf::from(name), BIRD.as_bytes().into()))
        .collect();
    files.extend(
        birds
            .iter()
            .map(|(name, text)| (PathBuf::from(name), text.as_bytes().into())),
    );
    Blueprint::with(cluster, files)
}

fn sessions() -> Vec<LiveSession> {
    let session = |of: &str, kind, protocol: Option<&str>, neighbor: &str| LiveSession {
        of: Target::new(TargetKind::Router, of),
        kind,
        protocol: protocol.map(str::to_owned),
        neighbor: neighbor.parse().expect("an address"),
        interface: None,
    };
    vec![
        session("a", SessionKind::Bgp, Some("up"), "10.0.0.1"),
        session("b", SessionKind::Bgp, Some("a"), "10.0.0.0"),
        session("a", SessionKind::Bfd, None, "10.0.0.1"),
        session("c", SessionKind::Bgp, Some("lan"), "10.1.0.1"),
        session("b", SessionKind::Bgp, Some("far"), "10.2.0.1"),
    ]
}

fn changes(text: &str, birds: &[(&str, &str)]) -> (Changes, String) {
    changes_under(text, birds, NetworkRule::Inside)
}

fn changes_under(text: &str, birds: &[(&str, &str)], rule: NetworkRule) -> (Changes, String) {
    let (old, new) = (blueprint(LAB, &[]), blueprint(text, birds));
    let mut plan = Plan::of(&new.cluster);
    let rewiring = Rewiring::between(&Plan::of(&old.cluster), &mut plan);
    let (changes, problems) = between(&old, &new, &rewiring, &sessions(), rule);
    let refused = if problems.is_empty() {
        String::new()
    } else {
        new.cluster.problems(problems).to_string()
    };
    (changes, refused)
}

/// The lab with each `from` replaced by its `to`.
fn edited(edits: &[(&str, &str)]) -> String {
    let mut text = LAB.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

#[test]
fn a_lab_does_not_differ_from_itself() {
    let (same, refused) = changes(LAB, &[]);
    assert_eq!((same.is_empty(), refused.as_str()), (true, ""));
    insta::assert_snapshot!(same, @"nothing differs");
    // Where a configuration lies, and in what order things are written, makes no difference.
    let moved = edited(&[("a.conf", "other/a.conf")]);
    let (same, _) = changes(&moved, &[("other/a.conf", BIRD)]);
    assert!(same.is_empty(), "{same}");
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table, a row for each kind of change"
)]
fn every_kind_of_change_in_words() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        (
            "a new router on a network of two",
            &[(
                "{kind: Power",
                "{kind: Router, name: d, interfaces: [{network: p2p, addresses: [10.5.0.1/24]}]}\n---\n{kind: Power",
            )],
        ),
        (
            "a router goes",
            &[(
                "kind: Router\nname: b\ninterfaces: [{network: p2p, addresses: [10.0.0.1/31]}]\nbird: {config: b.conf}\n---\n",
                "",
            )],
        ),
        (
            "an address changes",
            &[("addresses: [10.0.0.1/31]", "addresses: [10.0.0.1/30]")],
        ),
        ("a loopback changes", &[("10.2.0.1/32", "10.2.0.9/32")]),
        (
            "an interface moves",
            &[(
                "interfaces: [{network: lan, addresses: [10.1.0.2/24]}]",
                "interfaces: [{network: p2p, addresses: [10.5.0.2/24]}]",
            )],
        ),
        (
            "an app changes, and one comes",
            &[(
                "[dnsmasq, -k]}]",
                "[dnsmasq, -k, -q]}, {name: more, command: [sleep, \"9\"], after: [relay]}]",
            )],
        ),
        ("limits", &[("64M", "128M")]),
        ("BIRD goes", &[("bird: {config: b.conf}\n", "")]),
        (
            "hardware",
            &[("cpu: 1", "cpu: 2"), ("memory: 1G", "memory: 2G")],
        ),
        (
            "a machine gets a NIC",
            &[("interfaces: [lan]\nbmc", "interfaces: [lan, p2p]\nbmc")],
        ),
        (
            "a BMC",
            &[(
                "bmc: {address: 10.9.0.2}",
                "bmc: {address: 10.9.0.7, password: secret}",
            )],
        ),
        (
            "disks",
            &[
                ("size: 3G", "size: 4G"),
                ("/srv/fast", "/srv/faster"),
                ("dir: tools", "dir: other"),
            ],
        ),
        ("an image", &[("bundle: img", "bundle: other")]),
        (
            "labels and order of start",
            &[(
                "tier: netns,",
                "tier: netns, autostart: false, labels: {rack: \"1\"},",
            )],
        ),
        (
            "a tier",
            &[(
                "name: dummy, tier: mock",
                "name: dummy, tier: netns, image: os",
            )],
        ),
        (
            "boot entries and DHCP",
            &[
                ("kernel-params: [quiet]", "kernel-params: [debug]"),
                ("end: 10.4.0.20", "end: 10.4.0.30"),
            ],
        ),
        (
            "networks",
            &[
                (
                    "name: p2p, type: internal",
                    "name: p2p, type: internal, mtu: 1400, impair: {loss: 1%}",
                ),
                ("10.9.0.1/24", "10.9.0.254/24"),
            ],
        ),
        (
            "a network comes",
            &[(
                "{kind: Power",
                "{kind: Network, name: new, type: internal}\n---\n{kind: Power",
            )],
        ),
        (
            "power",
            &[(
                "loads: [node/vm, node/dummy]}",
                "loads: [node/vm]}\n---\n{kind: Power, name: pdu, type: pdu, loads: [node/dummy]}",
            )],
        ),
    ];
    let mut shown = String::new();
    for (title, edits) in cases {
        let (changes, refused) = changes(&edited(edits), &[]);
        assert_eq!(refused, "", "{title}");
        let _ = write!(shown, "== {title}\n{changes}\n");
    }
    let bird = BIRD.replace("as 2", "as 3") + "protocol bgp more { neighbor 10.0.0.9 as 4; }\n";
    let (changes, _) = changes(LAB, &[("a.conf", &bird)]);
    let _ = write!(shown, "== a BIRD configuration\n{changes}\n");
    insta::assert_snapshot!(shown);
}

#[test]
fn changes_as_json() {
    let bird = BIRD.replace("as 2", "as 3");
    let text = edited(&[("64M", "128M")]);
    let (changes, _) = changes(&text, &[("a.conf", &bird)]);
    insta::assert_json_snapshot!(changes);
    let line = serde_json::to_string(&changes).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Changes>(&line).expect("changes"),
        changes
    );
}

#[test]
fn what_cannot_be_done_live_is_refused_with_its_line() {
    let text = edited(&[
        (
            "name: lan, type: internal",
            "name: lan, type: external, address: 10.1.0.254/24",
        ),
        ("10.8.0.1/24", "10.8.0.2/24"),
    ]);
    let (changes, refused) = changes(&text, &[]);
    insta::assert_snapshot!(format!("{changes}\n{refused}"));
    let without = edited(&[(
        "---\n{kind: Network, name: out, type: external, address: 10.8.0.1/24, use-nat: true}\n",
        "",
    )]);
    let (_, refused) = self::changes(&without, &[]);
    insta::assert_snapshot!(refused);
    let attached = edited(&[("10.9.0.1/24", "10.9.0.254/24")]);
    let (_, refused) = changes_under(&attached, &[], NetworkRule::Attached);
    insta::assert_snapshot!(refused);
}
