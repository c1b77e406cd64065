//! How much of the host's shared limits a plan needs.

use crate::plan::{End, Peer, Plan};
use ipnet::IpNet;
use placemat_spec::Cluster;
use placemat_spec::resource::{App, Node, Tier, VolumeKind};
use placemat_spec::selector::TargetKind;
use std::collections::BTreeMap;

/// How much of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    /// Without this much nothing works.
    pub sure: u64,
    /// This much when everything speaks to all that it usually speaks to.
    pub likely: u64,
}

impl Need {
    /// Surely so much.
    pub const fn all(number: u64) -> Self {
        Self {
            sure: number,
            likely: number,
        }
    }
}

/// What a lab needs of limits that all namespaces share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Neighbours that the host's kernel keeps, of IPv4 and of IPv6.
    pub neighbours: [Need; 2],
    /// Namespaces of each kind.
    pub namespaces: Need,
    /// Processes and threads.
    pub threads: Need,
    /// Open files, of all processes.
    pub files: Need,
    /// inotify instances.
    pub inotify: Need,
    /// Open files of the lab's own process.
    pub own_files: Need,
}

/// Who is on a network: what keeps its neighbours in this kernel, and what in a guest's.
#[derive(Debug, Clone, Copy, Default)]
struct Segment {
    /// Routers, boot servers and the hub.
    routers: u64,
    /// Servers of tier netns.
    servers: u64,
    /// Virtual machines.
    machines: u64,
    ipv4: bool,
    ipv6: bool,
}

/// Threads of a QEMU besides its CPUs': main loop, RCU, workers of disks.
const QEMU_THREADS: u64 = 6;
/// Threads of the lab itself.
const LAB_THREADS: u64 = 24;
/// Programs of the node image in a server of tier netns, its init among them.
const SERVER_PROGRAMS: u64 = 6;
/// Open files of a usual program, libraries not among them.
const FILES: u64 = 12;

impl Demand {
    /// What a planned cluster needs.
    pub fn of(cluster: &Cluster, plan: &Plan) -> Self {
        let namespaces = 1 + count(plan.namespaces.len());
        let (programs, threads) = processes(cluster);
        let inotify = count(
            cluster
                .routers
                .values()
                .flat_map(|it| &it.apps)
                .filter(|app| watches(app))
                .count(),
        );
        Self {
            neighbours: neighbours(plan, namespaces),
            namespaces: Need::all(namespaces),
            threads: Need::all(threads),
            files: Need {
                sure: 0,
                likely: programs * FILES + 8 * namespaces,
            },
            inotify: Need {
                sure: 0,
                likely: inotify,
            },
            own_files: Need::all(own_files(cluster, namespaces)),
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Whether a program is one of those that watch files: dnsmasq does as a DNS server.
fn watches(app: &App) -> bool {
    let mut words = app.command.iter();
    let program = words.next().and_then(|it| it.rsplit('/').next());
    program == Some("dnsmasq") && !app.command.iter().any(|word| word == "--port=0")
}

/// Programs, and their threads.
fn processes(cluster: &Cluster) -> (u64, u64) {
    // Each container has an init.
    let routers = cluster.routers.values();
    let routers = routers.map(|it| 1 + u64::from(it.bird.is_some()) + count(it.apps.len()));
    let boot_servers = cluster.boot_servers.values();
    let boot_servers = boot_servers.map(|it| 2 + u64::from(it.bird.is_some()));
    let nodes = cluster.nodes.values().map(|node| match node.tier {
        Tier::Netns => (SERVER_PROGRAMS, SERVER_PROGRAMS),
        Tier::Full | Tier::Kernel => machine(node),
        Tier::Mock => (0, 0),
    });
    let containers = routers
        .chain(boot_servers)
        .map(|programs| (programs, programs));
    containers
        .chain(nodes)
        .fold((2, LAB_THREADS), |(programs, threads), each| {
            (programs + each.0, threads + each.1)
        })
}

/// Files that the lab's process holds: measured, 6 to a container (its init, its output, netlink), 8 to a
/// virtual machine (QMP, console, agent, TAPs), 4 to a BMC.
fn own_files(cluster: &Cluster, namespaces: u64) -> u64 {
    let in_vm = |node: &&Node| matches!(node.tier, Tier::Full | Tier::Kernel);
    let machines = count(cluster.nodes.values().filter(in_vm).count());
    let bmcs = count(cluster.nodes.values().filter(|it| it.bmc.is_some()).count());
    64 + 7 * namespaces + 8 * machines + 4 * bmcs
}

fn machine(node: &Node) -> (u64, u64) {
    let shared = |kind: &VolumeKind| matches!(kind, VolumeKind::HostPath { .. });
    let shares = count(node.volumes.iter().filter(|it| shared(&it.kind)).count());
    let tpm = u64::from(node.devices.tpm.is_some());
    let programs = 1 + tpm + shares;
    (
        programs,
        QEMU_THREADS + u64::from(node.cpu.count) + 2 * tpm + 4 * shares,
    )
}

/// Neighbours that this kernel keeps: those of routers and namespaces, not those of guests. At the least
/// everybody knows one on each of its links; usually routers know all around them, and servers their
/// routers.
fn neighbours(plan: &Plan, namespaces: u64) -> [Need; 2] {
    let mut segments: BTreeMap<&str, Segment> = BTreeMap::new();
    for bridge in &plan.bridges {
        let segment = segments.entry(&bridge.name).or_default();
        segment.routers += u64::from(!bridge.addresses.is_empty());
        segment.note(&bridge.addresses);
    }
    for pair in &plan.pairs {
        let segment = segments.entry(&pair.network).or_default();
        segment.add(&pair.end);
        if let Peer::End(end) = &pair.peer {
            segment.add(end);
        }
    }
    for tap in &plan.taps {
        let segment = segments.entry(&tap.bridge).or_default();
        segment.machines += 1;
        segment.ipv4 = true;
    }
    let mut needs = [Need::default(); 2];
    for segment in segments.values() {
        let Segment {
            routers,
            servers,
            machines,
            ..
        } = *segment;
        let all = routers + servers + machines;
        if all < 2 {
            continue;
        }
        let sure = routers + servers;
        let likely = routers * (all - 1) + servers * routers;
        // Beside its address each has a link-local one in IPv6.
        for (need, asked, times) in [(0, segment.ipv4, 1), (1, segment.ipv6, 2)] {
            if asked {
                needs[need].sure += sure;
                needs[need].likely += times * likely.max(sure);
            }
        }
    }
    // Each has one on its loopback interface.
    for need in needs.iter_mut().filter(|need| need.sure > 0) {
        need.likely += namespaces;
    }
    needs
}

impl Segment {
    fn add(&mut self, end: &End) {
        match end.target.kind {
            TargetKind::Node => {
                self.servers += 1;
                // It asks DHCP.
                self.ipv4 |= end.addresses.is_empty();
            }
            _ => self.routers += 1,
        }
        self.note(&end.addresses);
    }

    fn note(&mut self, addresses: &[IpNet]) {
        for net in addresses {
            self.ipv4 |= net.addr().is_ipv4();
            self.ipv6 |= net.addr().is_ipv6();
        }
    }
}
