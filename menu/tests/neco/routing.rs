//! What the routers' BIRDs must say: every protocol with its filters and timers, written by hand.

use crate::bird;
use crate::expected::sorted;
use crate::folder::{MENU, expand, file};
use std::path::Path;

/// What every router has, and its further protocols by name.
fn router(kernel: &[&str], others: Vec<(&str, Vec<String>)>) -> bird::Config {
    let lines = |lines: &[&str]| sorted(lines.iter().map(|line| (*line).to_owned()).collect());
    let mut protocols: std::collections::BTreeMap<_, _> = others
        .into_iter()
        .map(|(name, lines)| (name.to_owned(), sorted(lines)))
        .collect();
    protocols.insert("device".into(), lines(&["kind device", "scan time 60"]));
    protocols.insert(
        "bfd".into(),
        lines(&[
            "kind bfd",
            "interface \"*\" / min rx interval 400 ms",
            "interface \"*\" / min tx interval 400 ms",
        ]),
    );
    protocols.insert(
        "kernel".into(),
        lines(&[&["kind kernel", "merge paths"], kernel].concat()),
    );
    bird::Config {
        global: vec!["log stderr all".into()],
        protocols,
    }
}

const EXPORT_ALL: &[&str] = &["ipv4 / export all"];

/// A session over which everything goes.
fn open(own: u32, neighbor: &str, asn: u32, more: &[&str]) -> Vec<String> {
    let mut lines = vec![
        "kind bgp".to_owned(),
        format!("local as {own}"),
        format!("neighbor {neighbor} as {asn}"),
        "bfd".to_owned(),
        "ipv4 / import all".to_owned(),
        "ipv4 / export all".to_owned(),
    ];
    lines.extend(more.iter().map(|line| (*line).to_owned()));
    lines
}

const OWN_HOP: &[&str] = &["ipv4 / next hop self"];

#[test]
fn bird_of_the_core() {
    let expansion = expand(MENU);
    let way_out = ["kind static", "ipv4", "route 0.0.0.0/0 via 10.0.0.1"];
    let expected = router(
        EXPORT_ALL,
        vec![
            ("way_out", way_out.map(str::to_owned).to_vec()),
            ("spine1", open(64597, "10.72.2.1", 64599, OWN_HOP)),
            ("spine2", open(64597, "10.72.2.3", 64599, OWN_HOP)),
        ],
    );
    assert_eq!(
        bird::read(file(&expansion, "bird_core.conf").unwrap()),
        expected
    );
}

#[test]
fn bird_of_spines() {
    let expansion = expand(MENU);
    // Spine, core's end, own BMC address, ToRs' ends.
    let cases = [
        (1, "10.72.2.0", "10.72.16.2", [1, 3, 5, 7]),
        (2, "10.72.2.2", "10.72.16.3", [9, 11, 13, 15]),
    ];
    for (number, core, bmc, tors) in cases {
        let aggregates = [
            "kind static".to_owned(),
            "ipv4 / table outside".to_owned(),
            format!("route 10.72.32.0/20 via {core}"),
            format!("route 10.72.48.0/24 via {core}"),
            format!("route 10.72.49.0/25 via {core}"),
            format!("route 172.19.0.0/24 via {core}"),
            format!("route 10.72.16.0/20 via {bmc}"),
        ];
        let pipe = [
            "kind pipe",
            "table master4",
            "peer table outside",
            "import filter / if proto = \"aggregates\" then reject",
            "import filter / accept",
            "export none",
        ];
        let tor =
            |index: usize, asn| open(64599, &format!("10.72.1.{}", tors[index]), asn, OWN_HOP);
        let mut expected = router(
            EXPORT_ALL,
            vec![
                ("rack0-tor1", tor(0, 64600)),
                ("rack0-tor2", tor(1, 64600)),
                ("rack1-tor1", tor(2, 64601)),
                ("rack1-tor2", tor(3, 64601)),
                ("aggregates", aggregates.to_vec()),
                (
                    "core",
                    open(
                        64599,
                        core,
                        64597,
                        &["ipv4 / table outside", "ipv4 / next hop self"],
                    ),
                ),
                ("from_outside", pipe.map(str::to_owned).to_vec()),
            ],
        );
        expected.global.push("ipv4 table outside".into());
        let name = format!("bird_spine{number}.conf");
        assert_eq!(bird::read(file(&expansion, &name).unwrap()), expected);
    }
}

/// A ToR, its ASN, the spines' ends, its servers by address.
type Case = (
    &'static str,
    u32,
    [u32; 2],
    &'static [(&'static str, &'static str)],
);

#[test]
fn bird_of_tors() {
    let expansion = expand(MENU);
    let server = |asn: u32, address: &str| {
        let lines = [
            "kind bgp",
            "direct",
            "passive",
            "rr client",
            "bfd",
            "error wait time 5, 20",
            "ipv4 / import all",
            "ipv4 / export filter / if proto = \"segment\" then reject",
            "ipv4 / export filter / accept",
        ];
        let mut lines = lines.map(str::to_owned).to_vec();
        lines.push(format!("local as {asn}"));
        lines.push(format!("neighbor {address} as {asn}"));
        lines
    };
    // ToR, ASN, spines' ends, servers by address.
    let cases: [Case; 4] = [
        (
            "rack0-tor1",
            64600,
            [0, 8],
            &[
                ("boot-0", "10.69.0.67"),
                ("rack0-cs1", "10.69.0.68"),
                ("rack0-cs2", "10.69.0.69"),
            ],
        ),
        (
            "rack0-tor2",
            64600,
            [2, 10],
            &[
                ("boot-0", "10.69.0.131"),
                ("rack0-cs1", "10.69.0.132"),
                ("rack0-cs2", "10.69.0.133"),
            ],
        ),
        (
            "rack1-tor1",
            64601,
            [4, 12],
            &[
                ("boot-1", "10.69.1.3"),
                ("rack1-cs1", "10.69.1.4"),
                ("rack1-cs2", "10.69.1.5"),
                ("rack1-ss1", "10.69.1.6"),
                ("rack1-ss2", "10.69.1.7"),
            ],
        ),
        (
            "rack1-tor2",
            64601,
            [6, 14],
            &[
                ("boot-1", "10.69.1.67"),
                ("rack1-cs1", "10.69.1.68"),
                ("rack1-cs2", "10.69.1.69"),
                ("rack1-ss1", "10.69.1.70"),
                ("rack1-ss2", "10.69.1.71"),
            ],
        ),
    ];
    for (name, asn, spines, servers) in cases {
        let spine = |index: usize| open(asn, &format!("10.72.1.{}", spines[index]), 64599, &[]);
        let segment = ["kind direct", "interface \"eth2\"", "ipv4"];
        let mut protocols = vec![
            ("segment", segment.map(str::to_owned).to_vec()),
            ("spine1", spine(0)),
            ("spine2", spine(1)),
        ];
        protocols.extend(
            servers
                .iter()
                .map(|(name, address)| (*name, server(asn, address))),
        );
        let kernel = [
            "ipv4 / export filter / if source = RTS_DEVICE then reject",
            "ipv4 / export filter / accept",
        ];
        let expected = router(&kernel, protocols);
        let text = file(&expansion, &format!("bird_{name}.conf")).unwrap();
        assert_eq!(bird::read(text), expected, "{name}");
    }
}

/// BIRD's own parser has nothing against any of them.
#[test]
fn bird_accepts_every_configuration() {
    let bird = std::process::Command::new("bird").arg("--version").output();
    if bird.is_err() {
        let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|name| name == "bird"),
            "bird is required"
        );
        eprintln!("skipped: bird is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let one_spine = MENU
        .replace("spine: 2", "spine: 1")
        .replace("  ntp: 172.16.4.64/29\n", "");
    for menu in [MENU, &one_spine] {
        for file in expand(menu).files {
            if file
                .path
                .extension()
                .is_none_or(|extension| extension != "conf")
                || !file.path.starts_with(file.path.file_name().unwrap())
                || file.path == Path::new("squid.conf")
            {
                continue;
            }
            let path = folder.path().join(&file.path);
            std::fs::write(&path, &file.contents).unwrap();
            let bird = std::process::Command::new("bird")
                .args(["-p", "-c"])
                .arg(&path)
                .output()
                .unwrap();
            assert!(
                bird.status.success(),
                "{}: {}",
                file.path.display(),
                String::from_utf8_lossy(&bird.stderr)
            );
        }
    }
}
