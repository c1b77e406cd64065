//! Servers that differ in nothing but name and address are drawn as one: "28 × compute".

use super::{Edge, EdgeKind, End, Graph, Member, State, Vertex, VertexKind};
use std::collections::{BTreeSet, HashMap, HashSet};

/// More servers alike than these are drawn as one.
pub(super) const MOST: usize = 4;

/// What servers that are drawn as one have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Likeness<'a> {
    kind: VertexKind,
    rack: Option<&'a str>,
    pod: Option<&'a str>,
    caption: &'a str,
    rank: u32,
    state: State,
    /// What they are plugged into.
    plugs: BTreeSet<(bool, usize)>,
}

impl Graph {
    /// The same with one vertex for more than `most` servers alike.
    pub(super) fn folded(&self, most: usize) -> Self {
        let mut groups: HashMap<Likeness<'_>, Vec<usize>> = HashMap::new();
        for (index, likeness) in self.likenesses() {
            groups.entry(likeness).or_default().push(index);
        }
        // The first of each group stands for all.
        let mut stands_in: HashMap<usize, usize> = HashMap::new();
        let mut led: HashMap<usize, Vec<usize>> = HashMap::new();
        for group in groups.into_values().filter(|group| group.len() > most) {
            stands_in.extend(group.iter().map(|&one| (one, group[0])));
            led.insert(group[0], group);
        }
        let mut graph = Self::default();
        let mut moved: HashMap<usize, usize> = HashMap::new();
        for (index, vertex) in self.vertices.iter().enumerate() {
            if stands_in.get(&index).is_some_and(|&first| first != index) {
                continue;
            }
            moved.insert(index, graph.vertices.len());
            graph.vertices.push(match led.get(&index) {
                Some(group) => self.group(group),
                None => vertex.clone(),
            });
        }
        let place = |index: usize| moved[stands_in.get(&index).unwrap_or(&index)];
        let mut known: HashMap<(EdgeKind, usize, usize), usize> = HashMap::new();
        for edge in &self.edges {
            let folded = edge
                .ends
                .iter()
                .any(|end| stands_in.contains_key(&end.vertex));
            let ends = edge.ends.clone().map(|end| End {
                vertex: place(end.vertex),
                ..end
            });
            let key = (edge.kind, ends[0].vertex, ends[1].vertex);
            if let Some(&at) = known.get(&key).filter(|_| folded) {
                merge(&mut graph.edges[at], ends);
                continue;
            }
            if folded {
                known.insert(key, graph.edges.len());
            }
            graph.edges.push(Edge {
                ends,
                ..edge.clone()
            });
        }
        graph
    }

    fn likenesses(&self) -> impl Iterator<Item = (usize, Likeness<'_>)> {
        let mut plugs: HashMap<usize, BTreeSet<(bool, usize)>> = HashMap::new();
        let mut twice: HashSet<usize> = HashSet::new();
        for edge in &self.edges {
            let [one, other] = [edge.ends[0].vertex, edge.ends[1].vertex];
            for (own, far) in [(one, other), (other, one)] {
                let fresh = plugs
                    .entry(own)
                    .or_default()
                    .insert((edge.kind == EdgeKind::Bmc, far));
                if !fresh {
                    // Two plugs in one network: not worth a rule of its own.
                    twice.insert(own);
                }
            }
        }
        let servers = self
            .vertices
            .iter()
            .enumerate()
            .filter(move |(index, vertex)| {
                matches!(vertex.kind, VertexKind::Server(_)) && !twice.contains(index)
            });
        servers.map(move |(index, vertex)| {
            let likeness = Likeness {
                kind: vertex.kind,
                rack: vertex.rack.as_deref(),
                pod: vertex.pod.as_deref(),
                caption: &vertex.caption,
                rank: vertex.rank,
                state: vertex.state,
                plugs: plugs.remove(&index).unwrap_or_default(),
            };
            (index, likeness)
        })
    }

    fn group(&self, group: &[usize]) -> Vertex {
        let first = &self.vertices[group[0]];
        let members = group.iter().map(|&index| {
            let vertex = &self.vertices[index];
            Member {
                name: vertex.name.clone(),
                addresses: vertex.addresses.clone(),
                bmc: vertex.bmc.clone(),
            }
        });
        let members: Vec<Member> = members.collect();
        let what = first.role.as_deref().unwrap_or("servers");
        let all = |of: fn(&Member) -> Option<&String>| span(members.iter().filter_map(of));
        Vertex {
            name: format!("{} × {what}", group.len()),
            target: None,
            addresses: all(|it| it.addresses.first()).into_iter().collect(),
            bmc: all(|it| it.bmc.as_ref()),
            members,
            ..first.clone()
        }
    }
}

/// From the first to the last.
fn span<'a>(mut all: impl Iterator<Item = &'a String>) -> Option<String> {
    let first = all.next()?;
    Some(match all.last() {
        Some(last) => format!("{first} … {last}"),
        None => first.clone(),
    })
}

/// One more edge between the same two.
fn merge(edge: &mut Edge, ends: [End; 2]) {
    edge.count += 1;
    for (end, more) in edge.ends.iter_mut().zip(ends) {
        for address in more.addresses {
            if end.addresses.contains(&address) {
                continue;
            }
            end.addresses.push(address);
            if end.addresses.len() > 2 {
                end.addresses.remove(1);
            }
        }
        if end.interface != more.interface {
            end.interface.clear();
        }
    }
}
