//! What of a host a cluster needs.

use crate::input;
use placemat_host::probe::program;
use placemat_lab::plan::Plan;
use placemat_spec::Cluster;
use placemat_spec::resource::{BootServer, Node, OciSource, Tier};
use serde::Serialize;

/// Something that the host must have.
#[derive(Debug, Serialize)]
pub(super) struct Need {
    name: &'static str,
    purpose: &'static str,
}

impl Need {
    pub(super) fn row(&self) -> [String; 2] {
        [self.name.into(), self.purpose.into()]
    }
}

/// All of it, programs first.
pub(super) fn of(cluster: &Cluster, plan: &Plan) -> Vec<Need> {
    let (nodes, routers) = (cluster.nodes.values(), cluster.routers.values());
    let machine = |node: &&Node| matches!(node.tier, Tier::Full | Tier::Kernel);
    let full = |node: &Node| node.tier == Tier::Full;
    let nat = cluster.networks.values().any(|network| network.use_nat);
    let tpm = nodes
        .clone()
        .filter(machine)
        .any(|it| it.devices.tpm.is_some());
    let registry = routers
        .clone()
        .filter_map(|router| router.image.as_ref())
        .any(|image| matches!(image.source, OciSource::Registry { .. }));
    let ipxe = cluster
        .boot_servers
        .values()
        .any(BootServer::hands_out_ipxe);

    let mut programs = input::programs_of(cluster);
    programs.extend(tpm.then_some("swtpm"));
    programs.extend(nat.then_some("nft"));
    programs.extend(registry.then_some("skopeo"));
    let programs = programs.into_iter().map(|name| Need {
        name,
        purpose: program::known(name).map_or("an app of the cluster", |known| known.purpose),
    });
    let others = [
        (
            nat,
            "pasta or slirp4netns",
            "the way out of networks with use-nat",
        ),
        (
            true,
            "namespaces",
            "the lab itself: user, mount, PID, network, UTS and IPC namespaces",
        ),
        (
            routers.clone().any(|router| router.limits.is_some()),
            "control groups",
            "limits of routers",
        ),
        (
            !plan.taps.is_empty(),
            "/dev/net/tun",
            "NICs of servers of tier full and kernel",
        ),
        (
            nodes.clone().any(|it| full(it) && it.firmware.uefi),
            "OVMF",
            "UEFI firmware of servers of tier full",
        ),
        (ipxe, "iPXE", "what boot servers with `boot: ipxe` hand out"),
    ];
    let others = others.into_iter().filter(|(needed, ..)| *needed);
    programs
        .chain(others.map(|(_, name, purpose)| Need { name, purpose }))
        .collect()
}
