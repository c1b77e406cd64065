//! What holds for every rack spec: addresses are unique and inside their pools, links and sessions
//! have two matching ends, what is added at the end moves nothing, and what is written reads back
//! as the plan.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

mod explained;
mod shape;
#[path = "../terms/mod.rs"]
mod terms;

use ipnet::IpNet;
use placemat_menu::addresses::{Row, addresses};
use placemat_menu::topology::{Boot, Interface, Session, Speaker};
use placemat_menu::verify::verify;
use placemat_menu::{Plan, expand};
use placemat_spec::resource::{self, Labels};
use placemat_spec::{Cluster, Source};
use proptest::prelude::*;
use shape::{Rack, shape};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

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

/// The pool, range or network behind the core that an address has to be in.
fn home(plan: &Plan, row: &Row, address: IpAddr) -> IpNet {
    let pool = |name: &str| {
        let found = plan.prefixes.iter().find(|prefix| prefix.name == name);
        found.unwrap_or_else(|| panic!("no pool {name}")).prefix
    };
    let bastion = plan.prefixes.iter().find(|it| it.name == "bastion");
    let bastion6 = plan.prefixes.iter().find(|it| it.name == "bastion6");
    if bastion6.is_some_and(|it| it.prefix.contains(&address)) {
        return pool("bastion6");
    }
    if address.is_ipv6() {
        return pool("ipv6");
    }
    let network = row.network.as_deref().unwrap_or(&row.name);
    match (row.what, row.role.as_str(), network) {
        ("bmc", ..) | (_, _, "bmc") => pool("bmc"),
        (_, _, "internet") => shape::INTERNET.parse().unwrap(),
        (_, _, "external") => shape::EXTERNAL.parse().unwrap(),
        ("loopback", "core", _) if address.to_string() == shape::PROXY => address.into(),
        ("loopback", "core", _) => pool("core"),
        ("loopback", "spine" | "super-spine", _) => pool("loopback"),
        ("loopback", "boot", _) if bastion.is_some_and(|it| it.prefix.contains(&address)) => {
            pool("bastion")
        }
        ("loopback" | "lease", ..) => pool("node"),
        (_, _, network) if network.contains("-node") => pool("node"),
        (_, _, network) if network.starts_with("core-") => pool("core"),
        (_, _, network) if network.starts_with('x') => pool("pods"),
        _ => pool("fabric"),
    }
}

fn address(row: &Row) -> Option<IpAddr> {
    let of_host = ["loopback", "address", "lease", "bmc"].contains(&row.what);
    let text = row.value.split('/').next()?;
    of_host.then(|| text.parse().unwrap())
}

/// What two plans have in common is the same in both.
fn grows(before: &Plan, after: &Plan) -> Result<(), TestCaseError> {
    let after: BTreeSet<[String; 8]> = addresses(after).iter().map(Row::cells).collect();
    for row in addresses(before) {
        prop_assert!(after.contains(&row.cells()), "{:?} moved", row.cells());
    }
    Ok(())
}

fn nets(interface: &Interface) -> Vec<IpNet> {
    let v4 = interface.address.map(IpNet::from);
    v4.into_iter()
        .chain(interface.address6.map(IpNet::from))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn addresses_are_unique_and_inside_their_pools(shape in shape()) {
        let plan = shape.plan();
        let mut seen = HashSet::new();
        for row in addresses(&plan) {
            if let Some(address) = address(&row) {
                let home = home(&plan, &row, address);
                prop_assert!(home.contains(&address), "{address} is not in {home}: {row:?}");
                prop_assert!(seen.insert(address), "{address} is given twice");
            }
            if ["mac", "serial"].contains(&row.what) {
                let others = addresses(&plan);
                let count = others.iter().filter(|other| other.value == row.value).count();
                prop_assert_eq!(count, 1, "{} is given twice", row.value);
            }
        }
        for boot in &plan.boot_servers {
            for range in &boot.ranges {
                let guests = u32::from(range.start)..=u32::from(range.end);
                for guest in guests {
                    prop_assert!(seen.insert(IpAddr::V4(guest.into())));
                }
            }
        }
    }

    #[test]
    fn links_have_two_ends_in_one_prefix(shape in shape()) {
        let plan = shape.plan();
        let mut ends: BTreeMap<&str, Vec<&Interface>> = BTreeMap::new();
        for (_, interfaces) in speakers(&plan) {
            for interface in interfaces {
                ends.entry(&interface.network).or_default().push(interface);
            }
        }
        for network in &plan.networks {
            prop_assert!(network.name.len() <= 15, "{}", network.name);
            let ends = ends.remove(network.name.as_str()).unwrap_or_default();
            for ipv6 in [false, true] {
                let nets = ends.iter().flat_map(|end| nets(end));
                let nets = nets.filter(|net| net.addr().is_ipv6() == ipv6);
                let prefixes: HashSet<IpNet> = nets.map(|net| net.trunc()).collect();
                prop_assert!(prefixes.len() <= 1, "{}", network.name);
            }
            if ["link", "boot"].contains(&network.role) {
                prop_assert_eq!(ends.len(), 2, "{}", network.name);
            }
        }
        prop_assert!(ends.is_empty(), "on no network: {:?}", ends.keys());
    }

    #[test]
    fn sessions_are_symmetric(shape in shape()) {
        let plan = shape.plan();
        let speakers: BTreeMap<&str, &Speaker> =
            speakers(&plan).into_iter().map(|(own, _)| (own.name.as_str(), own)).collect();
        for (name, own) in &speakers {
            let mut names = HashSet::new();
            for session in &own.sessions {
                prop_assert!(names.insert(&session.name), "{name}: two of {}", session.name);
                let peer = speakers[session.peer.as_str()];
                let of_family = |back: &&Session| {
                    back.peer == **name && back.neighbor.is_ipv6() == session.neighbor.is_ipv6()
                };
                let back: Vec<&Session> = peer.sessions.iter().filter(of_family).collect();
                // Neighbors have one session of a family, so the way back is unambiguous.
                prop_assert_eq!(back.len(), 1, "{} to {}", name, &session.peer);
                prop_assert_eq!(session.asn, peer.asn);
                prop_assert_eq!(&session.channels, &back[0].channels);
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
    fn what_is_added_at_the_end_moves_nothing(shape in shape()) {
        let before = shape.plan();
        let mut server = shape.clone();
        server.racks.last_mut().unwrap().servers.push(2);
        grows(&before, &server.plan())?;
        let mut rack = shape.clone();
        rack.racks.push(Rack { tors: 2, servers: vec![0, 2, 2], pod: rack.pods });
        grows(&before, &rack.plan())?;
        if shape.pods > 0 {
            let mut pod = rack;
            pod.pods += 1;
            pod.racks.push(Rack { tors: 1, servers: vec![1], pod: pod.pods });
            grows(&before, &pod.plan())?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_written_reads_back_as_the_plan(shape in shape()) {
        let output = expand(&shape.source()).unwrap();
        let text = output.files[0].contents.as_str();
        let source = Source { dir: "/dc".into(), ..Source::inline("cluster.yml", text) };
        let (cluster, warnings) =
            Cluster::load(vec![source]).unwrap_or_else(|problems| panic!("{problems}"));
        prop_assert!(warnings.is_empty(), "{}", warnings);
        let plan = &output.plan;
        same_machines(plan, &cluster)?;
        same_rest(plan, &cluster)?;
        // Every file that the cluster names is written, but for the image.
        for file in cluster.files() {
            let Ok(path) = file.path.strip_prefix("/dc") else { continue };
            let written = output.files.iter().any(|file| file.path.starts_with(path));
            prop_assert!(written || path.starts_with("node"), "{}", path.display());
        }
        if let Err(problems) = verify(plan, &output.files) {
            panic!("{problems}");
        }
    }
}

fn same_machines(plan: &Plan, cluster: &Cluster) -> Result<(), TestCaseError> {
    let mut routers = cluster.routers.len();
    for router in &plan.routers {
        let own = &cluster.routers[&router.speaker.name];
        same_ports(&router.interfaces, &own.interfaces, true)?;
        if router.speaker.asn > 0 {
            prop_assert_eq!(&loopbacks(&router.speaker), &own.loopback);
        }
        labelled(
            &own.labels,
            &router.role.to_string(),
            router.rack,
            router.pod,
        )?;
        let apps = router.apps.len() + usize::from(router.segment.is_some());
        prop_assert_eq!(own.apps.len(), apps);
        routers -= 1;
    }
    for boot in &plan.boot_servers {
        let name = &boot.speaker.name;
        let (interfaces, loopback, labels) = if plan.boot == Boot::Sabakan {
            let own = &cluster.routers[name];
            routers -= 1;
            (&own.interfaces, &own.loopback, &own.labels)
        } else {
            let own = &cluster.boot_servers[name];
            prop_assert_eq!(own.dhcp.ranges.len(), boot.ranges.len());
            prop_assert_eq!(own.dhcp.hosts.len(), boot.hosts.len());
            prop_assert_eq!(own.machines.len(), boot.machines.len());
            (&own.interfaces, &own.loopback, &own.labels)
        };
        same_ports(&boot.interfaces, interfaces, true)?;
        prop_assert_eq!(&loopbacks(&boot.speaker), loopback);
        labelled(labels, "boot", Some(boot.rack), boot.pod)?;
    }
    prop_assert_eq!(routers, 0, "routers that nobody planned");
    prop_assert_eq!(cluster.nodes.len(), plan.servers.len());
    for server in &plan.servers {
        let own = &cluster.nodes[&server.speaker.name];
        same_ports(&server.interfaces, &own.interfaces, server.tier == "netns")?;
        if server.runs {
            prop_assert_eq!(&loopbacks(&server.speaker), &own.loopback);
        }
        prop_assert_eq!(&own.smbios.serial, &server.serial);
        prop_assert_eq!(
            own.bmc.as_ref().unwrap().address,
            IpAddr::V4(server.bmc.address)
        );
        labelled(&own.labels, &server.role, Some(server.rack), server.pod)?;
    }
    Ok(())
}

fn same_rest(plan: &Plan, cluster: &Cluster) -> Result<(), TestCaseError> {
    prop_assert_eq!(cluster.networks.len(), plan.networks.len());
    for network in &plan.networks {
        let own = &cluster.networks[&network.name];
        labelled(&own.labels, network.role, network.rack, network.pod)?;
        let hub = network.bmc.map(IpNet::from).into_iter();
        let hub: Vec<IpNet> = hub.chain(network.outside.iter().copied()).collect();
        prop_assert_eq!(&own.addresses, &hub);
    }
    prop_assert_eq!(cluster.feeds.len(), plan.feeds.len());
    for feed in &plan.feeds {
        let own = &cluster.feeds[&feed.name];
        prop_assert_eq!(own.loads.len(), feed.loads.len());
    }
    Ok(())
}

fn loopbacks(speaker: &Speaker) -> Vec<IpNet> {
    let first = [
        Some(speaker.loopback.into()),
        speaker.loopback6.map(IpAddr::V6),
    ];
    let all = first
        .into_iter()
        .flatten()
        .chain(speaker.addresses.iter().copied());
    all.map(IpNet::from).collect()
}

fn same_ports(
    planned: &[Interface],
    own: &[resource::Interface],
    given: bool,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(planned.len(), own.len());
    for (planned, own) in planned.iter().zip(own) {
        prop_assert_eq!(&planned.network, &own.network);
        let addresses = if given { nets(planned) } else { Vec::new() };
        prop_assert_eq!(&addresses, &own.addresses);
        if let Some(mac) = &planned.mac {
            prop_assert_eq!(mac, &own.mac.unwrap().to_string());
        }
    }
    Ok(())
}

fn labelled(
    labels: &Labels,
    role: &str,
    rack: Option<u32>,
    pod: Option<u32>,
) -> Result<(), TestCaseError> {
    let text = |number: Option<u32>| number.map(|it| it.to_string());
    prop_assert_eq!(labels.get("role").map(String::as_str), Some(role));
    prop_assert_eq!(labels.get("rack").cloned(), text(rack));
    prop_assert_eq!(labels.get("pod").cloned(), text(pod));
    Ok(())
}
