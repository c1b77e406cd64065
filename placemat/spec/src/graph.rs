//! The picture of a cluster: what is plugged into what, laid out by tier, in three formats.
//!
//! ```text
//! Cluster --topology, tier--> Graph --fold--> Graph --svg (layout) | dot | mermaid--> text
//! ```
//!
//! A network with two ends is an edge; any other is a vertex of its own. Pure: what is alive in a lab
//! is told to [`Graph::mark`].

mod dot;
mod fold;
mod layout;
mod mermaid;
mod svg;
mod tier;
mod topology;

use crate::resource::{NetworkType, Tier};
use crate::selector::Target;
use indexmap::IndexMap;

/// Vertices and edges, both in the order of the files. Edges name vertices by their index.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// Machines, then networks that are no plain links.
    pub vertices: Vec<Vertex>,
    /// Plugs.
    pub edges: Vec<Edge>,
}

/// What a vertex is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VertexKind {
    /// A router or network namespace.
    Router,
    /// A boot server.
    BootServer,
    /// A server of some fidelity.
    Server(Tier),
    /// A network with other than two ends, or with an address of the hub.
    Network(NetworkType),
}

/// Whether it is alive, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing is known of it: it is a file's.
    Unknown,
    /// It runs.
    Up,
    /// It has power and is not up yet.
    Starting,
    /// It has no power, or does not run.
    Down,
}

/// A machine, several alike, or a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Vertex {
    /// What it is.
    pub kind: VertexKind,
    /// How a lab calls it; networks have none.
    pub target: Option<Target>,
    /// Its name; of several alike, how many of what.
    pub name: String,
    /// Its label `role`.
    pub role: Option<String>,
    /// How high it stands, see [`rank`]; of networks 0.
    pub rank: u32,
    /// Its label `rack`.
    pub rack: Option<String>,
    /// Its label `pod`.
    pub pod: Option<String>,
    /// What it is, in a few words.
    pub caption: String,
    /// Loopback addresses; of a network the hub's.
    pub addresses: Vec<String>,
    /// Address of its BMC.
    pub bmc: Option<String>,
    /// Whether it is alive.
    pub state: State,
    /// Those that this stands for, when it stands for several.
    pub members: Vec<Member>,
}

/// One of several alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its loopback addresses.
    pub addresses: Vec<String>,
    /// Address of its BMC.
    pub bmc: Option<String>,
}

/// What an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// An interface, or a link between two.
    Link,
    /// A BMC on its network.
    Bmc,
}

/// A plug, or several alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Link or BMC.
    pub kind: EdgeKind,
    /// The network's name.
    pub network: String,
    /// Both ends.
    pub ends: [End; 2],
    /// How many it stands for.
    pub count: usize,
}

/// One end of an edge.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// Index of its vertex.
    pub vertex: usize,
    /// Name of the interface inside; empty at a network.
    pub interface: String,
    /// Static addresses with prefix length.
    pub addresses: Vec<String>,
}

/// How high machines stand: what unlabelled routers above ToRs have is one more a hop.
pub mod rank {
    /// Servers.
    pub const SERVER: u32 = 0;
    /// Boot servers.
    pub const BOOT: u32 = 1;
    /// Switches at the top of a rack.
    pub const TOR: u32 = 2;
    /// Spines over ToRs.
    pub const SPINE: u32 = 3;
    /// Spines over spines.
    pub const SUPER_SPINE: u32 = 4;
    /// The way to the outside.
    pub const CORE: u32 = 5;
}

/// What to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Addresses at both ends of links, loopbacks and BMCs.
    pub addresses: bool,
    /// Every server by name, however many are alike.
    pub full: bool,
}

/// A format that a graph can be written in.
#[derive(Debug)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// How names of such files end, without the dot.
    pub extensions: &'static [&'static str],
    render: fn(&Graph, Options) -> String,
}

/// All formats; the first is the default.
pub const FORMATS: &[Format] = &[
    Format {
        name: "svg",
        extensions: &["svg"],
        render: svg::render,
    },
    Format {
        name: "mermaid",
        extensions: &["mmd", "mermaid"],
        render: mermaid::render,
    },
    Format {
        name: "dot",
        extensions: &["dot", "gv"],
        render: dot::render,
    },
];

impl Format {
    /// The text of a file in this format.
    pub fn render(&self, graph: &Graph, options: Options) -> String {
        (self.render)(graph, options)
    }
}

impl Graph {
    /// Notes what is known of machines: `state` is asked by target, as `router/spine-1`.
    pub fn mark(&mut self, state: impl Fn(&str) -> State) {
        for vertex in &mut self.vertices {
            if let Some(target) = &vertex.target {
                vertex.state = state(&target.to_string());
            }
        }
    }

    /// Indices of vertices of networks on which BMCs answer.
    fn is_bmc(&self, vertex: usize) -> bool {
        self.vertices[vertex].kind == VertexKind::Network(NetworkType::Bmc)
    }

    /// Vertices that are in no rack, and racks with a title and theirs; higher ones first, since that is
    /// where programs that lay out themselves draw what they read first.
    fn racks(&self) -> (Vec<usize>, Vec<(String, Vec<usize>)>) {
        let mut order: Vec<usize> = (0..self.vertices.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(self.vertices[index].rank));
        let mut loose = Vec::new();
        let mut racks: IndexMap<String, Vec<usize>> = IndexMap::new();
        for index in order {
            let vertex = &self.vertices[index];
            let title = match (&vertex.pod, &vertex.rack) {
                (Some(pod), Some(rack)) => format!("pod {pod}, rack {rack}"),
                (None, Some(rack)) => format!("rack {rack}"),
                (_, None) => {
                    loose.push(index);
                    continue;
                }
            };
            racks.entry(title).or_default().push(index);
        }
        (loose, racks.into_iter().collect())
    }

    /// Whether an edge ends in something that is down.
    fn is_dead(&self, edge: &Edge) -> bool {
        let mut ends = edge.ends.iter();
        ends.any(|end| self.vertices[end.vertex].state == State::Down)
    }
}

impl Vertex {
    /// Whether it is a network.
    pub fn is_network(&self) -> bool {
        matches!(self.kind, VertexKind::Network(_))
    }

    /// Words for what it stands for besides its name: `full`, and the state where that is bad.
    fn state_word(&self) -> Option<&'static str> {
        match self.state {
            State::Unknown | State::Up => None,
            State::Starting => Some("starting"),
            State::Down => Some("down"),
        }
    }
}

impl Edge {
    /// Addresses of one of its ends on one line; of several alike the first and the last.
    fn words(&self, end: &End) -> String {
        end.addresses.join(if self.count > 1 { " … " } else { " " })
    }
}

#[cfg(test)]
mod tests;
