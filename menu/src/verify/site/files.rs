//! The site that rendered files make: `cluster.yml` as a lab reads it, and every BIRD configuration
//! that it names.

use super::{Dhcp, Host, Kind, Machine, Network, Port, Range, Session, Site};
use crate::render::File;
use crate::verify::bird::{self, Asn, Bgp, Config};
use placemat_spec::cluster::Cluster;
use placemat_spec::resource::{BootServer, Interface, Labels, Router};
use placemat_spec::resource::{NetworkType, Node, NodeIndex, Tier};
use placemat_spec::selector::Target;
use placemat_spec::supply::Supply;
use placemat_spec::{Place, Problem, Problems, Source};
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Reads files back; the texts that places point into come with it. What cannot be read is a
/// problem.
pub(crate) fn read(files: &[File]) -> Result<(Site, Vec<Source>), Problems> {
    let of = |file: &File| Source::inline(&file.path.display().to_string(), file.contents.as_str());
    let clusters = files
        .iter()
        .filter(|file| file.path == Path::new("cluster.yml"));
    let (cluster, _) = Cluster::load(clusters.map(of).collect())?;
    let mut texts = Texts {
        sources: cluster.sources.to_vec(),
        files: files
            .iter()
            .map(|file| (file.path.as_path(), file))
            .collect(),
        problems: Vec::new(),
    };
    let site = site(&cluster, &mut texts);
    if texts.problems.is_empty() {
        Ok((site, texts.sources))
    } else {
        Err(Problems::new(texts.sources, texts.problems))
    }
}

/// Texts by path, and what is wrong with them.
struct Texts<'f> {
    sources: Vec<Source>,
    files: HashMap<&'f Path, &'f File>,
    problems: Vec<Problem>,
}

impl Texts<'_> {
    /// The configuration at `path`; `place` is where that is named.
    fn bird(&mut self, path: &Path, place: Place) -> Config {
        let Some(file) = self.files.get(path) else {
            let message = format!("{} is not among the files", path.display());
            let problem = Problem::new("missing-file", message).at(place, "named here");
            self.problems.push(problem);
            return Config::default();
        };
        let source = self.sources.len();
        let text = file.contents.as_str();
        self.sources
            .push(Source::inline(&path.display().to_string(), text));
        bird::read(text, source).unwrap_or_else(|error| {
            let message = format!("{} is no configuration of BIRD", path.display());
            let problem = Problem::new("bad-bird-config", message);
            self.problems.push(problem.at(error.place, error.reason));
            Config::default()
        })
    }
}

fn site(cluster: &Cluster, texts: &mut Texts) -> Site {
    let mut site = Site {
        networks: networks(cluster),
        supplies: supplies(cluster),
        ..Site::default()
    };
    for router in cluster.routers.values() {
        let config = router.bird.as_ref();
        let config = config.map(|bird| texts.bird(&bird.config, bird.place));
        let machine = Machine {
            loopback: router.loopback.clone(),
            relays: relays(router),
            ..machine(
                Kind::Router,
                &router.interfaces,
                &router.labels,
                router.place,
                config,
            )
        };
        site.machines.insert(router.name.clone(), machine);
    }
    let index = NodeIndex::of(cluster);
    for boot in cluster.boot_servers.values() {
        let config = boot.bird.as_ref();
        let config = config.map(|bird| texts.bird(&bird.config, bird.place));
        let machine = Machine {
            loopback: boot.loopback.clone(),
            dhcp: Some(dhcp(cluster, &index, boot)),
            ..machine(
                Kind::BootServer,
                &boot.interfaces,
                &boot.labels,
                boot.place,
                config,
            )
        };
        site.machines.insert(boot.name.clone(), machine);
    }
    let told = told(cluster, &index);
    for node in cluster.nodes.values() {
        let told = told.get(node.name.as_str());
        // sabakan's machines are told by name.
        let folder = PathBuf::from("boot").join(&node.name);
        let (folder, place) = told.cloned().unwrap_or((folder, node.place));
        let runs = node.tier != Tier::Mock;
        let config = runs.then(|| texts.bird(&folder.join("bird.conf"), place));
        let machine = Machine {
            loopback: node.loopback.clone(),
            runs: node.tier != Tier::Mock,
            make: make(node),
            serial: Some(node.smbios.serial.clone()),
            bmc: node.bmc.as_ref().map(|bmc| (bmc.address, Some(bmc.place))),
            ..machine(
                Kind::Server,
                &node.interfaces,
                &node.labels,
                node.place,
                config,
            )
        };
        site.machines.insert(node.name.clone(), machine);
    }
    site
}

/// Folders of what boot servers tell servers, by name of the server, and where that stands.
fn told<'c>(cluster: &'c Cluster, index: &NodeIndex<'c>) -> HashMap<&'c str, (PathBuf, Place)> {
    let entries = cluster
        .boot_servers
        .values()
        .flat_map(|boot| &boot.machines);
    let mut told = HashMap::new();
    for entry in entries {
        let Some(folder) = &entry.config else {
            continue;
        };
        for node in index.meant(cluster, &entry.of) {
            told.insert(node.name.as_str(), (folder.clone(), entry.place));
        }
    }
    told
}

fn machine(
    kind: Kind,
    interfaces: &[Interface],
    labels: &Labels,
    place: Place,
    config: Option<Config>,
) -> Machine {
    let config = config.unwrap_or_default();
    let sessions = config.sessions.iter();
    let aggregates = config.origins.aggregates();
    Machine {
        kind,
        role: labels.get("role").cloned().unwrap_or_default(),
        rack: labels.get("rack").cloned(),
        place: Some(place),
        ports: interfaces.iter().map(|it| port(it, &config)).collect(),
        loopback: Vec::new(),
        runs: true,
        router_id: config.router_id.map(|(id, place)| (id, Some(place))),
        sessions: sessions.filter_map(|it| session(it, config.bfd)).collect(),
        relays: Vec::new(),
        dhcp: None,
        aggregates: aggregates.map(|(net, place)| (net, Some(place))).collect(),
        make: String::new(),
        serial: None,
        bmc: None,
    }
}

fn port(interface: &Interface, config: &Config) -> Port {
    let origins = &config.origins;
    Port {
        told: origins.tells(&interface.name, &interface.addresses),
        network: interface.network.clone(),
        place: Some(interface.place),
        addresses: interface.addresses.clone(),
        mac: interface.mac.map(|mac| mac.to_string()),
    }
}

/// A session with a neighbor of its own; `neighbor range` has none to compare with.
fn session(bgp: &Bgp, bfd: bool) -> Option<Session> {
    let (neighbor, place) = bgp.neighbor?;
    let local_asn = bgp.local_asn.map_or(0, |(asn, _)| asn);
    let (asn, asn_place) = bgp.asn.unwrap_or((Asn::Is(0), place));
    Some(Session {
        name: bgp.name.clone(),
        place: Some(bgp.place),
        asn_place: Some(asn_place),
        local: bgp.local.map(|(address, _)| address),
        local_asn,
        neighbor,
        asn,
        passive: bgp.passive,
        multihop: bgp.multihop,
        bfd: bgp.bfd && bfd,
    })
}

/// The relays among a router's apps, as `--dhcp-relay=ADDRESS,SERVER`.
fn relays(router: &Router) -> Vec<(IpAddr, IpAddr)> {
    let arguments = router.apps.iter().flat_map(|app| &app.command);
    let relays = arguments.filter_map(|argument| {
        let mut addresses = argument.strip_prefix("--dhcp-relay=")?.split(',');
        Some((
            addresses.next()?.parse().ok()?,
            addresses.next()?.parse().ok()?,
        ))
    });
    relays.collect()
}

fn dhcp<'c>(cluster: &'c Cluster, index: &NodeIndex<'c>, boot: &BootServer) -> Dhcp {
    let ranges = boot.dhcp.ranges.iter().map(|range| Range {
        place: Some(range.place),
        subnet: range.subnet.into(),
        start: range.start.into(),
        end: range.end.into(),
        router: range.router.map(IpAddr::V4),
    });
    let hosts = boot.dhcp.hosts.iter().map(|host| Host {
        place: Some(host.place),
        mac: host.mac.to_string(),
        address: host.address.into(),
    });
    let known = boot.machines.iter();
    let known = known.flat_map(|entry| index.meant(cluster, &entry.of));
    Dhcp {
        ranges: ranges.collect(),
        hosts: hosts.collect(),
        serials: known.map(|node| node.smbios.serial.clone()).collect(),
    }
}

fn networks(cluster: &Cluster) -> indexmap::IndexMap<String, Network> {
    let networks = cluster.networks.values().map(|network| {
        let one = Network {
            place: Some(network.place),
            hub: network.addresses.clone(),
            bmc: network.kind == NetworkType::Bmc,
            mtu: network.mtu,
        };
        (network.name.clone(), one)
    });
    networks.collect()
}

fn supplies(cluster: &Cluster) -> Vec<(String, Vec<String>)> {
    let supply = Supply::of(cluster);
    let feeds = cluster.feeds.values().map(|feed| {
        let source: Target = feed.target();
        let dark = supply.dark(std::slice::from_ref(&source));
        let dark = dark.into_iter().map(|target| target.name).collect();
        (source.to_string(), dark)
    });
    feeds.collect()
}

fn make(node: &Node) -> String {
    let tier = match node.tier {
        Tier::Full => "full",
        Tier::Kernel => "kernel",
        Tier::Netns => return "tier netns".into(),
        Tier::Mock => return "tier mock".into(),
    };
    let (cpus, memory) = (node.cpu.count, node.memory.mib);
    let image = node.image.iter().map(|image| format!(", image {image}"));
    let disks = node
        .volumes
        .iter()
        .map(|disk| format!(", disk {}", disk.name));
    let more: String = image.chain(disks).collect();
    format!("tier {tier}, {cpus} CPU, {memory} MiB{more}")
}
