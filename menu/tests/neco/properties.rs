//! What holds for every menu: addresses and names are unique, links have two ends in one prefix,
//! sessions are told to both ends alike, and what comes out is a cluster.

use crate::folder::{Folder, IPAM, source};
use crate::terms::adds_up;
use ipnet::Ipv4Net;
use placemat_menu::neco::explain::{explain, names};
use placemat_menu::neco::plan::{Interface, Session};
use placemat_menu::neco::{self, Plan};
use placemat_spec::document::Dialect;
use placemat_spec::{Cluster, Source};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;
use std::path::Path;

/// Numbers that make a menu.
#[derive(Debug, Clone)]
struct Shape {
    spines: u32,
    racks: Vec<(u32, u32)>,
    proxy: bool,
    ntp: bool,
    template: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let racks = prop::collection::vec((0..14_u32, 0..14_u32), 1..12);
    (1..7_u32, racks, any::<[bool; 3]>()).prop_map(|(spines, racks, [proxy, ntp, template])| {
        Shape {
            spines,
            racks,
            proxy,
            ntp,
            template,
        }
    })
}

impl Shape {
    fn source(&self) -> Source {
        let racks: Vec<String> = self
            .racks
            .iter()
            .map(|(cs, ss)| format!("{{cs: {cs}, ss: {ss}}}"))
            .collect();
        let proxy = if self.proxy {
            "  proxy: 10.0.49.3\n"
        } else {
            ""
        };
        let ntp = if self.ntp {
            "  ntp: 172.16.4.64/29\n"
        } else {
            ""
        };
        let template = if self.template {
            ", cloud-init-template: seed.template"
        } else {
            ""
        };
        source(&format!(
            "kind: Network\nspec:\n  ipam-config: ipam.json\n  asn-base: 64600\n  internet: 10.0.0.0/24\n  spine-tor: 10.73.0.0\n  \
             core-spine: 10.72.2.0/31\n  core-external: 10.72.3.0/24\n  core-operation: 10.72.4.0/24\n{proxy}{ntp}  \
             exposed: {{loadbalancer: 10.72.32.0/20, bastion: 10.72.48.0/24, egress: 10.72.49.0/25, global: 172.19.0.0/24}}\n---\n\
             kind: Inventory\nspec: {{spine: {}, rack: [{}]}}\n---\n\
             {{kind: Image, name: flatcar, file: flatcar.img}}\n---\n\
             {{kind: Node, type: boot, spec: {{cpu: 1{template}}}}}\n---\n\
             {{kind: Node, type: cs, spec: {{cpu: 2, disk-count: 2{template}}}}}\n---\n\
             {{kind: Node, type: ss, spec: {{smp: {{cores: 2, sockets: 2}}, disks: [{{count: 3, size: 1G}}]}}}}\n",
            self.spines,
            racks.join(", ")
        ))
    }

    fn folder() -> Folder {
        Folder::usual().with("ipam.json", &IPAM.replace("10.69.0.0/20", "10.68.0.0/16"))
    }

    fn plan(&self) -> Plan {
        neco::plan(&self.source(), &Self::folder(), Path::new("/dc/out"))
            .unwrap_or_else(|problems| panic!("{problems}"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_explained_adds_up_to_the_plan(shape in shape(), offset in 0..10_usize) {
        let (source, folder, out) = (shape.source(), Shape::folder(), Path::new("/dc/out"));
        let plan = shape.plan();
        let all: Vec<String> = names(&plan).collect();
        let step = all.len().div_ceil(10).max(1);
        for target in all.iter().skip(offset % step).step_by(step) {
            let explained = explain(&source, &folder, out, target).unwrap();
            adds_up(&explained)?;
            let told = |wanted: String| explained.values.iter().any(|it| it.value == wanted);
            let (_, name) = target.split_once('/').unwrap();
            for nic in plan.namespaces.iter().filter(|it| it.name == name).flat_map(|it| &it.interfaces) {
                prop_assert!(told(nic.address.to_string()), "{target}: {}", nic.address);
            }
            let servers = plan.racks.iter().flat_map(|it| [&it.boot].into_iter().chain(&it.cs).chain(&it.ss));
            for server in servers.filter(|it| it.name == name) {
                prop_assert!(told(server.serial.clone()), "{target}");
                for address in server.addresses {
                    prop_assert!(told(address.to_string()), "{target}: {address}");
                }
            }
        }
    }
}

/// Sessions of each router by its name.
fn sessions(plan: &Plan) -> BTreeMap<&str, (u32, Vec<&Session>)> {
    let core = ("core", (plan.core.asn, plan.core.spines.iter().collect()));
    let spines = plan.spines.iter().map(|spine| {
        let all = [&spine.core].into_iter().chain(&spine.tors).collect();
        (spine.name.as_str(), (spine.asn, all))
    });
    let tors = plan.tors.iter().map(|tor| {
        let all = tor.spines.iter().collect();
        (tor.name.as_str(), (tor.asn, all))
    });
    [core].into_iter().chain(spines).chain(tors).collect()
}

fn interfaces<'a>(plan: &'a Plan, name: &str) -> &'a [Interface] {
    let found = plan
        .namespaces
        .iter()
        .find(|namespace| namespace.name == name);
    &found.unwrap().interfaces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn addresses_names_and_serials_are_unique(shape in shape()) {
        let plan = shape.plan();
        let mut seen: HashSet<Ipv4Addr> = HashSet::new();
        let interfaces = plan.namespaces.iter().flat_map(|namespace| &namespace.interfaces);
        let mut all: Vec<Ipv4Addr> = interfaces.map(|interface| interface.address.addr()).collect();
        all.extend(plan.networks.iter().filter_map(|network| network.address).map(|net| net.addr()));
        let mut serials = HashSet::new();
        for rack in &plan.racks {
            all.push(rack.bastion.addr());
            for server in [&rack.boot].into_iter().chain(&rack.cs).chain(&rack.ss) {
                all.extend(server.addresses);
                prop_assert!(serials.insert(&server.serial));
            }
        }
        all.extend(plan.chrony.iter().flat_map(|chrony| chrony.servers).map(|net| net.addr()));
        for address in all {
            prop_assert!(seen.insert(address), "{} is given twice", address);
        }
        let names: HashSet<&str> = plan.networks.iter().map(|network| network.name.as_str()).collect();
        prop_assert_eq!(names.len(), plan.networks.len());
        prop_assert!(names.iter().all(|name| name.len() <= 15));
    }

    #[test]
    fn links_have_two_ends_in_one_prefix(shape in shape()) {
        let plan = shape.plan();
        let mut ends: BTreeMap<&str, Vec<Ipv4Net>> = BTreeMap::new();
        for namespace in &plan.namespaces {
            for interface in &namespace.interfaces {
                ends.entry(&interface.network).or_default().push(interface.address);
            }
        }
        for (network, ends) in ends {
            let prefixes: HashSet<Ipv4Net> = ends.iter().map(Ipv4Net::trunc).collect();
            prop_assert_eq!(prefixes.len(), 1, "{}", network);
            if network.contains("-to-") {
                prop_assert_eq!(ends.len(), 2, "{}", network);
            }
        }
    }

    #[test]
    fn sessions_are_symmetric(shape in shape()) {
        let plan = shape.plan();
        let all = sessions(&plan);
        for (name, (asn, own)) in &all {
            for session in own {
                let (peer_asn, peers) = &all[session.peer.as_str()];
                prop_assert_eq!(session.asn, *peer_asn);
                let back: Vec<_> = peers.iter().filter(|back| back.peer == **name).collect();
                prop_assert_eq!(back.len(), 1, "{} to {}", name, session.peer);
                prop_assert_eq!(back[0].asn, *asn);
                // Each end's neighbor is an address of the other, on one link.
                let theirs = interfaces(&plan, &session.peer).iter().find(|it| it.address.addr() == session.neighbor).unwrap();
                let ours = interfaces(&plan, name).iter().find(|it| it.address.addr() == back[0].neighbor).unwrap();
                prop_assert_eq!(&theirs.network, &ours.network);
            }
        }
        for (tor, namespace) in plan.tors.iter().map(|tor| (tor, interfaces(&plan, &tor.name))) {
            let segment = namespace.last().unwrap().address;
            prop_assert_eq!(&tor.node_interface, &format!("eth{}", namespace.len() - 1));
            for server in &tor.servers {
                prop_assert_eq!(server.asn, tor.asn);
                prop_assert!(segment.contains(&server.neighbor) && server.neighbor != segment.addr() && server.neighbor != segment.broadcast());
            }
        }
    }

    #[test]
    fn what_comes_out_is_a_cluster_by_either_rules_and_has_its_files(shape in shape()) {
        let expansion = neco::expand(&shape.source(), &Shape::folder(), Path::new("/dc/out"), Dialect::V2).unwrap_or_else(|problems| panic!("{problems}"));
        prop_assert!(expansion.warnings.is_empty(), "{}", expansion.warnings);
        for dialect in [Dialect::V2, Dialect::Strict] {
            let text = expansion.files[0].contents.as_str();
            let source = Source { dir: "/dc/out".into(), ..Source::inline("cluster.yml", text) };
            let (cluster, warnings) = Cluster::load_as(dialect, vec![source]).unwrap_or_else(|problems| panic!("{problems}"));
            prop_assert!(warnings.is_empty(), "{}", warnings);
            let servers: u32 = shape.racks.iter().map(|(cs, ss)| 1 + cs + ss).sum();
            prop_assert_eq!(cluster.nodes.len(), servers as usize + usize::from(shape.ntp));
            prop_assert_eq!(cluster.routers.len(), 1 + shape.spines as usize + 2 * shape.racks.len() + 2);
            // Every file that the cluster names is written, but for images.
            for file in cluster.files() {
                let path = file.path.strip_prefix("/dc/out").unwrap();
                let written = expansion.files.iter().any(|file| file.path.starts_with(path));
                prop_assert!(written || path.starts_with("flatcar.img"), "{}", path.display());
            }
        }
    }

    #[test]
    fn nothing_that_is_fed_to_a_template_makes_it_panic(text in "(\\{\\{|\\}\\}|[-.$ |()\"`a-zA-Z0-9:=,/*%\\\\\n]|end|if|range|with|\\.Rack\\.CSList|é){0,40}") {
        let folder = Shape::folder().with("seed.template", &text);
        let shape = Shape { spines: 1, racks: vec![(1, 0)], proxy: false, ntp: false, template: true };
        // Either is fine; what is said of it must be sayable.
        match neco::expand(&shape.source(), &folder, Path::new("/dc/out"), Dialect::Strict) {
            Ok(expansion) => prop_assert!(expansion.files.len() > 10),
            Err(problems) => prop_assert!(problems.to_string().contains("template")),
        }
    }
}
