//! A graph as DOT, for Graphviz.

use super::fold::MOST;
use super::{EdgeKind, Graph, Options, State, Vertex, VertexKind};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The file.
pub(super) fn render(graph: &Graph, options: Options) -> String {
    let graph = if options.full {
        graph.clone()
    } else {
        graph.folded(MOST)
    };
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, &graph, options);
    text
}

fn write(text: &mut String, graph: &Graph, options: Options) -> fmt::Result {
    text.push_str(
        "graph {\n\trankdir=TB; ranksep=0.8; nodesep=0.3; splines=true;\n\
         \tnode [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\", fontsize=11];\n\
         \tedge [fontname=\"monospace\", fontsize=8];\n",
    );
    let (loose, racks) = graph.racks();
    let mut heights: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for index in loose {
        let vertex = &graph.vertices[index];
        writeln!(text, "\t{}", node(index, vertex, options))?;
        if !vertex.is_network() {
            heights.entry(vertex.rank).or_default().push(index);
        }
    }
    for vertices in heights.values() {
        writeln!(text, "\t{}", same_rank(vertices))?;
    }
    for (number, (title, vertices)) in racks.iter().enumerate() {
        writeln!(text, "\tsubgraph cluster_{number} {{")?;
        let title = quoted(title);
        writeln!(
            text,
            "\t\tlabel={title}; labeljust=l; style=rounded; color=gray; fontname=\"sans-serif\";"
        )?;
        for &index in vertices {
            writeln!(text, "\t\t{}", node(index, &graph.vertices[index], options))?;
        }
        text.push_str("\t}\n");
    }
    for edge in &graph.edges {
        let [one, other] = &edge.ends;
        let mut attributes: Vec<(&str, String)> = Vec::new();
        if edge.kind == EdgeKind::Bmc {
            attributes.push(("style", "dashed".into()));
            attributes.push(("color", "orange".into()));
            // What manages stands aside, and shall not pull its servers up.
            attributes.push(("constraint", "false".into()));
        }
        if graph.is_dead(edge) {
            attributes.push(("color", "red".into()));
        }
        attributes.push(("tooltip", edge.network.clone()));
        if options.addresses && edge.kind == EdgeKind::Link {
            attributes.push(("taillabel", edge.words(one)));
            attributes.push(("headlabel", edge.words(other)));
        }
        attributes.retain(|(_, value)| !value.is_empty());
        let all = list(&attributes);
        writeln!(text, "\tn{} -- n{} [{all}];", one.vertex, other.vertex)?;
    }
    text.push_str("}\n");
    Ok(())
}

fn same_rank(vertices: &[usize]) -> String {
    let names = vertices.iter().map(|index| format!("n{index}; "));
    format!("{{ rank=same; {}}}", names.collect::<String>())
}

fn node(index: usize, vertex: &Vertex, options: Options) -> String {
    let mut lines = vec![vertex.name.clone()];
    lines.extend(super::layout::lines(vertex, options));
    let mut attributes = vec![("label", lines.join("\n"))];
    if vertex.is_network() {
        attributes[0].1 = [vertex.name.clone(), super::layout::bar_line(vertex)]
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n");
        attributes.push(("shape", "ellipse".into()));
        attributes.push(("style", "filled".into()));
    }
    attributes.push(("fillcolor", color(vertex).into()));
    format!("n{index} [{}];", list(&attributes))
}

fn color(vertex: &Vertex) -> &'static str {
    match (vertex.state, vertex.kind) {
        (State::Down, _) => "#fee2e2",
        (State::Starting, _) => "#fef9c3",
        (_, VertexKind::Router) => "#e0e7ff",
        (_, VertexKind::BootServer) => "#dcfce7",
        (_, VertexKind::Server(_)) => "#dbeafe",
        (_, VertexKind::Network(crate::resource::NetworkType::Bmc)) => "#fef3c7",
        (_, VertexKind::Network(_)) => "#e0f2fe",
    }
}

fn list(attributes: &[(&str, String)]) -> String {
    let all = attributes
        .iter()
        .map(|(key, value)| format!("{key}={}", quoted(value)));
    all.collect::<Vec<_>>().join(", ")
}

/// A quoted text of DOT's: only the quote needs escaping, but labels read escapes, so the backslash does too;
/// and HTML entities, so `&` does.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '&' => quoted.push_str("&amp;"),
            '\n' => quoted.push_str("\\n"),
            '\u{fffe}' | '\u{ffff}' => quoted.push(char::REPLACEMENT_CHARACTER),
            c if c.is_control() => quoted.push(char::REPLACEMENT_CHARACTER),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
