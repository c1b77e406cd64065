//! A graph as Mermaid, for Markdown.

use super::fold::MOST;
use super::{EdgeKind, Graph, Options, State, Vertex, VertexKind};
use crate::resource::NetworkType;
use std::fmt::{self, Write as _};

const CLASSES: &str = "  classDef router fill:#e0e7ff,stroke:#6366f1,color:#0f172a
  classDef boot fill:#dcfce7,stroke:#22a652,color:#0f172a
  classDef server fill:#dbeafe,stroke:#3b82f6,color:#0f172a
  classDef network fill:#e0f2fe,stroke:#0284c7,color:#0f172a
  classDef bmc fill:#fef3c7,stroke:#d97706,color:#0f172a
  classDef starting fill:#fef9c3,stroke:#ca8a04,color:#0f172a
  classDef down fill:#fee2e2,stroke:#dc2626,color:#0f172a
";

/// The file.
pub(super) fn render(graph: &Graph, options: Options) -> String {
    let graph = if options.full {
        graph.clone()
    } else {
        graph.folded(MOST)
    };
    let mut text = String::from("flowchart TB\n");
    text.push_str(CLASSES);
    // Writing to a string does not fail.
    let _ = write(&mut text, &graph, options);
    text
}

fn write(text: &mut String, graph: &Graph, options: Options) -> fmt::Result {
    let (loose, racks) = graph.racks();
    for index in loose {
        writeln!(text, "  {}", node(index, &graph.vertices[index], options))?;
    }
    for (number, (title, vertices)) in racks.iter().enumerate() {
        writeln!(text, "  subgraph r{number} [\"{}\"]", escape(title))?;
        for &index in vertices {
            writeln!(text, "    {}", node(index, &graph.vertices[index], options))?;
        }
        text.push_str("  end\n");
    }
    for edge in &graph.edges {
        let [one, other] = &edge.ends;
        let line = match edge.kind {
            EdgeKind::Link => "---",
            EdgeKind::Bmc => "-.-",
        };
        let mut words = String::new();
        if options.addresses && edge.kind == EdgeKind::Link {
            let ends = [one, other].map(|end| edge.words(end));
            let ends: Vec<&str> = ends
                .iter()
                .map(String::as_str)
                .filter(|it| !it.is_empty())
                .collect();
            if !ends.is_empty() {
                words = format!("|\"{}\"|", escape(&ends.join(" — ")));
            }
        }
        writeln!(text, "  n{} {line}{words} n{}", one.vertex, other.vertex)?;
    }
    Ok(())
}

fn node(index: usize, vertex: &Vertex, options: Options) -> String {
    let mut lines = vec![vertex.name.clone()];
    if vertex.is_network() {
        lines.push(super::layout::bar_line(vertex));
    } else {
        lines.extend(super::layout::lines(vertex, options));
    }
    lines.retain(|line| !line.is_empty());
    let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
    let (open, close) = if vertex.is_network() {
        ("([", "])")
    } else {
        ("[", "]")
    };
    let words = lines.join("<br>");
    format!("n{index}{open}\"{words}\"{close}:::{}", class(vertex))
}

fn class(vertex: &Vertex) -> &'static str {
    match (vertex.state, vertex.kind) {
        (State::Down, _) => "down",
        (State::Starting, _) => "starting",
        (_, VertexKind::Router) => "router",
        (_, VertexKind::BootServer) => "boot",
        (_, VertexKind::Server(_)) => "server",
        (_, VertexKind::Network(NetworkType::Bmc)) => "bmc",
        (_, VertexKind::Network(_)) => "network",
    }
}

/// Mermaid's own form of entities, for all that it, Markdown or HTML could take for something else.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() || " .,:/-_…—×+()".contains(c) => escaped.push(c),
            c if c.is_control() || "\u{fffe}\u{ffff}".contains(c) => escaped.push('\u{fffd}'),
            c => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "#{};", u32::from(c));
            }
        }
    }
    escaped
}
