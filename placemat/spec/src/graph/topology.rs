//! Cluster to graph: a vertex a machine, an edge a link of two ends, a vertex for any other network.

use super::tier::{self, Hint};
use super::{Edge, EdgeKind, End, Graph, State, Vertex, VertexKind};
use crate::Cluster;
use crate::resource::{Interface, Labels, Network, NetworkType, Node, Router, RouterKind, Tier};
use crate::selector::{Target, TargetKind};
use ipnet::IpNet;
use std::collections::HashMap;

impl Graph {
    /// What a cluster is made of.
    pub fn of(cluster: &Cluster) -> Self {
        let mut builder = Builder::default();
        for router in cluster.routers.values() {
            let hint = Hint::of_router(role(&router.labels), &router.name);
            builder.machine(router_vertex(router), hint, &router.interfaces);
        }
        for server in cluster.boot_servers.values() {
            let mut vertex = machine(
                VertexKind::BootServer,
                TargetKind::BootServer,
                &server.name,
                &server.labels,
            );
            vertex.caption = "DHCP, HTTP boot".into();
            vertex.addresses = words(&server.loopback);
            let hint = Hint::Known(super::rank::BOOT);
            builder.machine(vertex, hint, &server.interfaces);
        }
        for node in cluster.nodes.values() {
            let hint = Hint::of_server(role(&node.labels));
            let index = builder.machine(node_vertex(node), hint, &node.interfaces);
            if let Some(bmc) = &node.bmc {
                let end = End {
                    vertex: index,
                    interface: "bmc".into(),
                    addresses: vec![bmc.address.to_string()],
                };
                builder.bmcs.entry(&bmc.network).or_default().push(end);
            }
        }
        let neighbors = builder.neighbors(cluster);
        let ranks = tier::ranks(&builder.hints, &neighbors);
        for (vertex, rank) in builder.graph.vertices.iter_mut().zip(ranks) {
            vertex.rank = rank;
        }
        for network in cluster.networks.values() {
            builder.network(network);
        }
        builder.graph
    }
}

#[derive(Default)]
struct Builder<'a> {
    graph: Graph,
    hints: Vec<Hint>,
    /// What is plugged into each network.
    ends: HashMap<&'a str, Vec<End>>,
    bmcs: HashMap<&'a str, Vec<End>>,
}

impl<'a> Builder<'a> {
    fn machine(&mut self, vertex: Vertex, hint: Hint, interfaces: &'a [Interface]) -> usize {
        let index = self.graph.vertices.len();
        self.graph.vertices.push(vertex);
        self.hints.push(hint);
        for interface in interfaces {
            let end = End {
                vertex: index,
                interface: interface.name.clone(),
                addresses: words(&interface.addresses),
            };
            self.ends.entry(&interface.network).or_default().push(end);
        }
        index
    }

    /// Machines that share a network inside with each machine. External networks reach from any
    /// height to any other, and say nothing of it.
    fn neighbors(&self, cluster: &Cluster) -> Vec<Vec<usize>> {
        let mut neighbors = vec![Vec::new(); self.graph.vertices.len()];
        for network in cluster.networks.values() {
            let ends = self.ends.get(network.name.as_str());
            if network.kind != NetworkType::Internal {
                continue;
            }
            let ends: Vec<usize> = ends.into_iter().flatten().map(|end| end.vertex).collect();
            // On a large segment the routers are what matters: servers beside servers settle nothing.
            let routers = ends.iter().filter(|&&it| !self.is_server(it));
            let routers: Vec<usize> = routers.copied().collect();
            for &one in &ends {
                let others = if self.is_server(one) { &routers } else { &ends };
                neighbors[one].extend(others.iter().filter(|&&other| other != one));
            }
        }
        neighbors
    }

    fn is_server(&self, machine: usize) -> bool {
        matches!(self.graph.vertices[machine].kind, VertexKind::Server(_))
    }

    fn network(&mut self, network: &'a Network) {
        let name = network.name.as_str();
        let ends = self.ends.remove(name).unwrap_or_default();
        let bmcs = self.bmcs.remove(name).unwrap_or_default();
        if let [one, other] = &ends[..]
            && network.kind == NetworkType::Internal
            && one.vertex != other.vertex
        {
            let ends = self.sorted([one.clone(), other.clone()]);
            self.edge(EdgeKind::Link, name, ends);
            return;
        }
        let index = self.graph.vertices.len();
        self.graph
            .vertices
            .push(network_vertex(network, bmcs.len()));
        let plugs = ends.into_iter().map(|end| (EdgeKind::Link, end));
        let bmcs = bmcs.into_iter().map(|end| (EdgeKind::Bmc, end));
        for (kind, end) in plugs.chain(bmcs) {
            let own = End {
                vertex: index,
                interface: String::new(),
                addresses: Vec::new(),
            };
            self.edge(kind, name, [own, end]);
        }
    }

    /// The higher end first.
    fn sorted(&self, [one, other]: [End; 2]) -> [End; 2] {
        let rank = |end: &End| self.graph.vertices[end.vertex].rank;
        if rank(&one) < rank(&other) {
            [other, one]
        } else {
            [one, other]
        }
    }

    fn edge(&mut self, kind: EdgeKind, network: &str, ends: [End; 2]) {
        self.graph.edges.push(Edge {
            kind,
            network: network.to_owned(),
            ends,
            count: 1,
        });
    }
}

fn role(labels: &Labels) -> Option<&str> {
    labels.get("role").map(String::as_str)
}

fn words(addresses: &[IpNet]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

fn machine(kind: VertexKind, target: TargetKind, name: &str, labels: &Labels) -> Vertex {
    Vertex {
        kind,
        target: Some(Target::new(target, name)),
        name: name.to_owned(),
        role: role(labels).map(str::to_owned),
        rank: 0,
        rack: labels.get("rack").cloned(),
        pod: labels.get("pod").cloned(),
        caption: String::new(),
        addresses: Vec::new(),
        bmc: None,
        state: State::Unknown,
        members: Vec::new(),
    }
}

fn router_vertex(router: &Router) -> Vertex {
    let mut vertex = machine(
        VertexKind::Router,
        TargetKind::Router,
        &router.name,
        &router.labels,
    );
    let kind = match router.kind {
        RouterKind::Router => "router",
        RouterKind::NetworkNamespace => "namespace",
        RouterKind::Pod => "pod",
    };
    let role = role(&router.labels).unwrap_or(kind);
    vertex.caption = match router.bird {
        Some(_) => format!("{role}, BIRD"),
        None => role.to_owned(),
    };
    vertex.addresses = words(&router.loopback);
    vertex
}

fn node_vertex(node: &Node) -> Vertex {
    let kind = VertexKind::Server(node.tier);
    let mut vertex = machine(kind, TargetKind::Node, &node.name, &node.labels);
    let tier = tier_words(node);
    vertex.caption = match role(&node.labels) {
        Some(role) => format!("{role}, {tier}"),
        None => tier.to_owned(),
    };
    vertex.addresses = words(&node.loopback);
    vertex.bmc = node.bmc.as_ref().map(|bmc| bmc.address.to_string());
    vertex
}

fn tier_words(node: &Node) -> &'static str {
    match node.tier {
        Tier::Full if node.firmware.uefi => "UEFI",
        Tier::Full => "BIOS",
        Tier::Kernel => "kernel",
        Tier::Netns => "netns",
        Tier::Mock => "mock",
    }
}

fn network_vertex(network: &Network, bmcs: usize) -> Vertex {
    let caption = match network.kind {
        NetworkType::Internal => String::new(),
        NetworkType::External if network.use_nat => "external, NAT".into(),
        NetworkType::External => "external".into(),
        NetworkType::Bmc if bmcs == 1 => "1 BMC".into(),
        NetworkType::Bmc => format!("{bmcs} BMCs"),
    };
    Vertex {
        kind: VertexKind::Network(network.kind),
        target: None,
        name: network.name.clone(),
        role: None,
        rank: 0,
        rack: network.labels.get("rack").cloned(),
        pod: network.labels.get("pod").cloned(),
        caption,
        addresses: words(&network.addresses),
        bmc: None,
        state: State::Unknown,
        members: Vec::new(),
    }
}
