//! Where lines leave a machine: above, below or beside it, spread over its width in the order of where
//! they go, so that lines of one machine do not cross each other.

use super::super::{EdgeKind, Graph};
use super::place::Placed;
use super::{NARROW, PAD, Rect, Shape, count};
use std::collections::HashMap;

/// The side of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Above,
    Below,
    /// Towards a machine at the same height.
    Beside,
}

/// A port: where an edge ends at a machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Port {
    pub(super) side: Side,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Ports of machines by edge and end.
pub(super) type Ports = HashMap<(usize, usize), Port>;

/// How far to the right an end would like to be, the edge and which of its ends.
type Wish = (f64, usize, usize);

/// Greatest distance of two lines beside each other.
const APART: f64 = 26.0;

/// The ports of all links. `lane` gives the order of lines that come from above by lanes.
pub(super) fn ports(
    graph: &Graph,
    placed: &Placed,
    lane: impl Fn(usize) -> Option<usize>,
) -> Ports {
    let mut sides: HashMap<(usize, Side), Vec<Wish>> = HashMap::new();
    for (index, edge) in graph.edges.iter().enumerate() {
        if edge.kind == EdgeKind::Bmc {
            continue;
        }
        for end in 0..2 {
            let (own, far) = (edge.ends[end].vertex, edge.ends[1 - end].vertex);
            let (Some(Shape::Box(rect)), Some(other)) = (placed.shapes[own], placed.shapes[far])
            else {
                continue;
            };
            let side = side(rect, other.rect());
            let wish = match lane(index) {
                Some(lane) if side == Side::Above => count(lane),
                _ => wish(placed, own, far),
            };
            sides
                .entry((own, side))
                .or_default()
                .push((wish, index, end));
        }
    }
    let mut ports = Ports::new();
    for ((vertex, side), mut list) in sides {
        let Some(Shape::Box(rect)) = placed.shapes[vertex] else {
            continue;
        };
        list.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let step = APART.min((rect.w - PAD) / count(list.len()));
        let first = rect.middle() - step * (count(list.len()) - 1.0) / 2.0;
        for (number, (_, edge, end)) in list.into_iter().enumerate() {
            let (x, y) = match side {
                Side::Above => (first + step * count(number), rect.y),
                Side::Below => (first + step * count(number), rect.bottom()),
                Side::Beside => (rect.middle(), rect.y + rect.h / 2.0),
            };
            ports.insert((edge, end), Port { side, x, y });
        }
    }
    ports
}

fn side(own: Rect, other: Rect) -> Side {
    if other.y > own.y {
        Side::Below
    } else if other.y < own.y {
        Side::Above
    } else {
        Side::Beside
    }
}

/// How far to the right a line goes.
fn wish(placed: &Placed, own: usize, far: usize) -> f64 {
    match placed.shapes[far] {
        Some(Shape::Box(rect)) => rect.middle(),
        // Upright, at the side where the bar's others are; higher bars outside of lower ones.
        Some(Shape::Bar(_)) => {
            let middle = placed.shapes[own].map_or(0.0, |shape| shape.rect().middle());
            middle + side_of_bar(placed, own, far) * NARROW
        }
        Some(Shape::Floor(rect)) => rect.x,
        None => 0.0,
    }
}

/// Below 0 where most of what else is on a bar stands to the left of a machine.
fn side_of_bar(placed: &Placed, own: usize, bar: usize) -> f64 {
    let own = placed.shapes[own].map_or(0.0, |shape| shape.rect().middle());
    let ends = placed.neighbors[bar].iter();
    let boxes = ends.filter_map(|&it| placed.shapes[it]);
    let (left, right) = boxes.fold((0.0, 0.0), |(left, right), shape| {
        let middle = shape.rect().middle();
        if middle < own {
            (left + 1.0, right)
        } else if middle > own {
            (left, right + 1.0)
        } else {
            (left, right)
        }
    });
    right - left
}
