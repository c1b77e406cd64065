//! Lines: straight from band to band, upright to bars, in a curve past what stands between; and, where
//! racks stand in several rows, along lanes.

use super::super::{Edge, EdgeKind, Graph, Options};
use super::block::{Blocks, Spot};
use super::lane::Lanes;
use super::place::Placed;
use super::port::{Port, Ports, Side, ports};
use super::size::{bar_words, note};
use super::{Bend, LaneName, Line, Note, Picture, Point, Rect, Shape};
use indexmap::IndexMap;

/// How far a line between two machines side by side hangs down below others between them.
const SAG: f64 = 34.0;
/// Distance of words from the line that they stand at, and from the machine.
const CLEAR: f64 = 3.0;
/// A network with one plug is this long.
const LEAST_BAR: f64 = 40.0;

/// Draws all lines.
pub(super) fn route(graph: &Graph, blocks: &Blocks, placed: Placed, options: Options) -> Picture {
    let lanes = Lanes::of(graph, blocks, &placed);
    let ports = ports(graph, &placed, |edge| lanes.number(edge));
    let mut router = Router {
        graph,
        blocks,
        options,
        placed,
        ports,
        picture: Picture::default(),
    };
    for (index, edge) in graph.edges.iter().enumerate() {
        if lanes.number(index).is_none() && edge.kind == EdgeKind::Link {
            router.link(index, edge);
        }
    }
    router.lanes(&lanes);
    router.bmcs();
    router.finish()
}

/// Draws lines, and with them bars as long as they have to be.
pub(super) struct Router<'a> {
    pub(super) graph: &'a Graph,
    pub(super) blocks: &'a Blocks,
    pub(super) options: Options,
    pub(super) placed: Placed,
    pub(super) ports: Ports,
    picture: Picture,
}

impl Router<'_> {
    pub(super) fn rect(&self, vertex: usize) -> Rect {
        self.placed.shapes[vertex].map_or(Rect::default(), |shape| shape.rect())
    }

    /// One line, with the words at its ends.
    fn link(&mut self, index: usize, edge: &Edge) {
        let [one, other] = [0, 1].map(|end| self.ports.get(&(index, end)).copied());
        let (bend, points) = match (one, other) {
            (Some(one), Some(other)) if one.side == Side::Beside => self.beside(edge, one, other),
            (Some(one), Some(other)) => self.between(edge, one, other),
            (None, Some(port)) | (Some(port), None) => {
                let network = edge.ends[usize::from(one.is_some())].vertex;
                (Bend::Straight, self.upright(network, port))
            }
            (None, None) => return,
        };
        for (end, port) in [one, other].into_iter().enumerate() {
            if let Some(port) = port {
                self.note(note(edge, &edge.ends[end], self.options), port);
            }
        }
        self.line(
            edge.kind,
            bend,
            points,
            vec![index],
            one.is_none() || other.is_none(),
        );
    }

    pub(super) fn line(
        &mut self,
        kind: EdgeKind,
        bend: Bend,
        points: Vec<Point>,
        edges: Vec<usize>,
        bus: bool,
    ) {
        self.picture.lines.push(Line {
            kind,
            bus,
            bend,
            points,
            edges,
        });
    }

    pub(super) fn note(&mut self, text: String, port: Port) {
        if text.is_empty() {
            return;
        }
        let (at, end) = match port.side {
            Side::Above => ((port.x - CLEAR, port.y - 5.0), false),
            Side::Below => ((port.x - CLEAR, port.y + 5.0), true),
            // Beside a machine there is no room: below it, where no line leaves.
            Side::Beside => ((port.x - CLEAR, port.y + 26.0), true),
        };
        self.picture.notes.push(Note { at, end, text });
    }

    pub(super) fn name_lane(&mut self, name: LaneName) {
        self.picture.lane_names.push(name);
    }

    /// Two lines that meet, rather than cross.
    pub(super) fn join(&mut self, at: Point) {
        self.picture.joins.push(at);
    }

    /// Between bands: a stretch upright for the words at each end, and straight from one to the other.
    fn between(&self, edge: &Edge, one: Port, other: Port) -> (Bend, Vec<Point>) {
        let stretch = |end: usize, port: Port| {
            let reach = self.placed.sizes[edge.ends[end].vertex].reach;
            let by = if port.side == Side::Above {
                -reach
            } else {
                reach
            };
            (port.x, port.y + by)
        };
        let (from, to) = (stretch(0, one), stretch(1, other));
        let (near, far) = ((one.x, one.y), (other.x, other.y));
        if self.passes(edge) {
            let middle = f64::midpoint(near.1, far.1);
            return (
                Bend::Curve,
                vec![near, (near.0, middle), (far.0, middle), far],
            );
        }
        let mut points = vec![near, from, to, far];
        points.dedup();
        (Bend::Straight, points)
    }

    /// Whether machines stand between both ends of an edge.
    fn passes(&self, edge: &Edge) -> bool {
        let [one, other] = [0, 1].map(|end| edge.ends[end].vertex);
        let spots = [self.blocks.spots[one], self.blocks.spots[other]];
        let (low, high) = (spots[0].min(spots[1]), spots[0].max(spots[1]));
        let inside = |spot: Spot| low < spot && spot < high;
        let bands = self.blocks.above.keys().filter(|height| *height % 2 == 1);
        let mut bands = bands.map(|&height| Spot::Above(height));
        let homes = [self.blocks.home[one], self.blocks.home[other]];
        let mut homes = homes.into_iter().flatten();
        let switches = homes.any(|home| !self.blocks.list[home].tors.is_empty());
        bands.any(inside) || (switches && inside(Spot::Tor)) || self.rows_differ(one, other)
    }

    fn rows_differ(&self, one: usize, other: usize) -> bool {
        let row = |vertex: usize| self.blocks.home[vertex].map(|home| self.placed.row_of[home]);
        matches!((row(one), row(other)), (Some(one), Some(other)) if one != other)
    }

    /// Between two side by side: straight where nothing stands between, else hanging below.
    fn beside(&self, edge: &Edge, one: Port, other: Port) -> (Bend, Vec<Point>) {
        let [left, right] = if one.x < other.x { [0, 1] } else { [1, 0] };
        let (left, right) = (
            self.rect(edge.ends[left].vertex),
            self.rect(edge.ends[right].vertex),
        );
        let level = |rect: Rect| (rect.y - left.y).abs() < 1.0;
        let between = |rect: Rect| level(rect) && rect.x > left.x && rect.x < right.x;
        let mut shapes = self.placed.shapes.iter().flatten();
        if shapes.any(|shape| between(shape.rect())) {
            let (from, to) = ((one.x, left.bottom()), (other.x, right.bottom()));
            let low = left.bottom().max(right.bottom()) + SAG;
            return (Bend::Curve, vec![from, (from.0, low), (to.0, low), to]);
        }
        let y = left.y + left.h.min(right.h) / 2.0;
        (Bend::Straight, vec![(left.right(), y), (right.x, y)])
    }

    /// Upright to a network, which grows to be met.
    fn upright(&mut self, network: usize, port: Port) -> Vec<Point> {
        self.meet(network, port.x);
        let rect = self.rect(network);
        let y = if port.y > rect.y {
            rect.bottom()
        } else {
            rect.y
        };
        vec![(port.x, port.y), (port.x, y)]
    }

    /// Makes a bar reach to `x`.
    pub(super) fn meet(&mut self, network: usize, x: f64) {
        let Some(Shape::Bar(rect)) = &mut self.placed.shapes[network] else {
            return;
        };
        // What has no width yet has met nobody.
        if rect.w == 0.0 && rect.h == 0.0 {
            (rect.x, rect.w, rect.h) = (x, 0.0, f64::MIN_POSITIVE);
        } else {
            let right = rect.right().max(x);
            rect.x = rect.x.min(x);
            rect.w = right - rect.x;
        }
    }

    /// BMCs: from each rack, or from servers that are in none, down to the network below.
    fn bmcs(&mut self) {
        // Where racks stand in rows, the network says how many it has, and that is all.
        if !self.placed.lanes.is_empty() {
            return;
        }
        let mut lines: IndexMap<(usize, Option<usize>, usize), Vec<usize>> = IndexMap::new();
        for (index, edge) in self.graph.edges.iter().enumerate() {
            let [network, machine] = [0, 1].map(|end| edge.ends[end].vertex);
            if edge.kind == EdgeKind::Bmc {
                let home = self.blocks.home[machine];
                let rack = home.filter(|&home| self.blocks.list[home].rack.is_some());
                let alone = if rack.is_some() { 0 } else { machine };
                lines.entry((network, rack, alone)).or_default().push(index);
            }
        }
        for ((network, rack, machine), edges) in lines {
            let from = match rack {
                Some(home) => self.placed.around[home],
                None => self.rect(machine),
            };
            let to = (from.middle(), self.rect(network).y);
            let points = vec![(from.middle(), from.bottom()), to];
            self.line(EdgeKind::Bmc, Bend::Straight, points, edges, true);
        }
    }

    fn finish(mut self) -> Picture {
        for shape in self.placed.shapes.iter_mut().flatten() {
            if let Shape::Bar(rect) = shape {
                rect.h = 0.0;
                rect.w = rect.w.max(LEAST_BAR);
            }
        }
        let bars = self.graph.vertices.iter().zip(&self.placed.shapes);
        let right = bars.filter_map(|(vertex, shape)| match shape {
            Some(Shape::Bar(rect)) => Some(rect.x + bar_words(vertex)),
            _ => None,
        });
        self.picture.width = right.fold(self.placed.width, f64::max);
        self.picture.height = self.placed.height;
        self.picture.frames = self.placed.frames;
        self.picture.shapes = self.placed.shapes;
        self.picture
    }
}
