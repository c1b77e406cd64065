//! What a menu must mean: names, addresses, ASNs, serials, volumes, protocols, relays, written by hand.

use crate::folder::{MENU, documents, expand, file};
use serde_json::{Value, json};
use std::path::Path;

/// As it must be, order apart where it means nothing.
pub(crate) fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn cluster() {
    let expansion = expand(MENU);
    assert!(expansion.warnings.is_empty(), "{}", expansion.warnings);
    let without_labels = |mut document: Value| {
        document.as_object_mut().unwrap().remove("labels");
        document
    };
    let text = &expansion.files[0].contents;
    let written: Vec<Value> = documents(text).into_iter().map(without_labels).collect();
    let expected = documents(&include_str!("notes/cluster.yml").replace("\n--- {", "\n---\n{"));
    assert_eq!(written.len(), 20 + 3 + 2 + 9 + 9);
    for (written, expected) in written.iter().zip(&expected) {
        assert_eq!(written, expected);
    }
    assert_eq!(written.len(), expected.len());
}

#[test]
fn labels() {
    let documents = documents(&expand(MENU).files[0].contents);
    let of = |name: &str| {
        let found = documents.iter().find(|document| document["name"] == name);
        found.unwrap()["labels"].clone()
    };
    assert_eq!(
        of("boot-1"),
        json!({"role": "boot", "rack": "1", "cluster-id": "two"})
    );
    assert_eq!(
        of("rack1-ss2"),
        json!({"role": "ss", "rack": "1", "cluster-id": "two"})
    );
    assert_eq!(
        of("rack0-tor2"),
        json!({"role": "tor", "rack": "0", "cluster-id": "two"})
    );
    assert_eq!(of("spine1"), json!({"role": "spine", "cluster-id": "two"}));
}

#[test]
fn the_same_files_as_placemat_menu_with_their_modes() {
    let expansion = expand(MENU);
    let names: Vec<String> = expansion
        .files
        .iter()
        .map(|file| format!("{:o} {}", file.mode, file.path.display()))
        .collect();
    let expected = [
        "644 bird_core.conf",
        "644 bird_rack0-tor1.conf",
        "644 bird_rack0-tor2.conf",
        "644 bird_rack1-tor1.conf",
        "644 bird_rack1-tor2.conf",
        "644 bird_spine1.conf",
        "644 bird_spine2.conf",
        "644 chrony-ign.yml",
        "644 chrony.ign",
        "644 cluster.yml",
        "644 machines.yml",
        "644 network.yml",
        "644 sabakan/machines.json",
        "644 seed_boot-0.yml",
        "644 seed_boot-1.yml",
        "644 squid.conf",
        "755 setup-default-gateway-external",
        "755 setup-default-gateway-operation",
        "755 setup-iptables",
        "755 setup-iptables-spine",
    ];
    assert_eq!(sorted(names), expected);
    assert_eq!(expansion.files[0].path, Path::new("cluster.yml"));
}

#[test]
fn plan_has_the_addresses_of_the_arithmetic() {
    let source = crate::folder::source(MENU);
    let plan = placemat_menu::neco::plan(
        &source,
        &crate::folder::Folder::usual(),
        Path::new("/dc/out"),
    )
    .unwrap();
    let [rack0, rack1] = plan.racks.as_slice() else {
        panic!("two racks")
    };
    assert_eq!((rack0.asn, rack1.asn), (64600, 64601));
    let of = |server: &placemat_menu::neco::plan::Server| {
        server
            .addresses
            .map(|address| address.to_string())
            .join(" ")
    };
    assert_eq!(of(&rack0.boot), "10.69.0.3 10.69.0.67 10.69.0.131");
    assert_eq!(of(&rack0.cs[0]), "10.69.0.4 10.69.0.68 10.69.0.132");
    assert_eq!(of(&rack0.cs[1]), "10.69.0.5 10.69.0.69 10.69.0.133");
    assert_eq!(of(&rack1.boot), "10.69.0.195 10.69.1.3 10.69.1.67");
    assert_eq!(of(&rack1.cs[0]), "10.69.0.196 10.69.1.4 10.69.1.68");
    assert_eq!(of(&rack1.cs[1]), "10.69.0.197 10.69.1.5 10.69.1.69");
    assert_eq!(of(&rack1.ss[0]), "10.69.0.198 10.69.1.6 10.69.1.70");
    assert_eq!(of(&rack1.ss[1]), "10.69.0.199 10.69.1.7 10.69.1.71");
    assert_eq!(
        (rack0.bastion.to_string(), rack1.bastion.to_string()),
        ("10.72.48.0/32".into(), "10.72.48.1/32".into())
    );
}

#[test]
fn other_files() {
    let expansion = expand(MENU);
    let text = |name: &str| file(&expansion, name).unwrap();
    let commands = |name: &str| -> Vec<&str> {
        text(name)
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect()
    };
    for script in [
        "setup-iptables",
        "setup-iptables-spine",
        "setup-default-gateway-operation",
        "setup-default-gateway-external",
    ] {
        assert!(text(script).starts_with("#!/bin/sh\n"), "{script}");
    }
    assert_eq!(
        commands("setup-iptables"),
        [
            "iptables -t nat -A POSTROUTING -o eth0 -s 172.19.0.0/24 -j MASQUERADE",
            "iptables -t nat -A POSTROUTING -o eth0 -s 172.16.4.64/29 -j MASQUERADE",
        ]
    );
    assert_eq!(
        commands("setup-iptables-spine"),
        ["iptables -t nat -A POSTROUTING -o eth1 -d 10.72.16.1/20 -j MASQUERADE"]
    );
    assert_eq!(
        commands("setup-default-gateway-operation"),
        ["ip route add default via 10.72.4.1"]
    );
    assert_eq!(
        commands("setup-default-gateway-external"),
        ["ip route add default via 10.72.3.1"]
    );
    assert_eq!(
        documents(text("network.yml")),
        [json!({"version": "2", "ethernets": {}})]
    );
    assert_eq!(
        documents(text("machines.yml")),
        [json!({"racks": [
            {"name": "rack0", "workers": {"cs": "2", "ss": "0"}, "boot": {"bastion": "10.72.48.0/32"}},
            {"name": "rack1", "workers": {"cs": "2", "ss": "2"}, "boot": {"bastion": "10.72.48.1/32"}},
        ]})]
    );
    let mut squid: Vec<&str> = commands("squid.conf")
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect();
    // The first rule that fits holds; the rest may come in any order.
    assert_eq!(
        squid.drain(..3).collect::<Vec<_>>(),
        [
            "http_access allow manager localhost",
            "http_access deny manager",
            "http_access allow all"
        ]
    );
    squid.sort_unstable();
    assert_eq!(
        squid,
        [
            "access_log stdio:/var/log/squid/access.log",
            "cache_mem 200 MB",
            "coredump_dir /var/spool/squid",
            "detect_broken_pconn on",
            "forwarded_for delete",
            "http_port 3128",
            "httpd_suppress_version_string on",
            "maximum_object_size 100 MB",
            "maximum_object_size_in_memory 100 MB",
            "pid_filename none",
        ]
    );
}

#[test]
fn sabakan_gets_every_machine_in_order() {
    let expansion = expand(MENU);
    let machines: Vec<Value> =
        serde_json::from_str(file(&expansion, "sabakan/machines.json").unwrap()).unwrap();
    let machine = |serial: &str, rack: u32, role: &str| {
        json!({
            "serial": serial,
            "labels": {"product": "vm", "machine-type": "qemu", "datacenter": "dc1"},
            "rack": rack,
            "index-in-rack": 0,
            "role": role,
            "ipv4": null,
            "ipv6": null,
            "register-date": "0001-01-01T00:00:00Z",
            "retire-date": "0001-01-01T00:00:00Z",
            "bmc": {"ipv4": "", "ipv6": "", "type": "IPMI-2.0"},
        })
    };
    let expected = [
        machine("fb8f2417d0b4db30050719c31ce02a2e8141bbd8", 0, "boot"),
        machine("ba49d9a971c5a0344edfda5c8116745ea16fa4dd", 0, "cs"),
        machine("e6abb04b4645a765faf91f97536ec64f9cecfb61", 0, "cs"),
        machine("fa362303b7af8c4291773ab496aaca16726beaa3", 1, "boot"),
        machine("4ae0771764376e0184274e24e0b18abd8fa5f285", 1, "cs"),
        machine("aec899fb87747909c95a2decaa4f25899f07516e", 1, "cs"),
        machine("1145129a085ecf521ab524028302a6b4a4e49a00", 1, "ss"),
        machine("628c8c360d0113de66db14a225affcb85fb2a27f", 1, "ss"),
    ];
    assert_eq!(machines, expected);
}

#[test]
fn the_time_server_has_the_same_in_both_forms() {
    let expansion = expand(MENU);
    let config = documents(file(&expansion, "chrony-ign.yml").unwrap()).remove(0);
    let ignition: Value = serde_json::from_str(file(&expansion, "chrony.ign").unwrap()).unwrap();
    assert_eq!(ignition["ignition"]["version"], "2.3.0");
    let decoded = |url: &str| {
        let text = url.strip_prefix("data:,").unwrap();
        let mut bytes = text.bytes();
        let mut out = Vec::new();
        while let Some(byte) = bytes.next() {
            out.push(match byte {
                b'%' => {
                    let hex: Vec<u8> = bytes.by_ref().take(2).collect();
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                byte => byte,
            });
        }
        String::from_utf8(out).unwrap()
    };
    let files = config["storage"]["files"].as_array().unwrap();
    assert_eq!(files.len(), 3);
    for (index, file) in files.iter().enumerate() {
        let other = &ignition["storage"]["files"][index];
        assert_eq!(file["path"], other["path"]);
        assert_eq!(
            (&file["filesystem"], &other["filesystem"]),
            (&json!("root"), &json!("root"))
        );
        assert_eq!(
            (&file["mode"], &other["mode"]),
            (&json!("0644"), &json!(0o644))
        );
        assert_eq!(
            file["contents"]["inline"],
            decoded(other["contents"]["source"].as_str().unwrap())
        );
    }
    let conf = files[2]["contents"]["inline"].as_str().unwrap();
    for line in [
        "server 216.239.35.12 iburst",
        "server 216.239.35.4 iburst",
        "makestep 0.1 3",
        "allow 10.0.0.0/8",
        "leapsecmode slew",
        "lock_all",
        "sched_priority 99",
    ] {
        assert!(conf.lines().any(|it| it == line), "{line}");
    }
    assert_eq!(
        (&files[0]["path"], &files[0]["contents"]["inline"]),
        (&json!("/etc/hostname"), &json!("chrony\n"))
    );
    assert_eq!(files[1]["contents"]["inline"], "nameserver 8.8.8.8\n");
    let network = &config["networkd"]["units"][0];
    assert_eq!(network, &ignition["networkd"]["units"][0]);
    let wanted = [
        "Name=eth0",
        "Address=172.16.4.65/29",
        "Address=172.16.4.66/29",
        "Gateway=172.16.4.67",
    ];
    for line in wanted {
        assert!(
            network["contents"]
                .as_str()
                .unwrap()
                .lines()
                .any(|it| it == line),
            "{line}"
        );
    }
    let units = (&config["systemd"]["units"], &ignition["systemd"]["units"]);
    assert_eq!(
        (&units.0[0]["mask"], &units.1[0]["mask"]),
        (&json!("true"), &json!(true))
    );
    assert_eq!(units.0[1]["contents"], units.1[1]["contents"]);
    assert_eq!(
        (&units.0[1]["enable"], &units.1[1]["enabled"]),
        (&json!("true"), &json!(true))
    );
    assert!(
        units.0[1]["contents"]
            .as_str()
            .unwrap()
            .contains("ghcr.io/cybozu/chrony:")
    );
    let (user, other) = (
        &config["passwd"]["users"][0],
        &ignition["passwd"]["users"][0],
    );
    assert_eq!(
        (&user["name"], &user["password_hash"], &user["groups"]),
        (&other["name"], &other["passwordHash"], &other["groups"])
    );
    assert_eq!(user["name"], "cybozu");
}

#[test]
fn snapshots_of_all_files() {
    let example = include_str!("../../examples/neco/menu.yml");
    let folder = crate::folder::Folder::new(&[
        ("ipam.json", include_str!("../../examples/neco/ipam.json")),
        (
            "boot-seed.yml.template",
            include_str!("../../examples/neco/boot-seed.yml.template"),
        ),
    ]);
    let expansion = crate::folder::expand_with(example, &folder)
        .unwrap_or_else(|problems| panic!("{problems}"));
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots/neco");
    settings.bind(|| {
        for file in expansion.files {
            let name = file.path.display().to_string().replace('/', "-");
            insta::assert_snapshot!(name, file.contents);
        }
    });
}
