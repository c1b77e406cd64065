//! Graphs of a file with everything in it, and of anything at all: no machine covers another, no edge is
//! lost, and whatever names say, each format stays what it is.

use super::layout::{Picture, Shape, lay_out};
use super::*;
use crate::{Cluster, Source};
use proptest::collection::vec;
use proptest::prelude::*;
use quick_xml::events::Event;
use std::fmt::Write as _;

fn small() -> Graph {
    let text = include_str!("../../tests/good/small.yml");
    let loaded = Cluster::load(vec![Source::inline("small.yml", text)]);
    Graph::of(&loaded.expect("a good file").0)
}

const ALL: Options = Options {
    addresses: true,
    full: false,
};

#[test]
fn formats_of_one_rack() {
    let mut graph = small();
    graph.mark(|target| match target {
        "router/rack1-tor1" => State::Down,
        "boot-server/rack1-boot" => State::Starting,
        _ => State::Up,
    });
    for format in FORMATS {
        insta::assert_snapshot!(format.name, format.render(&graph, ALL));
    }
}

#[test]
fn servers_that_differ_in_nothing_but_names_are_drawn_as_one() {
    let mut text = String::from("{kind: Network, name: bmc, type: bmc, address: 10.2.0.1/24}\n");
    text.push_str("---\n{kind: Network, name: a, type: internal}\n");
    for number in 1..=12 {
        let network = if number == 12 { "[]" } else { "[a]" };
        let address = number + 1;
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "---\n{{kind: Node, name: s{number}, tier: mock, labels: {{role: compute, rack: '1'}}, \
             interfaces: {network}, bmc: {{address: 10.2.0.{address}}}}}"
        );
    }
    let loaded = Cluster::load(vec![Source::inline("dc.yml", &*text)]);
    let mut graph = Graph::of(&loaded.expect("a good file").0);
    let names = |graph: &Graph| -> String {
        let folded = graph.folded(4);
        let names = folded.vertices.iter().map(|vertex| vertex.name.clone());
        names.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(names(&graph), "11 × compute, s12, bmc, a");
    let folded = graph.folded(4);
    let group = &folded.vertices[0];
    assert_eq!(group.members.len(), 11);
    assert_eq!(group.bmc.as_deref(), Some("10.2.0.2 … 10.2.0.12"));
    assert_eq!(
        folded.edges.iter().map(|edge| edge.count).sum::<usize>(),
        23
    );
    // One that is down is not like the others.
    graph.mark(|target| match target {
        "node/s3" => State::Down,
        _ => State::Up,
    });
    assert_eq!(names(&graph), "10 × compute, s3, s12, bmc, a");
    // `full` names every one of them.
    let full = Options {
        full: true,
        ..Options::default()
    };
    for format in FORMATS {
        let text = format.render(&graph, full);
        for vertex in &graph.vertices {
            assert!(text.contains(&vertex.name), "{} in {text}", vertex.name);
        }
    }
}

/// Draws: name, kind, rank, rack, pod.
type Draw = (String, u8, u32, Option<u8>, Option<u8>);

fn vertex((name, kind, rank, rack, pod): Draw) -> Vertex {
    let (kind, rank) = match kind {
        0..4 => (VertexKind::Router, rank + rank::TOR),
        4 => (VertexKind::BootServer, rank::BOOT),
        _ => (VertexKind::Server(Tier::Netns), rank::SERVER),
    };
    Vertex {
        kind,
        target: Some(Target::new(crate::selector::TargetKind::Router, &name)),
        role: None,
        rank,
        rack: rack.map(|it| it.to_string()),
        pod: pod.map(|it| it.to_string()),
        caption: name.chars().rev().collect(),
        addresses: vec!["10.0.0.1/32".into()],
        bmc: None,
        state: State::Unknown,
        members: Vec::new(),
        name,
    }
}

fn network(name: String, kind: NetworkType) -> Vertex {
    Vertex {
        kind: VertexKind::Network(kind),
        target: None,
        caption: "external, NAT".into(),
        ..vertex((name, 0, 0, None, None))
    }
}

/// Any graph as [`Graph::of`] could make one, with any names.
fn graphs() -> impl Strategy<Value = Graph> {
    let draw = (
        "\\PC{0,20}|[a-z0-9-]{1,12}|.{0,6}",
        0..8_u8,
        0..4_u32,
        proptest::option::of(0..4_u8),
        proptest::option::of(0..2_u8),
    );
    let networks = vec(("\\PC{0,15}", 0..4_u8), 0..5);
    let links = vec((any::<usize>(), any::<usize>()), 0..40);
    (vec(draw, 1..30), networks, links).prop_map(|(draws, networks, links)| {
        let mut vertices: Vec<Vertex> = draws.into_iter().map(vertex).collect();
        let machines = vertices.len();
        vertices.extend(networks.into_iter().map(|(name, kind)| {
            let kind = match kind {
                0 => NetworkType::Bmc,
                1 => NetworkType::External,
                _ => NetworkType::Internal,
            };
            network(name, kind)
        }));
        let all = vertices.len();
        let mut graph = Graph {
            vertices,
            edges: Vec::new(),
        };
        for (one, other) in links {
            let (mut one, mut other) = (one % all, other % machines);
            if one == other {
                continue;
            }
            if one < machines && graph.vertices[one].rank < graph.vertices[other].rank {
                (one, other) = (other, one);
            }
            let bmc = graph.is_bmc(one) && other % 2 == 0;
            let end = |vertex: usize| End {
                vertex,
                interface: "eth0".into(),
                addresses: vec!["10.0.0.1/31".into()],
            };
            graph.edges.push(Edge {
                kind: if bmc { EdgeKind::Bmc } else { EdgeKind::Link },
                network: "a".into(),
                ends: [end(one), end(other)],
                count: 1,
            });
        }
        graph
    })
}

fn options() -> impl Strategy<Value = Options> {
    (any::<bool>(), any::<bool>()).prop_map(|(addresses, full)| Options { addresses, full })
}

/// The texts of a well-formed file, entities resolved.
fn texts(svg: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(svg);
    let mut texts = vec![String::new()];
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Eof => return texts,
            Event::Text(text) => {
                let text = text.decode().expect("UTF-8");
                texts.last_mut().expect("one").push_str(&text);
            }
            Event::GeneralRef(name) => {
                let name = name.decode().expect("UTF-8");
                let text = quick_xml::escape::resolve_xml_entity(&name).expect("known to XML");
                texts.last_mut().expect("one").push_str(text);
            }
            _ => texts.push(String::new()),
        }
    }
}

/// Asserts that no machine covers another or leaves the picture, and that every link is drawn.
fn assert_sound(graph: &Graph, options: Options) -> Picture {
    let picture = lay_out(graph, options);
    let boxes = picture
        .shapes
        .iter()
        .flatten()
        .filter_map(|shape| match shape {
            Shape::Box(rect) | Shape::Floor(rect) => Some(*rect),
            Shape::Bar(_) => None,
        });
    let boxes: Vec<_> = boxes.collect();
    for (index, one) in boxes.iter().enumerate() {
        assert!(one.x >= 0.0 && one.y >= 0.0, "{one:?}");
        assert!(one.right() <= picture.width && one.bottom() <= picture.height);
        for other in &boxes[index + 1..] {
            let apart = one.right() <= other.x
                || other.right() <= one.x
                || one.bottom() <= other.y
                || other.bottom() <= one.y;
            assert!(apart, "{one:?} {other:?}");
        }
    }
    for (index, edge) in graph.edges.iter().enumerate() {
        let drawn = picture.lines.iter().any(|line| line.edges.contains(&index));
        // Over several rows of racks, the network of BMCs says how many it has.
        let told = edge.kind == EdgeKind::Bmc && !picture.lane_names.is_empty();
        assert!(drawn || told, "{edge:?}");
    }
    picture
}

/// A fabric without servers.
fn fabric(spines: usize, racks: usize) -> Graph {
    let mut graph = Graph::default();
    for spine in 0..spines {
        graph
            .vertices
            .push(vertex((format!("spine-{spine}"), 0, 1, None, None)));
    }
    for rack in 0..racks {
        let mut tor = vertex((format!("rack{rack}-tor"), 0, 0, None, None));
        tor.rack = Some(rack.to_string());
        graph.vertices.push(tor);
        for spine in 0..spines {
            let ends = [spine, spines + rack].map(|vertex| End {
                vertex,
                interface: "eth0".into(),
                addresses: vec![format!("10.0.{rack}.{spine}/31")],
            });
            graph.edges.push(Edge {
                kind: EdgeKind::Link,
                network: format!("s{spine}-r{rack}"),
                ends,
                count: 1,
            });
        }
    }
    graph
}

#[test]
fn many_racks_stand_in_rows() {
    for racks in [1, 2, 10, 40, 200] {
        let graph = fabric(4, racks);
        for options in [Options::default(), ALL] {
            let picture = assert_sound(&graph, options);
            let rows = !picture.lane_names.is_empty();
            assert_eq!(rows, racks >= 40, "{racks} racks");
            assert!(
                picture.width < 3.0 * picture.height.max(900.0),
                "{racks} racks"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_machine_covers_another_and_no_edge_is_lost(graph in graphs(), options in options()) {
        assert_sound(&graph.folded(4), options);
    }

    #[test]
    fn svg_is_well_formed_and_has_every_name(graph in graphs(), options in options()) {
        let svg = svg::render(&graph, options);
        let texts = texts(&svg);
        let folded = graph.folded(4);
        for vertex in &folded.vertices {
            let name: String = vertex.name.chars().map(|c| match c {
                '\t' | '\n' => c,
                '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
                c if c.is_control() => '\u{fffd}',
                c => c,
            }).collect();
            prop_assert!(texts.contains(&name), "{name:?} in {texts:?}");
        }
    }

    /// Outside of quotes there is nothing that a file said.
    #[test]
    fn dot_has_names_in_quotes_only(graph in graphs(), options in options()) {
        let dot = dot::render(&graph, options);
        let mut bare = String::new();
        let (mut inside, mut escaped) = (false, false);
        for c in dot.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if inside => escaped = true,
                '"' => inside = !inside,
                _ if inside => {}
                c => bare.push(c),
            }
        }
        prop_assert!(!inside);
        prop_assert!(bare.is_ascii());
        let known = |c: char| c.is_ascii_alphanumeric() || " \t\n{}[]=;,.-_".contains(c);
        prop_assert!(bare.chars().all(known), "{bare}");
        prop_assert_eq!(bare.matches('{').count(), bare.matches('}').count());
    }

    /// What a file said is letters, digits and entities, in quotes, on one line.
    #[test]
    fn mermaid_has_names_in_quotes_only(graph in graphs(), options in options()) {
        let text = mermaid::render(&graph, options);
        for line in text.lines().skip(1) {
            let parts: Vec<&str> = line.split('"').collect();
            prop_assert!(parts.len() == 1 || parts.len() == 3, "{line}");
            if let [before, words, after] = parts[..] {
                let bare = format!("{before}{after}");
                let known = |c: char| c.is_ascii_alphanumeric() || " ()[]|-.:".contains(c);
                prop_assert!(bare.chars().all(known), "{line}");
                let words = words.replace("<br>", "");
                let known = |c: char| c.is_alphanumeric() || " .,:/-_…—×+()#;\u{fffd}".contains(c);
                prop_assert!(words.chars().all(known), "{line}");
            }
        }
    }
}
