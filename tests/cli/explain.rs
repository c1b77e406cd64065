//! `placemat explain`: of rack specs and of cluster files, as text and as JSON, and what it refuses.

use crate::{says, shown};
use placemat_tests::{Place, repository};
use std::fmt::Write as _;

const CLUSTER: &str = "\
kind: Network
name: lan
type: internal
---
kind: Router
name: lan
interfaces:
  - {network: lan, addresses: [10.0.0.1/24]}
---
kind: Node
name: n1
tier: mock
interfaces: [lan]
";

fn small() -> String {
    let file = repository().join("menu/examples/small.yml");
    file.to_string_lossy().into_owned()
}

#[test]
fn a_bmc_of_a_rack_spec() {
    says!(Place::new(), &["explain", &small(), "bmc/rack1-cs1"]);
}

#[test]
fn the_same_as_json() {
    says!(
        Place::new(),
        &["explain", "--json", &small(), "bmc/rack1-cs1"]
    );
}

#[test]
fn a_server_of_a_cluster_file() {
    let place = Place::new();
    let file = place.write("cluster.yml", CLUSTER);
    says!(place, &["explain", &file.to_string_lossy(), "n1"]);
}

/// A value that would make the table too wide is cut there, and whole in JSON.
#[test]
fn a_router_of_necos_menu() {
    let place = Place::new();
    let neco = repository().join("menu/examples/neco/menu.yml");
    let neco = neco.to_string_lossy();
    let said = place.say(&["explain", &neco, "rack0-tor1"]).well();
    let relay = said.out.lines().find(|line| line.contains("apps.dnsmasq"));
    let relay = relay.expect("a relay");
    assert!(relay.contains("...  relays DHCP"), "{relay}");
    let json = place
        .say(&["explain", "--json", &neco, "rack0-tor1"])
        .well();
    assert!(
        json.out.contains("--dhcp-relay 10.69.0.65,10.71.255.5\""),
        "{}",
        json.out
    );
    place.assert_nothing_left();
}

#[test]
fn what_cannot_be_explained() {
    let place = Place::new();
    let cluster = place.write("cluster.yml", CLUSTER);
    let cluster = cluster.to_string_lossy();
    let bad = place.write("bad.yml", "kind: DataCenter\nname: x\nspine: 2\n");
    let broken = place.write("broken.yml", "kind: Node\nname: n1\ntier: nets\n");
    let neco = repository().join("menu/examples/neco/menu.yml");
    let mut all = String::new();
    for arguments in [
        &["explain", &small(), "rack1-cs3"][..],
        &["explain", &small(), "node/rack1-c1"],
        &["explain", &small(), ""],
        &["explain", &small()],
        &["explain", &cluster, "n2"],
        &["explain", &cluster, "lan"],
        &["explain", &bad.to_string_lossy(), "spine-1"],
        &["explain", &broken.to_string_lossy(), "n1"],
        &["explain", &neco.to_string_lossy(), "boot-9"],
        &["explain", &small(), &cluster, "n1"],
        &["explain", "/no/such.yml", "n1"],
    ] {
        let said = place.say(arguments);
        let _ = writeln!(all, "{}", shown(&place, &said));
    }
    insta::assert_snapshot!(all);
    place.assert_nothing_left();
}
