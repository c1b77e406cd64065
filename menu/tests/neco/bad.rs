//! What bad menus are told: a good one with one thing wrong, and a snapshot of what is said.

use crate::folder::{Folder, IPAM, MENU, expand_with};
use placemat_menu::neco;
use placemat_spec::document::Dialect;
use std::fmt::Write as _;
use std::path::Path;

/// Name of the snapshot, what is replaced in the menu, and by what.
const MENUS: &[(&str, &str, &str)] = &[
    ("unknown-key", "  proxy: 10.0.49.3", "  prxy: 10.0.49.3"),
    ("unknown-key-of-a-rack", "{cs: 2, ss: 0}", "{cs: 2, sss: 0}"),
    (
        "unknown-key-of-a-node",
        "  disk-size: 30G",
        "  disk-sise: 30G",
    ),
    ("unknown-kind", "kind: Inventory", "kind: Inventori"),
    ("unknown-type", "type: ss", "type: ss2"),
    ("type-without-value", "type: boot", "type:"),
    ("no-kind", "kind: Inventory\n", ""),
    (
        "no-spec",
        "kind: Inventory\nspec: ",
        "kind: Inventory\nspek: ",
    ),
    (
        "required-keys-missing",
        "  asn-base: 64600\n  internet: 10.0.0.0/24\n",
        "",
    ),
    ("no-cpu", "spec: {cpu: 2, memory", "spec: {memory"),
    (
        "cpu-without-value",
        "spec: {cpu: 2, memory",
        "spec: {cpu: , memory",
    ),
    (
        "smp-without-value",
        "  smp: {cpus: 12, cores: 6, sockets: 2}\n",
        "  smp:\n",
    ),
    ("ipam-config-missing", "  ipam-config: ipam.json\n", ""),
    (
        "ipam-config-without-value",
        "ipam-config: ipam.json",
        "ipam-config:",
    ),
    ("spine-missing", "spine: 2, ", ""),
    (
        "rack-missing",
        ", rack: [{cs: 2, ss: 0}, {cs: 2, ss: 2}]",
        "",
    ),
    (
        "exposed-without-bastion",
        "bastion: 10.72.48.0/24",
        "bastion: ~",
    ),
    ("cpu-and-smp", "  smp: {cpus", "  cpu: 4\n  smp: {cpus"),
    (
        "disks-and-disk-count",
        "  tpm: true\n  disks",
        "  disk-count: 2\n  tpm: true\n  disks",
    ),
    (
        "smp-does-not-add-up",
        "{cpus: 12, cores: 6, sockets: 2}",
        "{cpus: 12, cores: 5, sockets: 2}",
    ),
    (
        "more-numa-nodes-than-cpus",
        "numa: {nodes: 4}",
        "numa: {nodes: 13}",
    ),
    (
        "host-bits",
        "internet: 10.0.0.0/24",
        "internet: 10.0.0.1/24",
    ),
    (
        "ipv6",
        "core-external: 10.72.3.0/24",
        "core-external: fd00::/64",
    ),
    (
        "address-with-length",
        "spine-tor: 10.72.1.0",
        "spine-tor: 10.72.1.0/24",
    ),
    (
        "odd-spine-tor",
        "spine-tor: 10.72.1.0",
        "spine-tor: 10.72.1.1",
    ),
    (
        "core-spine-is-no-link",
        "core-spine: 10.72.2.0/31",
        "core-spine: 10.72.2.0/24",
    ),
    (
        "core-spine-is-no-link-of-two",
        "core-spine: 10.72.2.0/31",
        "core-spine: 10.72.2.0/32",
    ),
    ("ntp-too-small", "172.16.4.64/29", "172.16.4.64/30"),
    ("asn-too-small", "asn-base: 64600", "asn-base: 3"),
    ("asns-run-out", "asn-base: 64600", "asn-base: 4294967294"),
    ("no-spines", "spine: 2", "spine: 0"),
    (
        "no-racks",
        "rack: [{cs: 2, ss: 0}, {cs: 2, ss: 2}]",
        "rack: []",
    ),
    ("rack-full", "{cs: 2, ss: 2}", "{cs: 40, ss: 20}"),
    (
        "no-flatcar",
        "{kind: Image, name: flatcar, file: flatcar.img}",
        "{kind: Image, name: flatkar, file: flatcar.img}",
    ),
    ("image-unknown", "image: root-image", "image: root-imag"),
    (
        "device-class-unknown",
        "device-class: hdd",
        "device-class: hhd",
    ),
    (
        "image-with-two-sources",
        "file: ./extra.img",
        "file: ./extra.img, url: \"http://x/y\"",
    ),
    (
        "class-with-relative-path",
        "path: /srv/ssd",
        "path: srv/ssd",
    ),
    ("name-given-twice", "name: extra-image", "name: root-image"),
    (
        "cluster-id-is-no-word",
        "cluster-id: two",
        "cluster-id: two words",
    ),
    (
        "no-such-template",
        "cloud-init-template: seed.template",
        "cloud-init-template: no.template",
    ),
    (
        "no-such-ipam",
        "ipam-config: ipam.json",
        "ipam-config: none.json",
    ),
    ("overlap", "egress: 10.72.49.0/25", "egress: 10.72.48.0/25"),
    (
        "links-meet-links",
        "spine-tor: 10.72.1.0",
        "spine-tor: 10.72.1.248",
    ),
    ("type-twice", "type: ss", "type: cs"),
    (
        "network-twice",
        "---\n{kind: Image, name: flatcar",
        "---\nkind: Network\nspec: {}\n---\n{kind: Image, name: flatcar",
    ),
    (
        "ssh-key-of-two-lines",
        "  pod:",
        "  chrony: {ssh-authorized-keys: [\"a\\nb\"]}\n  pod:",
    ),
    ("yaml-not-closed", "{nodes: 4}", "{nodes: 4"),
    ("disk-size-of-nothing", "size: 100G", "size: lots"),
];

/// The same for the IPAM configuration.
const IPAMS: &[(&str, &str, &str)] = &[
    (
        "ipam-key-missing",
        "\t\"node-ipv4-pool\": \"10.69.0.0/20\",\n",
        "",
    ),
    ("ipam-key-unknown", "max-nodes-in-rack", "max-node-in-rack"),
    (
        "ipam-two-addresses-a-node",
        "\"node-ip-per-node\": 3",
        "\"node-ip-per-node\": 2",
    ),
    (
        "ipam-index-offset",
        "\"node-index-offset\": 3",
        "\"node-index-offset\": 5",
    ),
    (
        "ipam-mask-too-short",
        "\"node-ipv4-range-mask\": 26",
        "\"node-ipv4-range-mask\": 25",
    ),
    (
        "ipam-offset-in-a-subnet",
        "\"node-ipv4-offset\": \"\"",
        "\"node-ipv4-offset\": \"0.0.0.32\"",
    ),
    (
        "ipam-offset-is-no-offset",
        "\"node-ipv4-offset\": \"\"",
        "\"node-ipv4-offset\": \"32\"",
    ),
    (
        "ipam-pool-too-small-for-two",
        "10.69.0.0/20",
        "10.69.0.0/24",
    ),
    ("ipam-bmc-pool-too-small", "10.72.16.0/20", "10.72.16.0/24"),
    (
        "ipam-without-numbers",
        "\t\"node-ipv4-range-size\": 6,\n\t\"node-ipv4-range-mask\": 26,\n\t\"node-ip-per-node\": 3,\n",
        "",
    ),
    (
        "ipam-comma-after-the-last",
        "\"bmc-ipv4-gateway-offset\": 1",
        "\"bmc-ipv4-gateway-offset\": 1,",
    ),
    (
        "ipam-key-without-quotes",
        "\"max-nodes-in-rack\"",
        "max-nodes-in-rack",
    ),
    (
        "ipam-text-without-quotes",
        "\"10.69.0.0/20\"",
        "10.69.0.0/20",
    ),
    (
        "ipam-number-after-zero",
        "range-size\": 6,",
        "range-size\": 06,",
    ),
    (
        "ipam-number-of-base-16",
        "range-size\": 6,",
        "range-size\": 0x6,",
    ),
    ("ipam-comment", "\t\"max-nodes", "\t# most\n\t\"max-nodes"),
    ("ipam-not-closed", "\n}", "\n"),
    ("ipam-more-after-it", "\n}", "\n}\n---\n{}"),
    (
        "ipam-quote-not-closed",
        "\"10.72.16.0/20\"",
        "\"10.72.16.0/20ü",
    ),
    (
        "ipam-is-no-json",
        "\"node-ip-per-node\": 3,",
        "\"node-ip-per-node\" 3,",
    ),
];

fn said(menu: &str, folder: &Folder) -> String {
    expand_with(menu, folder).unwrap_err().to_string()
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots/neco-bad");
    settings
}

#[test]
fn bad_menus() {
    let _bound = settings().bind_to_scope();
    for (name, from, to) in MENUS {
        assert!(MENU.contains(from), "{name}");
        insta::assert_snapshot!(*name, said(&MENU.replacen(from, to, 1), &Folder::usual()));
    }
}

#[test]
fn bad_ipam_configurations() {
    let _bound = settings().bind_to_scope();
    for (name, from, to) in IPAMS {
        assert!(IPAM.contains(from), "{name}");
        let folder = Folder::usual().with("ipam.json", &IPAM.replacen(from, to, 1));
        insta::assert_snapshot!(*name, said(MENU, &folder));
    }
}

#[test]
fn bad_all_over() {
    let _bound = settings().bind_to_scope();
    let racks = vec!["{cs: 1}"; 22].join(", ");
    let twenty_two = MENU.replace("{cs: 2, ss: 0}, {cs: 2, ss: 2}", &racks);
    insta::assert_snapshot!("pool-ends-at-21-racks", said(&twenty_two, &Folder::usual()));
    let without = |word: &str| {
        let parts: Vec<&str> = MENU
            .split("---\n")
            .filter(|part| !part.contains(word))
            .collect();
        parts.join("---\n")
    };
    insta::assert_snapshot!("type-missing", said(&without("type: ss"), &Folder::usual()));
    insta::assert_snapshot!(
        "boot-type-missing",
        said(&without("type: boot"), &Folder::usual())
    );
    insta::assert_snapshot!(
        "no-network",
        said(&without("kind: Network"), &Folder::usual())
    );
    let twenty = MENU.replace("{cs: 2, ss: 2}", "{cs: 20}");
    for mask in [28, 32] {
        let ipam = IPAM.replace("range-mask\": 26", &format!("range-mask\": {mask}"));
        let folder = Folder::usual().with("ipam.json", &ipam);
        insta::assert_snapshot!(format!("mask-too-long-{mask}"), said(&twenty, &folder));
    }
    insta::assert_snapshot!("empty", said("# nothing\n", &Folder::usual()));
    let many = MENU
        .replace("  proxy: 10.0.49.3", "  prxy: 10.0.49.3")
        .replace("image: root-image", "image: rot-image")
        .replace("spine: 2", "spine: two");
    let folder = Folder::usual()
        .with(
            "ipam.json",
            &IPAM.replace("range-mask\": 26", "range-mask\": 99"),
        )
        .with("seed.template", "{{.Nmae}}");
    insta::assert_snapshot!("several-at-once", said(&many, &folder));
    insta::assert_snapshot!(
        "ipam-empty",
        said(MENU, &Folder::usual().with("ipam.json", ""))
    );
    insta::assert_snapshot!(
        "ipam-is-a-list",
        said(MENU, &Folder::usual().with("ipam.json", "[1]"))
    );
}

/// What sabakan would make of it is its own business: here it works.
#[test]
fn addresses_that_sabakan_would_get_wrong_are_warnings() {
    let twenty = MENU.replace("{cs: 2, ss: 0}", "{cs: 18, ss: 2}");
    let cases = [
        (
            "gateway",
            MENU,
            "node-gateway-offset\": 1",
            "node-gateway-offset\": 5",
        ),
        (
            "racks",
            &twenty,
            "bmc-ipv4-range-size\": 5",
            "bmc-ipv4-range-size\": 2",
        ),
        ("spines", MENU, "\"bmc-ipv4-offset\": \"0.0.1.0\",", ""),
        (
            "nodes",
            &twenty,
            "max-nodes-in-rack\": 28",
            "max-nodes-in-rack\": 19",
        ),
    ];
    let mut all = String::new();
    for (name, menu, from, to) in cases {
        assert!(IPAM.contains(from), "{name}");
        let folder = Folder::usual().with("ipam.json", &IPAM.replacen(from, to, 1));
        let expansion = expand_with(menu, &folder).unwrap_or_else(|problems| panic!("{problems}"));
        writeln!(all, "## {name}\n{}", expansion.warnings).unwrap();
    }
    insta::assert_snapshot!(all);
    // At the least that racks, and the first rack and the spines, can do with.
    for (menu, from, to) in [
        (
            MENU.replace("{cs: 2, ss: 0}", "{cs: 7}"),
            "range-size\": 5",
            "range-size\": 3",
        ),
        (
            MENU.replace("spine: 2", "spine: 1"),
            "\"bmc-ipv4-offset\": \"0.0.1.0\",",
            "",
        ),
        // The last rack meets nobody.
        (
            MENU.replace("{cs: 2, ss: 2}", "{cs: 20}"),
            "range-size\": 5",
            "range-size\": 2",
        ),
    ] {
        let folder = Folder::usual().with("ipam.json", &IPAM.replacen(from, to, 1));
        let expansion = expand_with(&menu, &folder).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(expansion.warnings.is_empty(), "{}", expansion.warnings);
    }
}

/// By placemat v2's rules, what meant nothing is a warning.
#[test]
fn what_placemat_menu_passed_over_is_a_warning_there() {
    let source =
        crate::folder::source(&MENU.replacen("  proxy: 10.0.49.3", "  prxy: 10.0.49.3", 1));
    let expansion =
        neco::expand(&source, &Folder::usual(), Path::new("/dc/out"), Dialect::V2).unwrap();
    insta::assert_snapshot!(expansion.warnings);
}

#[test]
fn menus_are_told_from_clusters_and_rack_specs() {
    let is = |text: &str| neco::is_menu(&crate::folder::source(text));
    assert!(is(MENU));
    assert!(is("kind: Inventory"));
    assert!(is(
        "kind: Image\nname: x\n---\nkind: Node\ntype: cs\nspec: {}\n"
    ));
    assert!(!is("kind: Network\nname: spec\ntype: internal\n"));
    assert!(!is("kind: DataCenter\nname: Inventory\n"));
    assert!(!is("kind: Node\nname: a # spec\n"));
    assert!(!is(include_str!("notes/cluster.yml")));
}
