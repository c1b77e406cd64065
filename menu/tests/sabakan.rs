//! What sabakan is told: its own arithmetic gives every machine the address that the plan has.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use placemat_menu::verify::verify;
use placemat_menu::{FORMATS, File, Rendering, Source, expand, expand_as};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::Path;

const SMALL: &str = include_str!("../examples/small.yml");
const ONE: &str = "
kind: DataCenter
name: one
spines: 1
tors: 1
types: {chassis: {tier: mock}, light: {tier: netns}}
racks: [{servers: [chassis, light]}, {servers: []}, {count: 3, servers: [44 x light]}]
image: {bundle: node}
";

fn source(text: &str) -> Source {
    Source {
        dir: "/dc".into(),
        ..Source::inline("dc.yml", text)
    }
}

fn json(files: &[File], name: &str) -> Value {
    let path = format!("sabakan/{name}.json");
    let file = files
        .iter()
        .find(|file| file.path == Path::new(&path))
        .unwrap();
    serde_json::from_str(&file.contents).unwrap()
}

fn number(ipam: &Value, key: &str) -> u32 {
    u32::try_from(ipam[key].as_u64().unwrap()).unwrap()
}

fn first(ipam: &Value, key: &str) -> u32 {
    let prefix: ipnet::Ipv4Net = ipam[key].as_str().unwrap().parse().unwrap();
    u32::from(prefix.network())
}

/// The formulas of sabakan's documentation, from the JSON alone.
#[test]
fn its_arithmetic_gives_the_addresses_of_the_plan() {
    for text in [SMALL, ONE] {
        let output =
            expand(&source(&format!("{text}boot: sabakan\n"))).unwrap_or_else(|it| panic!("{it}"));
        verify(&output.plan, &output.files).unwrap_or_else(|it| panic!("{it}"));
        let ipam = json(&output.files, "ipam");
        let machines = json(&output.files, "machines");
        let machines = machines.as_array().unwrap();
        assert_eq!(machines.len(), output.plan.servers.len());
        let range = 1 << number(&ipam, "node-ipv4-range-size");
        let per_node = number(&ipam, "node-ip-per-node");
        let offset: Ipv4Addr = ipam["bmc-ipv4-offset"].as_str().unwrap().parse().unwrap();
        let mut indices = std::collections::HashMap::new();
        let hosts: Vec<_> = output
            .plan
            .boot_servers
            .iter()
            .flat_map(|it| &it.hosts)
            .collect();
        for (machine, server) in machines.iter().zip(&output.plan.servers) {
            assert_eq!(machine["serial"], server.serial.as_str());
            let rack = number(machine, "rack");
            // sabakan numbers the machines of a rack in the order in which it is told of them.
            let index = indices
                .entry(rack)
                .or_insert(number(&ipam, "node-index-offset"));
            *index += 1;
            assert!(
                *index <= number(&ipam, "node-index-offset") + number(&ipam, "max-nodes-in-rack")
            );
            let base = first(&ipam, "node-ipv4-pool") + range * per_node * rack + *index;
            let own: Vec<Ipv4Addr> = (0..per_node)
                .map(|i| Ipv4Addr::from(base + i * range))
                .collect();
            assert_eq!(own[0], server.speaker.loopback);
            for (nth, nic) in server.interfaces.iter().enumerate() {
                let host = hosts
                    .iter()
                    .find(|host| Some(&host.mac) == nic.mac.as_ref())
                    .unwrap();
                assert_eq!(own[nth + 1], host.address);
            }
            let bmc = first(&ipam, "bmc-ipv4-pool") + u32::from(offset);
            let bmc = bmc + (1 << number(&ipam, "bmc-ipv4-range-size")) * rack + *index;
            assert_eq!(Ipv4Addr::from(bmc), server.bmc.address);
        }
        // Its gateway and its leases are those of the plan, too.
        for range in output.plan.boot_servers.iter().flat_map(|it| &it.ranges) {
            let network = u32::from(range.subnet.network());
            assert_eq!(
                u32::from(range.router),
                network + number(&ipam, "node-gateway-offset")
            );
            assert_eq!(
                u32::from(range.subnet.prefix_len()),
                number(&ipam, "node-ipv4-range-mask")
            );
            let most = number(&ipam, "node-index-offset") + number(&ipam, "max-nodes-in-rack");
            assert_eq!(u32::from(range.start), network + most + 1);
            assert_eq!(
                u32::from(range.end),
                u32::from(range.subnet.broadcast()) - 1
            );
        }
    }
}

#[test]
fn its_files() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots/sabakan");
    let _bound = settings.bind_to_scope();
    let rendering = Rendering {
        formats: FORMATS
            .iter()
            .filter(|it| it.name == "sabakan")
            .copied()
            .collect(),
        ..Rendering::default()
    };
    // By the command line, by the rack spec, and by both: the same files, once.
    let of = |text: &str| {
        let files = expand_as(&source(text), &rendering).unwrap().files;
        let ours = files
            .into_iter()
            .filter(|file| file.path.starts_with("sabakan"));
        ours.collect::<Vec<_>>()
    };
    let files = of(SMALL);
    assert_eq!(files, of(&format!("{SMALL}boot: sabakan\n")));
    for file in files {
        assert_eq!(
            file.mode,
            if file.path.ends_with("setup.sh") {
                0o755
            } else {
                0o644
            }
        );
        let name = file.path.display().to_string().replace('/', "-");
        insta::assert_snapshot!(name, file.contents);
    }
}
