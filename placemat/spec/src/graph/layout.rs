//! Where everything stands: racks side by side, spines above them, links between. Lengths are CSS pixels,
//! y grows downwards.
//!
//! Above the racks a band for each height of switches; in a rack ToRs, boot servers between and below them,
//! networks of many ends as bars, then servers. A data center too wide for one row has several; then
//! each switch above is a line of its own that passes over the racks of every row.

mod band;
mod block;
mod lane;
mod place;
mod port;
mod route;
mod size;

use super::{EdgeKind, Graph, Options};
use block::Blocks;

pub(super) use size::{CELL, LINE, PAD, bar_line, cell_width, cell_words, count, grid, lines};
use size::{FOOT, NARROW, WIDE};

/// A point.
pub(super) type Point = (f64, f64);

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

impl Rect {
    pub(super) fn middle(&self) -> f64 {
        self.x + self.w / 2.0
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.w
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.h
    }
}

/// A frame around machines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) rect: Rect,
    pub(super) title: String,
    /// Around racks rather than machines.
    pub(super) pod: bool,
}

/// What a vertex is drawn as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// A machine.
    Box(Rect),
    /// A network: a line with a name at its beginning.
    Bar(Rect),
    /// A network below everything: a box as wide as all.
    Floor(Rect),
}

impl Shape {
    pub(super) fn rect(&self) -> Rect {
        match self {
            Self::Box(rect) | Self::Bar(rect) | Self::Floor(rect) => *rect,
        }
    }
}

/// How a line goes from point to point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bend {
    /// Straight.
    Straight,
    /// One curve from the first point to the last, past what stands between.
    Curve,
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) kind: EdgeKind,
    /// Of a bar, rather than between two machines.
    pub(super) bus: bool,
    pub(super) bend: Bend,
    pub(super) points: Vec<Point>,
    /// Indices of the edges that it shows.
    pub(super) edges: Vec<usize>,
}

/// Small words along an upright line, which read upwards.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Note {
    pub(super) at: Point,
    /// They end there, rather than begin.
    pub(super) end: bool,
    pub(super) text: String,
}

/// Whose line it is that passes over a row of racks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LaneName {
    pub(super) at: Point,
    pub(super) vertex: usize,
}

/// Everything, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Picture {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) frames: Vec<Frame>,
    /// A shape for each vertex.
    pub(super) shapes: Vec<Option<Shape>>,
    pub(super) lines: Vec<Line>,
    pub(super) notes: Vec<Note>,
    /// Where lines meet that look as if they crossed.
    pub(super) joins: Vec<Point>,
    pub(super) lane_names: Vec<LaneName>,
}

/// Lays out a graph, which is folded already.
pub(super) fn lay_out(graph: &Graph, options: Options) -> Picture {
    let sizes = size::sizes(graph, options);
    let blocks = Blocks::of(graph);
    let placed = place::place(graph, &blocks, &sizes);
    route::route(graph, &blocks, placed, options)
}
