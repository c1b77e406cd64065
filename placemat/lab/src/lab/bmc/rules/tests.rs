//! Good and bad announcements in a small data center.

use super::*;
use placemat_spec::Source;
use std::path::Path;

const CLUSTER: &str = "
kind: Network
name: bmc
type: bmc
address: 10.72.16.1/20
---
kind: Network
name: far-bmc
type: bmc
address: 10.80.0.1/31
---
kind: Network
name: lan
type: internal
---
kind: Router
name: r1
interfaces: [{network: bmc, addresses: [10.72.16.2/20]}]
---
{kind: Node, name: a, interfaces: [lan]}
---
{kind: Node, name: b, interfaces: [lan]}
---
{kind: Node, name: c, interfaces: [lan], bmc: {address: 10.72.17.9}}
";

fn cluster() -> Cluster {
    let source = Source::file(Path::new("dc.yml"), CLUSTER);
    Cluster::load(vec![source]).expect("a good file").0
}

#[test]
fn every_address_is_heeded_or_refused_with_its_reason() {
    let cluster = cluster();
    let mut seats = HashMap::new();
    let mut said = Vec::new();
    for (node, address) in [
        ("a", "10.72.17.3"),
        ("a", "10.72.17.3"),
        ("b", "10.72.17.3"),
        ("b", "10.72.16.1"),
        ("b", "10.72.16.2"),
        ("b", "10.72.17.9"),
        ("b", "10.72.16.0"),
        ("b", "10.72.31.255"),
        ("b", "10.72.32.1"),
        ("c", "10.72.17.10"),
        ("c", "10.72.17.9"),
        ("a", "10.80.0.0"),
        ("b", "10.72.17.3"),
        ("a", "0.0.0.0"),
        ("a", "127.0.0.1"),
    ] {
        let address = address.parse().expect("an address");
        let verdict = match judge(&cluster, &seats, node, address) {
            Ok(None) => "is there".to_owned(),
            Ok(Some(seat)) => {
                let words = format!(
                    "moves to {}/{} on {}",
                    seat.address, seat.prefix_len, seat.network
                );
                seats.insert(node.to_owned(), seat);
                words
            }
            Err(refusal) => refusal.to_string(),
        };
        said.push(format!("{node}: {verdict}"));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn without_a_bmc_network_there_is_nowhere_to_be() {
    let address = "10.72.17.3".parse().expect("an address");
    let refusal = judge(&Cluster::default(), &HashMap::new(), "a", address).expect_err("refused");
    insta::assert_snapshot!(refusal);
}
