//! A graph as SVG: one file that needs nothing else, light or dark as the reader has it.

use super::fold::MOST;
use super::layout::{
    Bend, CELL, LINE, Line, PAD, Picture, Rect, Shape, bar_line, cell_width, cell_words, count,
    grid, lay_out, lines,
};
use super::{Edge, EdgeKind, Graph, Options, State, Vertex, VertexKind};
use crate::resource::{NetworkType, Tier};
use std::fmt::{self, Write as _};

const STYLE: &str = include_str!("svg.css");

/// The file.
pub(super) fn render(graph: &Graph, options: Options) -> String {
    let graph = graph.folded(MOST);
    let picture = lay_out(&graph, options);
    let mut drawing = Drawing {
        text: String::new(),
        graph: &graph,
        options,
    };
    // Writing to a string does not fail.
    let _ = drawing.draw(&picture);
    drawing.text
}

struct Drawing<'a> {
    text: String,
    graph: &'a Graph,
    options: Options,
}

impl Drawing<'_> {
    fn draw(&mut self, picture: &Picture) -> fmt::Result {
        let (width, height) = (number(picture.width), number(picture.height));
        writeln!(
            self.text,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
        )?;
        writeln!(self.text, "<style>\n{STYLE}</style>")?;
        writeln!(
            self.text,
            r#"<rect class="page" width="{width}" height="{height}"/>"#
        )?;
        for frame in &picture.frames {
            let class = if frame.pod { "pod" } else { "rack" };
            self.rect(class, frame.rect, 10.0)?;
            let at = (frame.rect.x + PAD, frame.rect.bottom() - 9.0);
            self.words("title", at, &frame.title)?;
        }
        for line in &picture.lines {
            self.line(line)?;
        }
        for (x, y) in &picture.joins {
            let (x, y) = (number(*x), number(*y));
            writeln!(
                self.text,
                r#"<circle class="join" cx="{x}" cy="{y}" r="2.2"/>"#
            )?;
        }
        for (vertex, shape) in self.graph.vertices.iter().zip(&picture.shapes) {
            if let Some(shape) = shape {
                self.vertex(vertex, *shape)?;
            }
        }
        for name in &picture.lane_names {
            let at = (name.at.0, name.at.1 - 3.0);
            self.words("lane", at, &self.graph.vertices[name.vertex].name)?;
        }
        for note in &picture.notes {
            let (x, y) = (number(note.at.0), number(note.at.1));
            let class = if note.end { "note end" } else { "note" };
            let text = escape(&note.text);
            writeln!(
                self.text,
                r#"<text class="{class}" transform="translate({x} {y}) rotate(-90)">{text}</text>"#
            )?;
        }
        self.text.push_str("</svg>\n");
        Ok(())
    }

    fn rect(&mut self, class: &str, rect: Rect, round: f64) -> fmt::Result {
        let Rect { x, y, w, h } = rect;
        writeln!(
            self.text,
            r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>"#,
            number(x),
            number(y),
            number(w),
            number(h),
            number(round)
        )
    }

    fn words(&mut self, class: &str, at: (f64, f64), words: &str) -> fmt::Result {
        let (x, y) = (number(at.0), number(at.1));
        let words = escape(words);
        writeln!(
            self.text,
            r#"<text class="{class}" x="{x}" y="{y}">{words}</text>"#
        )
    }

    fn line(&mut self, line: &Line) -> fmt::Result {
        let edges: Vec<&Edge> = line
            .edges
            .iter()
            .map(|&edge| &self.graph.edges[edge])
            .collect();
        let mut class = match (line.kind, line.bus) {
            (EdgeKind::Bmc, _) => "line mgmt".to_owned(),
            (EdgeKind::Link, true) => "line tap".to_owned(),
            (EdgeKind::Link, false) => "line".to_owned(),
        };
        if edges.iter().all(|edge| self.graph.is_dead(edge)) {
            class.push_str(" down");
        }
        let mut path = String::new();
        for (index, (x, y)) in line.points.iter().enumerate() {
            let step = match (index, line.bend) {
                (0, _) => "M",
                (1, Bend::Curve) => "C",
                (_, Bend::Curve) => "",
                (_, Bend::Straight) => "L",
            };
            write!(path, "{step}{} {} ", number(*x), number(*y))?;
        }
        let path = path.trim_end();
        write!(self.text, r#"<path class="{class}" d="{path}">"#)?;
        if let [edge] = &edges[..] {
            let title = self.edge_title(edge);
            write!(self.text, "<title>{}</title>", escape(&title))?;
        }
        writeln!(self.text, "</path>")
    }

    /// What a reader sees who stays on a line.
    fn edge_title(&self, edge: &Edge) -> String {
        let ends = edge.ends.iter().map(|end| {
            let name = &self.graph.vertices[end.vertex].name;
            let words = [name.as_str(), &end.interface, &edge.words(end)];
            let words = words.into_iter().filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join(" ")
        });
        format!("{}: {}", edge.network, ends.collect::<Vec<_>>().join(" — "))
    }

    fn vertex(&mut self, vertex: &Vertex, shape: Shape) -> fmt::Result {
        let class = class(vertex);
        writeln!(self.text, r#"<g class="{class}">"#)?;
        write!(self.text, "<title>{}</title>", escape(&title(vertex)))?;
        match shape {
            Shape::Box(rect) => self.machine(vertex, rect)?,
            Shape::Bar(rect) => {
                let (x, y) = (number(rect.x), number(rect.y));
                let right = number(rect.right());
                writeln!(self.text, r#"<path class="bar" d="M{x} {y}L{right} {y}"/>"#)?;
                let at = (rect.x + 6.0, rect.y - 4.0);
                self.network(vertex, at)?;
            }
            Shape::Floor(rect) => {
                self.rect("box", rect, 6.0)?;
                let at = (rect.x + PAD, rect.y + rect.h / 2.0 + 4.0);
                self.network(vertex, at)?;
            }
        }
        writeln!(self.text, "</g>")
    }

    /// Name of a network, and what else is known of it.
    fn network(&mut self, vertex: &Vertex, at: (f64, f64)) -> fmt::Result {
        let (x, y) = (number(at.0), number(at.1));
        let name = escape(&vertex.name);
        let more = escape(&bar_line(vertex));
        writeln!(
            self.text,
            r#"<text class="net" x="{x}" y="{y}"><tspan class="name">{name}</tspan><tspan dx="8">{more}</tspan></text>"#
        )
    }

    fn machine(&mut self, vertex: &Vertex, rect: Rect) -> fmt::Result {
        if !vertex.members.is_empty() && !self.options.full {
            // A stack of cards.
            for by in [6.0, 3.0] {
                let (x, y) = (rect.x + by, rect.y + by);
                self.rect("box", Rect { x, y, ..rect }, 6.0)?;
            }
        }
        self.rect("box", rect, 6.0)?;
        if vertex.bmc.is_some() {
            let (x, y) = (number(rect.middle()), number(rect.bottom()));
            writeln!(
                self.text,
                r#"<circle class="bmc" cx="{x}" cy="{y}" r="3"/>"#
            )?;
        }
        let middle = rect.middle();
        self.words("name", (middle, rect.y + 19.0), &vertex.name)?;
        let mut y = rect.y + 20.0;
        for line in lines(vertex, self.options) {
            y += LINE;
            self.words("small", (middle, y), &line)?;
        }
        if self.options.full && !vertex.members.is_empty() {
            self.members(vertex, rect, y + 8.0)?;
        }
        Ok(())
    }

    /// Several alike, each by name.
    fn members(&mut self, vertex: &Vertex, rect: Rect, top: f64) -> fmt::Result {
        let (columns, _) = grid(vertex.members.len());
        let wide = cell_width(vertex, self.options);
        let left = rect.middle() - count(columns) * wide / 2.0;
        for (index, member) in vertex.members.iter().enumerate() {
            let cell = Rect {
                x: left + count(index % columns) * wide + 2.0,
                y: top + count(index / columns) * CELL,
                w: wide - 4.0,
                h: CELL - 3.0,
            };
            self.rect("cell", cell, 3.0)?;
            let at = (cell.middle(), cell.y + 11.0);
            self.words("small", at, &cell_words(member, self.options))?;
        }
        Ok(())
    }
}

fn class(vertex: &Vertex) -> String {
    let kind = match vertex.kind {
        VertexKind::Router => "router",
        VertexKind::BootServer => "boot",
        VertexKind::Server(Tier::Full | Tier::Kernel) => "vm",
        VertexKind::Server(Tier::Netns) => "netns",
        VertexKind::Server(Tier::Mock) => "mock",
        VertexKind::Network(NetworkType::Internal) => "segment",
        VertexKind::Network(NetworkType::External) => "external",
        VertexKind::Network(NetworkType::Bmc) => "mgmt",
    };
    let state = match vertex.state {
        State::Unknown | State::Up => "",
        State::Starting => " starting",
        State::Down => " down",
    };
    format!("{kind}{state}")
}

/// What a reader sees who stays on a machine.
fn title(vertex: &Vertex) -> String {
    let mut words = vec![vertex.name.clone(), vertex.caption.clone()];
    words.extend(vertex.addresses.iter().cloned());
    words.extend(vertex.bmc.iter().map(|bmc| format!("BMC {bmc}")));
    words.extend(vertex.members.iter().map(|member| member.name.clone()));
    words.retain(|word| !word.is_empty());
    words.join("\n")
}

/// A length with at most one decimal.
fn number(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Text for XML 1.0, which has no way to write most control characters.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            c if c.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}
