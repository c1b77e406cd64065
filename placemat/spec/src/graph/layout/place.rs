//! Gives every machine its rectangle, and every network its height.

use super::super::Graph;
use super::band::{even, spread};
use super::block::{Block, Blocks, Spot, neighbors};
use super::size::{Size, width};
use super::{FOOT, Frame, PAD, Rect, Shape, WIDE, count};

/// Room around everything.
const MARGIN: f64 = 24.0;
/// Room between machines side by side.
const GAP: f64 = 22.0;
/// Room between racks side by side.
const RACK_GAP: f64 = 26.0;
/// Room between pods side by side.
const POD_GAP: f64 = 52.0;
/// Room for lines that are not upright between two bands.
const SLOPE: f64 = 58.0;
/// Room for a bar and its words.
pub(super) const BAR: f64 = 24.0;
/// Room between the lines of two switches that pass over racks.
pub(super) const LANE: f64 = 14.0;
/// Room between the lines of two switches on their way down.
pub(super) const TRUNK: f64 = 9.0;
/// Height of a network below all racks.
const FLOOR: f64 = 28.0;
/// A row of racks that is wider than this is broken.
const WIDEST: f64 = 2600.0;

/// Where everything stands, before there are lines.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// A shape for each vertex; bars have no width yet.
    pub(super) shapes: Vec<Option<Shape>>,
    pub(super) frames: Vec<Frame>,
    /// Each block's frame, drawn or not.
    pub(super) around: Vec<Rect>,
    /// Row of each block.
    pub(super) row_of: Vec<usize>,
    /// Whether racks stand in several rows.
    rows: bool,
    /// Where each row's lanes begin; empty where there is one row.
    pub(super) lanes: Vec<f64>,
    /// Below the lowest switch above the racks.
    pub(super) trunk: f64,
    pub(super) sizes: Vec<Size>,
    /// What each vertex has an edge to.
    pub(super) neighbors: Vec<Vec<usize>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Places all.
pub(super) fn place(graph: &Graph, blocks: &Blocks, sizes: &[Size]) -> Placed {
    let widths: Vec<f64> = blocks.list.iter().map(|block| block.width(sizes)).collect();
    let rows = rows(&blocks.list, &widths);
    let mut placed = Placed {
        shapes: vec![None; graph.vertices.len()],
        around: vec![Rect::default(); blocks.list.len()],
        row_of: vec![0; blocks.list.len()],
        rows: rows.len() > 1,
        sizes: sizes.to_vec(),
        neighbors: neighbors(graph),
        ..Placed::default()
    };
    let lines = if rows.len() > 1 {
        blocks.above.values().map(Vec::len).sum()
    } else {
        0
    };
    let mut y = placed.heights_above(blocks);
    placed.trunk = y;
    y += count(lines) * TRUNK;
    let left = MARGIN + count(lines) * TRUNK;
    for (number, row) in rows.iter().enumerate() {
        if lines > 0 {
            placed.lanes.push(y + LANE);
            y += count(lines) * LANE + LANE;
        }
        let mut x = left;
        let mut pod = None;
        for &index in row {
            let block = &blocks.list[index];
            if x > left {
                x += if pod == Some(&block.pod) {
                    RACK_GAP
                } else {
                    POD_GAP
                };
            }
            pod = Some(&block.pod);
            placed.row_of[index] = number;
            placed.around[index] = Rect {
                x,
                y,
                w: widths[index],
                h: 0.0,
            };
            x += widths[index];
        }
        placed.width = placed.width.max(x + MARGIN);
        y = placed.row(blocks, row, y, lines > 0);
        placed.frames(blocks, row);
        y += RACK_GAP;
    }
    placed.above(blocks, left);
    placed.floors(blocks, y);
    placed
}

/// Which blocks stand in which row.
fn rows(blocks: &[Block], widths: &[f64]) -> Vec<Vec<usize>> {
    let all: f64 = widths.iter().map(|width| width + RACK_GAP).sum();
    let most = if all <= WIDEST {
        f64::INFINITY
    } else {
        // About as wide as half as high again, with rows of a usual height.
        (all * 600.0).sqrt().max(WIDEST * 0.7)
    };
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut x = 0.0;
    for (index, width) in widths.iter().enumerate() {
        let other_pod = index > 0 && blocks[index - 1].pod != blocks[index].pod;
        let full = x + width > most || (other_pod && most.is_finite());
        if let Some(row) = rows.last_mut().filter(|_| !full) {
            row.push(index);
        } else {
            rows.push(vec![index]);
            x = 0.0;
        }
        x += width + RACK_GAP;
    }
    rows
}

impl Block {
    /// Switches with what stands between and below them, in order from the left.
    fn columns(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        let most = self.tors.len().max(self.boots.len());
        for index in 0..most {
            columns.extend(self.tors.get(index));
            columns.extend(self.boots.get(index));
        }
        columns
    }

    fn width(&self, sizes: &[Size]) -> f64 {
        let side_by_side =
            |list: &[usize]| -> f64 { list.iter().map(|&it| sizes[it].w + GAP).sum::<f64>() };
        let bars = self.bars.iter().map(|&it| sizes[it].w);
        let title = self.title().map_or(0.0, |title| width(&title, WIDE));
        let bars = bars.fold(0.0, f64::max);
        [
            side_by_side(&self.columns()),
            side_by_side(&self.servers),
            bars,
            title,
        ]
        .into_iter()
        .fold(0.0, f64::max)
            + PAD
    }

    fn title(&self) -> Option<String> {
        self.rack.as_ref().map(|rack| format!("rack {rack}"))
    }
}

impl Placed {
    fn reach(&self, list: impl IntoIterator<Item = usize>) -> f64 {
        list.into_iter()
            .map(|it| self.sizes[it].reach)
            .fold(0.0, f64::max)
    }

    fn tallest(&self, list: impl IntoIterator<Item = usize>) -> f64 {
        list.into_iter()
            .map(|it| self.sizes[it].h)
            .fold(0.0, f64::max)
    }

    fn put(&mut self, vertex: usize, middle: f64, y: f64, above: bool) {
        let Size {
            mut w, h, words, ..
        } = self.sizes[vertex];
        // What is above rows has one line.
        if above && self.rows {
            w = words;
        }
        let x = middle - w / 2.0;
        self.shapes[vertex] = Some(Shape::Box(Rect { x, y, w, h }));
    }

    fn bar(&mut self, vertex: usize, y: f64) {
        let rect = Rect {
            y,
            ..Rect::default()
        };
        self.shapes[vertex] = Some(Shape::Bar(rect));
    }

    /// Heights of what is above the racks; gives where the room below begins.
    fn heights_above(&mut self, blocks: &Blocks) -> f64 {
        let mut y = MARGIN;
        let mut room = 0.0;
        for (height, list) in blocks.above.iter().rev() {
            if height % 2 == 1 {
                let reach = self.reach(list.iter().copied());
                if y > MARGIN {
                    y += room + SLOPE + reach;
                }
                for &vertex in list {
                    self.put(vertex, 0.0, y, true);
                }
                y += self.tallest(list.iter().copied());
                room = reach;
            } else {
                y += room;
                for &vertex in list {
                    y += BAR;
                    self.bar(vertex, y);
                }
                room = 0.0;
            }
        }
        y + room
    }

    /// Heights in a row of racks; gives where it ends.
    fn row(&mut self, blocks: &Blocks, row: &[usize], top: f64, lanes: bool) -> f64 {
        let of = |list: fn(&Block) -> &Vec<usize>| -> Vec<usize> {
            row.iter()
                .flat_map(|&it| list(&blocks.list[it]).clone())
                .collect()
        };
        let (tors, boots, servers) = (of(|it| &it.tors), of(|it| &it.boots), of(|it| &it.servers));
        let bars = row.iter().map(|&it| blocks.list[it].bars.len()).max();
        let bars = count(bars.unwrap_or(0));
        let highest = if tors.is_empty() { &servers } else { &tors };
        let above: Vec<usize> = blocks.above.values().flatten().copied().collect();
        let mut y = top;
        if !above.is_empty() {
            y += self.reach(highest.iter().copied());
            y += if lanes {
                self.reach(above) + PAD
            } else {
                SLOPE
            };
        }
        let frame = y;
        y += PAD + 2.0;
        let tor = y;
        y += self.tallest(tors.iter().copied());
        let below_tors = y + self.reach(tors.iter().copied());
        let boot = below_tors + 26.0 + self.reach(boots.iter().copied());
        if !boots.is_empty() {
            y = boot + self.tallest(boots.iter().copied());
        }
        let bar = y.max(below_tors);
        if bars > 0.0 {
            y = bar + bars * BAR + 18.0 + self.reach(servers.iter().copied());
        } else if !(servers.is_empty() || tors.is_empty() && boots.is_empty()) {
            y = y.max(below_tors) + SLOPE + self.reach(servers.iter().copied());
        }
        let server = y;
        y += self.tallest(servers.iter().copied()) + FOOT;
        for &index in row {
            let block = &blocks.list[index];
            self.around[index].y = frame;
            self.around[index].h = y - frame;
            let Rect { x, w, .. } = self.around[index];
            let columns = block.columns();
            let widths: Vec<f64> = columns.iter().map(|&it| self.sizes[it].w).collect();
            for (vertex, middle) in columns.into_iter().zip(even(&widths, x, w)) {
                let is_tor = blocks.spots[vertex] == Spot::Tor;
                self.put(vertex, middle, if is_tor { tor } else { boot }, false);
            }
            for (number, &vertex) in block.bars.iter().enumerate() {
                self.bar(vertex, bar + count(number + 1) * BAR);
            }
            let widths: Vec<f64> = block.servers.iter().map(|&it| self.sizes[it].w).collect();
            for (&vertex, middle) in block.servers.iter().zip(even(&widths, x, w)) {
                self.put(vertex, middle, server, false);
            }
        }
        y
    }

    /// Frames around the racks of a row, and around its pods.
    fn frames(&mut self, blocks: &Blocks, row: &[usize]) {
        let same_pod =
            |one: &usize, other: &usize| blocks.list[*one].pod == blocks.list[*other].pod;
        for pod in row.chunk_by(same_pod) {
            let (Some(first), Some(last)) = (pod.first(), pod.last()) else {
                continue;
            };
            if let Some(name) = &blocks.list[*first].pod {
                let (left, right) = (self.around[*first], self.around[*last]);
                let rect = Rect {
                    x: left.x - PAD,
                    y: left.y - PAD,
                    w: right.right() - left.x + 2.0 * PAD,
                    h: left.h + PAD + FOOT,
                };
                self.frames.push(Frame {
                    rect,
                    title: format!("pod {name}"),
                    pod: true,
                });
            }
            for &index in pod {
                if let Some(title) = blocks.list[index].title() {
                    let rect = self.around[index];
                    self.frames.push(Frame {
                        rect,
                        title,
                        pod: false,
                    });
                }
            }
        }
    }

    /// Where what is above the racks stands from left to right: over what is below it.
    fn above(&mut self, blocks: &Blocks, left: f64) {
        let middle = f64::midpoint(left, self.width - MARGIN);
        for (height, list) in &blocks.above {
            let wish = |vertex: usize| {
                let below = self.neighbors[vertex]
                    .iter()
                    .filter(|&&it| blocks.spots[it] < Spot::Above(*height))
                    .filter(|&&it| !(self.rows && blocks.home[it].is_some()))
                    .filter_map(|&it| self.shapes[it].map(|shape| shape.rect().middle()));
                let (sum, many) = below.fold((0.0, 0.0), |(sum, many), it| (sum + it, many + 1.0));
                if many > 0.0 { sum / many } else { middle }
            };
            let mut wishes: Vec<(usize, f64)> = list.iter().map(|&it| (it, wish(it))).collect();
            if height % 2 == 0 {
                for (vertex, wish) in wishes {
                    if let Some(Shape::Bar(rect)) = &mut self.shapes[vertex] {
                        rect.x = wish;
                    }
                }
                continue;
            }
            wishes.sort_by(|one, other| one.1.total_cmp(&other.1));
            let width = |it: usize| self.shapes[it].map_or(0.0, |shape| shape.rect().w);
            let widths: Vec<f64> = wishes.iter().map(|&(it, _)| width(it)).collect();
            let at: Vec<f64> = wishes.iter().map(|&(_, wish)| wish).collect();
            for ((vertex, _), x) in wishes.into_iter().zip(spread(&widths, &at, 3.0 * GAP)) {
                if let Some(Shape::Box(rect)) = &mut self.shapes[vertex] {
                    rect.x = x - rect.w / 2.0;
                }
            }
        }
        self.widen(left);
    }

    /// Moves everything to the right when something stands too far to the left.
    fn widen(&mut self, left: f64) {
        let boxes = self
            .shapes
            .iter()
            .flatten()
            .filter_map(|shape| match shape {
                Shape::Box(rect) => Some(*rect),
                _ => None,
            });
        let (least, most) = boxes.fold((left, self.width - MARGIN), |(least, most), rect| {
            (least.min(rect.x), most.max(rect.right()))
        });
        let by = left - least;
        for shape in self.shapes.iter_mut().flatten() {
            match shape {
                Shape::Box(rect) | Shape::Bar(rect) | Shape::Floor(rect) => rect.x += by,
            }
        }
        let frames = self.frames.iter_mut().map(|frame| &mut frame.rect);
        for rect in frames.chain(&mut self.around) {
            rect.x += by;
        }
        self.width = most + by + MARGIN;
    }

    /// Networks below all racks.
    fn floors(&mut self, blocks: &Blocks, top: f64) {
        let mut y = top;
        if self.frames.iter().any(|frame| frame.pod) {
            y += PAD;
        }
        for &vertex in &blocks.floors {
            let width = self.width.max(self.sizes[vertex].w + 2.0 * (PAD + MARGIN));
            self.width = width;
            let rect = Rect {
                x: MARGIN,
                y,
                w: width - 2.0 * MARGIN,
                h: FLOOR,
            };
            self.shapes[vertex] = Some(Shape::Floor(rect));
            y += FLOOR + PAD;
        }
        self.height = y - PAD + MARGIN;
    }
}
