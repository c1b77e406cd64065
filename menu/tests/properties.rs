//! What holds for every rack spec: addresses are unique and inside their pools, links and sessions
//! have two matching ends, and a rack added at the end moves nothing.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use ipnet::Ipv4Net;
use placemat_menu::topology::{Interface, Session, Speaker};
use placemat_menu::verify::verify;
use placemat_menu::{Plan, Source, expand, plan};
use placemat_spec::Cluster;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;

const NODE: &str = "10.64.0.0/17";
const FABRIC: &str = "10.80.0.0/18";
const LOOPBACK: &str = "10.90.0.0/25";
const BMC: &str = "10.96.0.0/20";

/// Numbers that make a rack spec. Each server is an index into its types.
#[derive(Debug, Clone)]
struct Shape {
    spines: u32,
    tors: u32,
    racks: Vec<Vec<usize>>,
}

const TYPES: [&str; 4] = ["full", "kernel", "netns", "mock"];

fn shape() -> impl Strategy<Value = Shape> {
    let rack = prop::collection::vec(0..TYPES.len(), 0..6);
    // Over 15 spines, links of a rack take a larger block.
    (1..20u32, 1..=2u32, prop::collection::vec(rack, 1..8)).prop_map(|(spines, tors, racks)| {
        Shape {
            spines,
            tors,
            racks,
        }
    })
}

impl Shape {
    fn source(&self) -> Source {
        let racks: Vec<String> = self
            .racks
            .iter()
            .map(|rack| {
                let servers: Vec<&str> = rack.iter().map(|kind| TYPES[*kind]).collect();
                format!("  - servers: [{}]", servers.join(", "))
            })
            .collect();
        let text = format!(
            "kind: DataCenter\nname: p\nspines: {}\ntors: {}\nracks:\n{}\n\
             types: {{full: {{tier: full, disk: node-os}}, kernel: {{tier: kernel}}, \
             netns: {{tier: netns}}, mock: {{tier: mock}}}}\n\
             image: {{bundle: node}}\nasn-base: 64512\n\
             pools: {{node: {NODE}, fabric: {FABRIC}, loopback: {LOOPBACK}, bmc: {BMC}}}\n",
            self.spines,
            self.tors,
            racks.join("\n")
        );
        Source {
            dir: "/dc".into(),
            ..Source::inline("p.yml", text)
        }
    }

    fn plan(&self) -> Plan {
        plan(&self.source()).unwrap_or_else(|problems| panic!("{problems}"))
    }
}

fn speakers(plan: &Plan) -> Vec<(&Speaker, &[Interface])> {
    let routers = plan
        .routers
        .iter()
        .map(|it| (&it.speaker, it.interfaces.as_slice()));
    let boots = plan
        .boot_servers
        .iter()
        .map(|it| (&it.speaker, it.interfaces.as_slice()));
    let servers = plan
        .servers
        .iter()
        .map(|it| (&it.speaker, it.interfaces.as_slice()));
    routers.chain(boots).chain(servers).collect()
}

fn inside(pool: &str, address: Ipv4Addr) -> bool {
    pool.parse::<Ipv4Net>().unwrap().contains(&address)
}

/// Every address of the data center, each with the pool that it belongs to.
fn addresses(plan: &Plan) -> Vec<(Ipv4Addr, &'static str)> {
    let mut all = Vec::new();
    for (own, interfaces) in speakers(plan) {
        let spine = own.name.starts_with("spine");
        all.push((own.loopback, if spine { LOOPBACK } else { NODE }));
        for interface in interfaces {
            let segment = interface.network.contains("node");
            let pool = if segment { NODE } else { FABRIC };
            all.extend(interface.address.map(|net| (net.addr(), pool)));
        }
    }
    for boot in &plan.boot_servers {
        all.extend(boot.hosts.iter().map(|host| (host.address, NODE)));
        for range in &boot.ranges {
            let guests = u32::from(range.start)..=u32::from(range.end);
            all.extend(guests.map(|address| (Ipv4Addr::from(address), NODE)));
        }
    }
    all.extend(plan.servers.iter().map(|server| (server.bmc.address, BMC)));
    let hub = plan.networks.iter().filter_map(|network| network.bmc);
    all.extend(hub.map(|hub| (hub.addr(), BMC)));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn addresses_are_unique_and_inside_their_pools(shape in shape()) {
        let plan = shape.plan();
        let mut seen = HashSet::new();
        for (address, pool) in addresses(&plan) {
            prop_assert!(inside(pool, address), "{address} is not in {pool}");
            prop_assert!(seen.insert(address), "{address} is given twice");
        }
        let mut macs = HashSet::new();
        let mut serials = HashSet::new();
        for server in &plan.servers {
            prop_assert!(serials.insert(&server.serial));
            for interface in &server.interfaces {
                prop_assert!(macs.insert(interface.mac.clone().unwrap()));
            }
        }
    }

    #[test]
    fn links_have_two_ends_in_one_prefix(shape in shape()) {
        let plan = shape.plan();
        let mut ends: BTreeMap<&str, Vec<Option<Ipv4Net>>> = BTreeMap::new();
        for (_, interfaces) in speakers(&plan) {
            for interface in interfaces {
                ends.entry(&interface.network).or_default().push(interface.address);
            }
        }
        let networks: Vec<&str> = plan.networks.iter().map(|it| it.name.as_str()).collect();
        for (network, ends) in ends {
            prop_assert!(networks.contains(&network) && network.len() <= 15);
            let prefixes: HashSet<Ipv4Net> = ends.iter().flatten().map(Ipv4Net::trunc).collect();
            prop_assert_eq!(prefixes.len(), 1, "{}", network);
            if !network.contains("node") {
                prop_assert_eq!(ends.len(), 2, "{}", network);
            }
        }
    }

    #[test]
    fn sessions_are_symmetric(shape in shape()) {
        let plan = shape.plan();
        let speakers: BTreeMap<&str, &Speaker> =
            speakers(&plan).into_iter().map(|(own, _)| (own.name.as_str(), own)).collect();
        for (name, own) in &speakers {
            for session in &own.sessions {
                let peer = speakers[session.peer.as_str()];
                let back: Vec<&Session> =
                    peer.sessions.iter().filter(|back| back.peer == **name).collect();
                // Two machines may be neighbors only once, so the way back is unambiguous.
                prop_assert_eq!(back.len(), 1, "{} to {}", name, &session.peer);
                prop_assert_eq!(session.asn, peer.asn);
                for (end, other) in [(session, back[0]), (back[0], session)] {
                    if let Some(local) = end.local {
                        prop_assert_eq!(other.neighbor, local);
                    }
                }
                prop_assert!(session.local.is_some() || back[0].local.is_some());
            }
        }
    }

    #[test]
    fn a_rack_added_at_the_end_moves_nothing(shape in shape()) {
        let before = shape.plan();
        let mut larger = shape.clone();
        larger.racks.push(vec![0, 2, 2]);
        let after = larger.plan();
        prop_assert!(after.networks.starts_with(&before.networks));
        prop_assert!(after.boot_servers.starts_with(&before.boot_servers));
        prop_assert!(after.servers.starts_with(&before.servers));
        prop_assert!(after.feeds.starts_with(&before.feeds));
        let tors = |plan: &Plan| plan.routers[shape.spines as usize..].to_vec();
        prop_assert!(tors(&after).starts_with(&tors(&before)));
        for (before, after) in before.routers.iter().zip(&after.routers) {
            prop_assert_eq!(before.speaker.loopback, after.speaker.loopback);
            prop_assert!(after.interfaces.starts_with(&before.interfaces));
            prop_assert!(after.speaker.sessions.starts_with(&before.speaker.sessions));
        }
    }

    #[test]
    fn output_is_a_cluster_that_checks(shape in shape()) {
        let output = expand(&shape.source()).unwrap();
        let text = output.files[0].contents.as_str();
        let source = Source { dir: "/dc".into(), ..Source::inline("cluster.yml", text) };
        let (cluster, warnings) =
            Cluster::load(vec![source]).unwrap_or_else(|problems| panic!("{problems}"));
        prop_assert!(warnings.is_empty(), "{}", warnings);
        let plan = shape.plan();
        let verified = verify(&plan, &output.files);
        prop_assert!(verified.is_ok(), "{}", verified.unwrap_err());
        prop_assert_eq!(cluster.networks.len(), plan.networks.len());
        prop_assert_eq!(cluster.routers.len(), plan.routers.len());
        prop_assert_eq!(cluster.boot_servers.len(), plan.boot_servers.len());
        prop_assert_eq!(cluster.nodes.len(), plan.servers.len());
        prop_assert_eq!(cluster.feeds.len(), plan.feeds.len());
        // Every file that the cluster names is written, but for the image.
        for file in cluster.files() {
            let Ok(path) = file.path.strip_prefix("/dc") else { continue };
            let written = output.files.iter().any(|file| file.path.starts_with(path));
            prop_assert!(written || path.starts_with("node"), "{}", path.display());
        }
    }
}
