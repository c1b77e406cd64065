//! Who stands with whom: racks by their labels, else what hangs together below the spines; and what stands
//! above and below all racks.

use super::super::rank::{BOOT, TOR};
use super::super::{EdgeKind, Graph, Vertex, VertexKind};
use crate::resource::NetworkType;
use indexmap::IndexMap;
use std::collections::{BTreeMap, HashMap};

/// A rack, or machines that hang together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Block {
    /// The rack's label.
    pub(super) rack: Option<String>,
    /// Label `pod` of what is in it.
    pub(super) pod: Option<String>,
    /// Switches.
    pub(super) tors: Vec<usize>,
    /// What hangs on the switches by links of its own, between and below them.
    pub(super) boots: Vec<usize>,
    /// Networks, as bars below those.
    pub(super) bars: Vec<usize>,
    /// Servers, below the bars.
    pub(super) servers: Vec<usize>,
}

/// In which part of the picture a vertex stands. Ordered from below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Spot {
    /// A network below all racks.
    Floor,
    /// A server of a rack.
    Server,
    /// A network of a rack.
    RackBar,
    /// Between and below the switches of a rack.
    Boot,
    /// A switch of a rack.
    Tor,
    /// In a band above the racks, by the number of bands and gaps between: networks are at even
    /// heights, machines at odd ones.
    Above(u32),
}

/// Who stands where.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Blocks {
    /// In order from the left; those of a pod side by side.
    pub(super) list: Vec<Block>,
    /// Bands above the racks, from below.
    pub(super) above: BTreeMap<u32, Vec<usize>>,
    /// Networks below all racks.
    pub(super) floors: Vec<usize>,
    /// Of each vertex.
    pub(super) spots: Vec<Spot>,
    /// Index of each vertex's block.
    pub(super) home: Vec<Option<usize>>,
}

impl Blocks {
    /// Of a graph.
    pub(super) fn of(graph: &Graph) -> Self {
        let plugs = plugs(graph);
        let homes = Homes::of(graph, &plugs);
        let mut these = Self {
            spots: vec![Spot::Floor; graph.vertices.len()],
            home: vec![None; graph.vertices.len()],
            ..Self::default()
        };
        let own_links = own_links(graph);
        let mut blocks: IndexMap<Key<'_>, Block> = IndexMap::new();
        let mut keys = vec![None; graph.vertices.len()];
        for (index, vertex) in graph.vertices.iter().enumerate() {
            if vertex.is_network() {
                continue;
            }
            if vertex.rank > TOR {
                let height = 2 * (vertex.rank - TOR) - 1;
                these.spots[index] = Spot::Above(height);
                these.above.entry(height).or_default().push(index);
                continue;
            }
            let key = homes.key(graph, index);
            keys[index] = Some(key);
            let block = blocks.entry(key).or_default();
            block.rack.clone_from(&vertex.rack);
            block.pod = block.pod.take().or_else(|| vertex.pod.clone());
            let (spot, list) = match vertex.rank {
                TOR => (Spot::Tor, &mut block.tors),
                BOOT if own_links[index] => (Spot::Boot, &mut block.boots),
                _ => (Spot::Server, &mut block.servers),
            };
            these.spots[index] = spot;
            list.push(index);
        }
        for network in (0..graph.vertices.len()).filter(|&it| graph.vertices[it].is_network()) {
            keys[network] = these.network(graph, network, &plugs[network], &keys);
            if let Some(block) = keys[network].and_then(|key| blocks.get_mut(&key)) {
                block.bars.push(network);
            }
        }
        for block in blocks.values_mut() {
            block.sort(&neighbors(graph));
        }
        // Pods stay together, in the order in which they come first.
        let mut pods: IndexMap<Option<String>, Vec<(Key<'_>, Block)>> = IndexMap::new();
        for (key, block) in blocks {
            pods.entry(block.pod.clone())
                .or_default()
                .push((key, block));
        }
        let sorted: IndexMap<Key<'_>, Block> = pods.into_values().flatten().collect();
        for (index, key) in keys.iter().enumerate() {
            these.home[index] = key.and_then(|key| sorted.get_index_of(&key));
        }
        these.list = sorted.into_values().collect();
        these
    }

    /// Finds a place for a network, beside what is plugged into it. Gives its block.
    fn network<'a>(
        &mut self,
        graph: &Graph,
        network: usize,
        ends: &[usize],
        keys: &[Option<Key<'a>>],
    ) -> Option<Key<'a>> {
        let heights = ends.iter().map(|&end| match self.spots[end] {
            Spot::Above(height) => height,
            _ => 0,
        });
        let (low, high) =
            heights.fold((u32::MAX, 0), |(low, high), it| (low.min(it), high.max(it)));
        let mut homes: Vec<Key<'_>> = ends.iter().filter_map(|&end| keys[end]).collect();
        homes.dedup();
        if graph.is_bmc(network) {
            self.floors.push(network);
            return None;
        }
        if let ([home], 0) = (&homes[..], high) {
            self.spots[network] = Spot::RackBar;
            return Some(*home);
        }
        if high == 0 && !ends.iter().any(|&end| self.spots[end] == Spot::Tor) {
            self.floors.push(network);
            return None;
        }
        // Just above machines of one height, just below the highest of several.
        let over = low == high || graph.vertices[network].kind == external();
        let height = if over { high + high % 2 } else { high - 1 };
        self.spots[network] = Spot::Above(height);
        self.above.entry(height).or_default().push(network);
        None
    }
}

impl Block {
    /// Puts machines below those that they are plugged into. In a rack they stand as the file has them.
    fn sort(&mut self, neighbors: &[Vec<usize>]) {
        if self.rack.is_some() {
            return;
        }
        let mut at: HashMap<usize, f64> = HashMap::new();
        place(&self.tors, &mut at);
        for list in [&mut self.bars, &mut self.boots, &mut self.servers] {
            let wish = |vertex: usize| {
                let near = neighbors[vertex].iter().filter_map(|it| at.get(it));
                let (sum, many) = near.fold((0.0, 0.0), |(sum, many), it| (sum + it, many + 1.0));
                if many > 0.0 { sum / many } else { 0.5 }
            };
            list.sort_by(|&one, &other| wish(one).total_cmp(&wish(other)));
            place(list, &mut at);
        }
    }
}

/// Notes where each of a list stands, from 0 to 1.
fn place(list: &[usize], at: &mut HashMap<usize, f64>) {
    let all = super::count(list.len());
    for (index, &vertex) in list.iter().enumerate() {
        at.insert(vertex, (super::count(index) + 0.5) / all);
    }
}

/// What each vertex has an edge to.
pub(super) fn neighbors(graph: &Graph) -> Vec<Vec<usize>> {
    let mut neighbors = vec![Vec::new(); graph.vertices.len()];
    for edge in &graph.edges {
        let [one, other] = [edge.ends[0].vertex, edge.ends[1].vertex];
        neighbors[one].push(other);
        neighbors[other].push(one);
    }
    neighbors
}

fn external() -> VertexKind {
    VertexKind::Network(NetworkType::External)
}

/// Machines with an interface on each network.
fn plugs(graph: &Graph) -> Vec<Vec<usize>> {
    let mut plugs = vec![Vec::new(); graph.vertices.len()];
    let links = graph
        .edges
        .iter()
        .filter(|edge| edge.kind == EdgeKind::Link);
    for edge in links.filter(|edge| graph.vertices[edge.ends[0].vertex].is_network()) {
        plugs[edge.ends[0].vertex].push(edge.ends[1].vertex);
    }
    plugs
}

/// Whether each machine has nothing but links to single others.
fn own_links(graph: &Graph) -> Vec<bool> {
    let mut own = vec![true; graph.vertices.len()];
    for edge in graph
        .edges
        .iter()
        .filter(|edge| edge.kind == EdgeKind::Link)
    {
        if graph.vertices[edge.ends[0].vertex].is_network() {
            own[edge.ends[1].vertex] = false;
        }
    }
    own
}

/// What makes machines stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'a> {
    Rack(Option<&'a str>, &'a str),
    /// The first of those that hang together.
    Together(usize),
}

/// Machines without a rack, by what they hang on.
struct Homes {
    parent: Vec<usize>,
}

impl Homes {
    fn of(graph: &Graph, plugs: &[Vec<usize>]) -> Self {
        let mut homes = Self {
            parent: (0..graph.vertices.len()).collect(),
        };
        let loose =
            |vertex: &Vertex| vertex.is_network() || (vertex.rank <= TOR && vertex.rack.is_none());
        // A network holds together those that are on it when no other is.
        let binds: Vec<bool> = plugs
            .iter()
            .map(|ends| ends.iter().all(|&it| loose(&graph.vertices[it])))
            .collect();
        for edge in graph
            .edges
            .iter()
            .filter(|edge| edge.kind == EdgeKind::Link)
        {
            let [one, other] = [edge.ends[0].vertex, edge.ends[1].vertex];
            if loose(&graph.vertices[one]) && loose(&graph.vertices[other]) && binds[one] {
                let (one, other) = (homes.root(one), homes.root(other));
                homes.parent[one.max(other)] = one.min(other);
            }
        }
        homes
    }

    fn root(&self, mut of: usize) -> usize {
        while self.parent[of] != of {
            of = self.parent[of];
        }
        of
    }

    fn key<'a>(&self, graph: &'a Graph, machine: usize) -> Key<'a> {
        let vertex = &graph.vertices[machine];
        match &vertex.rack {
            Some(rack) => Key::Rack(vertex.pod.as_deref(), rack),
            None => Key::Together(self.root(machine)),
        }
    }
}
