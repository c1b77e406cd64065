//! Where racks stand in several rows: from each switch above them a line leads down at the left, and
//! from there over each row.

use super::super::{EdgeKind, Graph};
use super::block::{Blocks, Spot};
use super::place::{LANE, Placed, TRUNK};
use super::port::{Port, Side};
use super::route::Router;
use super::size::note;
use super::{Bend, LaneName, PAD, Point, Shape, count};
use std::collections::{BTreeMap, HashMap};

/// Which edges pass over the racks in lanes: those from above into racks that stand in rows.
pub(super) struct Lanes {
    /// What has lanes, from the left of the way down and from the top of each row.
    owners: Vec<usize>,
    /// Number of its lane, of each edge that has one.
    of: HashMap<usize, usize>,
}

impl Lanes {
    pub(super) fn of(graph: &Graph, blocks: &Blocks, placed: &Placed) -> Self {
        let mut lanes = Self {
            owners: Vec::new(),
            of: HashMap::new(),
        };
        if placed.lanes.is_empty() {
            return lanes;
        }
        for (index, edge) in graph.edges.iter().enumerate() {
            let owner = edge.ends[0].vertex;
            let from_above = matches!(blocks.spots[owner], Spot::Above(_));
            if !from_above || blocks.home[edge.ends[1].vertex].is_none() {
                continue;
            }
            let known = lanes.owners.iter().position(|it| *it == owner);
            let number = known.unwrap_or_else(|| {
                lanes.owners.push(owner);
                lanes.owners.len() - 1
            });
            lanes.of.insert(index, number);
        }
        lanes
    }

    pub(super) fn number(&self, edge: usize) -> Option<usize> {
        self.of.get(&edge).copied()
    }
}

/// What comes down to the racks of each row: edges with their ports.
type Rows = BTreeMap<usize, Vec<(usize, Port)>>;

impl Router<'_> {
    /// Draws them all.
    pub(super) fn lanes(&mut self, lanes: &Lanes) {
        let mut rows: Vec<Rows> = vec![Rows::new(); lanes.owners.len()];
        for (index, edge) in self.graph.edges.iter().enumerate() {
            let home = self.blocks.home[edge.ends[1].vertex];
            let port = self.ports.get(&(index, 1)).copied();
            if let (Some(number), Some(home), Some(port)) = (lanes.number(index), home, port) {
                let row = self.placed.row_of[home];
                rows[number].entry(row).or_default().push((index, port));
            }
        }
        for (number, (&owner, rows)) in lanes.owners.iter().zip(&rows).enumerate() {
            self.down(owner, rows, number);
            for (&row, ports) in rows {
                self.over(owner, row, ports, number, lanes.owners.len());
            }
        }
    }

    /// Height of a lane of a row.
    fn lane(&self, row: usize, number: usize) -> f64 {
        self.placed.lanes[row] + count(number) * LANE
    }

    /// From a switch to the left, and down to its lowest lane.
    fn down(&mut self, owner: usize, rows: &Rows, number: usize) {
        let Some((&last, _)) = rows.last_key_value() else {
            return;
        };
        let x = way(number);
        let low = (x, self.lane(last, number));
        let points: Vec<Point> = if let Some(Shape::Bar(_)) = self.placed.shapes[owner] {
            self.meet(owner, x);
            vec![(x, self.rect(owner).y), low]
        } else {
            let rect = self.rect(owner);
            let y = self.placed.trunk + count(number + 1) * TRUNK;
            vec![
                (rect.middle(), rect.bottom()),
                (rect.middle(), y),
                (x, y),
                low,
            ]
        };
        let edges = rows.values().flatten().map(|(edge, _)| *edge).collect();
        self.line(EdgeKind::Link, Bend::Straight, points, edges, false);
    }

    /// Over a row, and down to each rack.
    fn over(
        &mut self,
        owner: usize,
        row: usize,
        ports: &[(usize, Port)],
        number: usize,
        all: usize,
    ) {
        let y = self.lane(row, number);
        let x = way(number);
        let far = ports.iter().map(|(_, port)| port.x).fold(x, f64::max);
        let edges = ports.iter().map(|(edge, _)| *edge).collect();
        self.line(
            EdgeKind::Link,
            Bend::Straight,
            vec![(x, y), (far, y)],
            edges,
            false,
        );
        self.name_lane(LaneName {
            at: (way(all), y),
            vertex: owner,
        });
        // Words of the upper end stand below all lanes of the row.
        let below = self.lane(row, all - 1);
        for &(index, port) in ports {
            let edge = &self.graph.edges[index];
            let [upper, lower] = [0, 1].map(|end| note(edge, &edge.ends[end], self.options));
            let top = Port {
                side: Side::Below,
                y: below,
                ..port
            };
            self.note(upper, top);
            self.note(lower, port);
            let points = vec![(port.x, y), (port.x, port.y)];
            self.line(EdgeKind::Link, Bend::Straight, points, vec![index], false);
            self.join((port.x, y));
        }
    }
}

/// Where a switch's line leads down.
fn way(number: usize) -> f64 {
    PAD + count(number) * TRUNK
}
