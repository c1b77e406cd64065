//! How much room words take. Without a font at hand, widths are those of common sans-serif ones, and
//! rather too wide than too narrow.

use super::super::{Edge, End, Graph, Options, Vertex};

/// Width of a character of a name, 13 px bold.
pub(in crate::graph) const WIDE: f64 = 7.6;
/// Width of a character of small words, 10.5 px.
pub(in crate::graph) const NARROW: f64 = 6.1;
/// Height of a line of small words.
pub(in crate::graph) const LINE: f64 = 14.0;
/// Room inside a box beside its words.
pub(in crate::graph) const PAD: f64 = 12.0;
/// Height of the cell of one of several alike.
pub(in crate::graph) const CELL: f64 = 18.0;
/// Room for the title below what is in a frame.
pub(in crate::graph) const FOOT: f64 = 26.0;
/// Least distance of two lines with words along them.
const APART: f64 = 14.0;
/// Least distance of two lines.
const CLOSE: f64 = 7.0;
/// Least width of a machine.
const LEAST: f64 = 84.0;

/// What one vertex takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    pub(super) w: f64,
    pub(super) h: f64,
    /// Width for its words alone, when its lines need none.
    pub(super) words: f64,
    /// Longest words along a line at it.
    pub(super) reach: f64,
}

/// Of all vertices. Networks have the width of their words.
pub(super) fn sizes(graph: &Graph, options: Options) -> Vec<Size> {
    let mut ports = vec![0_usize; graph.vertices.len()];
    let mut reach = vec![0.0_f64; graph.vertices.len()];
    for edge in &graph.edges {
        for end in &edge.ends {
            ports[end.vertex] += 1;
            let words = note(edge, end, options);
            if !words.is_empty() {
                reach[end.vertex] = reach[end.vertex].max(width(&words, NARROW) + 12.0);
            }
        }
    }
    let each = graph.vertices.iter().zip(ports.into_iter().zip(reach));
    each.map(|(vertex, (ports, reach))| {
        let apart = if reach > 0.0 { APART } else { CLOSE };
        let (w, h) = words_size(vertex, options);
        Size {
            w: w.max(count(ports) * apart + PAD),
            h,
            words: w,
            reach,
        }
    })
    .collect()
}

fn words_size(vertex: &Vertex, options: Options) -> (f64, f64) {
    if vertex.is_network() {
        return (bar_words(vertex), 0.0);
    }
    let lines = lines(vertex, options);
    let small = lines.iter().map(|line| width(line, NARROW));
    let widest = small.fold(width(&vertex.name, WIDE), f64::max);
    let mut size = (
        (widest + 2.0 * PAD).max(LEAST),
        25.0 + LINE * count(lines.len()) + 5.0,
    );
    if options.full && !vertex.members.is_empty() {
        let (columns, rows) = grid(vertex.members.len());
        let cell = cell_width(vertex, options);
        size.0 = size.0.max(count(columns) * cell + 2.0 * PAD);
        size.1 += count(rows) * CELL + 6.0;
    }
    size
}

/// Columns and rows in which several alike stand.
pub(in crate::graph) fn grid(members: usize) -> (usize, usize) {
    let columns = members.div_ceil(7).clamp(2, 6);
    (columns, members.div_ceil(columns))
}

/// Width of a cell of one of several alike.
pub(in crate::graph) fn cell_width(vertex: &Vertex, options: Options) -> f64 {
    let words = vertex.members.iter().map(|it| cell_words(it, options));
    words.map(|it| width(&it, NARROW)).fold(0.0, f64::max) + 14.0
}

/// What stands in the cell of one of several alike.
pub(in crate::graph) fn cell_words(member: &super::super::Member, options: Options) -> String {
    let mut words = member.name.clone();
    if options.addresses {
        for address in member.addresses.iter().chain(&member.bmc) {
            words.push_str("  ");
            words.push_str(address);
        }
    }
    words
}

/// What stands below a machine's name.
pub(in crate::graph) fn lines(vertex: &Vertex, options: Options) -> Vec<String> {
    let mut lines = vec![vertex.caption.clone()];
    if let Some(word) = vertex.state_word() {
        lines[0] = if lines[0].is_empty() {
            word.to_owned()
        } else {
            format!("{}, {word}", lines[0])
        };
    }
    if let [first, .., last] = &vertex.members[..] {
        lines.push(format!("{} … {}", first.name, last.name));
    }
    if options.addresses {
        lines.extend(vertex.addresses.iter().cloned());
        lines.extend(vertex.bmc.iter().map(|bmc| format!("BMC {bmc}")));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Width of what stands at a bar.
pub(in crate::graph) fn bar_words(vertex: &Vertex) -> f64 {
    let small = bar_line(vertex);
    width(&vertex.name, NARROW * 1.1) + width(&small, NARROW) + 2.0 * PAD
}

/// What stands after the name of a network.
pub(in crate::graph) fn bar_line(vertex: &Vertex) -> String {
    let mut words = vertex.addresses.clone();
    words.push(vertex.caption.clone());
    words.retain(|it| !it.is_empty());
    words.join(", ")
}

/// What stands along an edge at one of its ends.
pub(super) fn note(edge: &Edge, end: &End, options: Options) -> String {
    if !options.addresses || edge.kind == super::EdgeKind::Bmc {
        return String::new();
    }
    edge.words(end)
}

/// Width of some words whose characters are `each` wide.
pub(in crate::graph) fn width(words: &str, each: f64) -> f64 {
    // Beyond the alphabets of Europe characters are as wide as high.
    let all = words
        .chars()
        .map(|c| if c < '\u{1100}' { 1.0 } else { 1.9 });
    all.sum::<f64>() * each
}

/// A count as a length.
pub(in crate::graph) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
