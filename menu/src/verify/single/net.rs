//! Who still reaches whom when something is gone.

use super::counts;
use crate::verify::facts::Facts;
use crate::verify::site::Kind;
use std::collections::{HashMap, HashSet};

/// Machines and networks as a graph; BMC networks and what does not run are left out.
pub(super) struct Net<'f> {
    facts: &'f Facts<'f>,
    numbers: HashMap<&'f str, usize>,
    names: Vec<&'f str>,
    next: Vec<Vec<usize>>,
    /// Vertices from here on are networks.
    networks: usize,
    /// Machines of each rack.
    racks: HashMap<&'f str, Vec<usize>>,
}

impl<'f> Net<'f> {
    pub(super) fn of(facts: &'f Facts<'f>) -> Self {
        let machines = facts.site.machines.iter();
        let machines = machines
            .filter(|(_, it)| it.runs)
            .map(|(name, _)| name.as_str());
        let mut names: Vec<&str> = machines.collect();
        let networks = names.len();
        let numbers: HashMap<&str, usize> = (0..).zip(&names).map(|(at, it)| (*it, at)).collect();
        let plugged = facts.site.networks.iter().filter(|(_, it)| !it.bmc);
        let mut next = vec![Vec::new(); networks];
        for (network, _) in plugged {
            let number = names.len();
            names.push(network);
            let ends = facts.ends(network).iter();
            let ends: Vec<usize> = ends
                .filter_map(|(it, _)| numbers.get(it).copied())
                .collect();
            for end in &ends {
                next[*end].push(number);
            }
            next.push(ends);
        }
        let mut net = Self {
            facts,
            numbers,
            names,
            next,
            networks,
            racks: HashMap::new(),
        };
        for machine in 0..networks {
            if let Some(rack) = net.rack(machine) {
                net.racks.entry(rack).or_default().push(machine);
            }
        }
        net
    }

    /// What is cut off without some machines. Where all of them are in one rack, only that rack is
    /// looked at: the others hang on it no more than before.
    pub(super) fn loss(&self, gone: &[&str], rack: Option<&str>) -> Option<String> {
        let gone: HashSet<usize> = gone
            .iter()
            .filter_map(|it| self.numbers.get(it).copied())
            .collect();
        self.cut(&gone, rack)
    }

    /// Links between two machines, none of them a server, that nothing goes around, each with what is
    /// cut off without it. What servers share is a part of their ToR.
    pub(super) fn link_losses(&self) -> Vec<(&'f str, Option<String>)> {
        let links = self.bridges().into_iter().filter_map(|link| {
            let [one, other] = self.next[link].as_slice() else {
                return None;
            };
            let server = [one, other].map(|end| self.kind(*end) == Some(Kind::Server));
            if server.contains(&true) {
                return None;
            }
            let rack = self
                .rack(*one)
                .filter(|rack| self.rack(*other) == Some(*rack));
            Some((self.names[link], self.cut(&HashSet::from([link]), rack)))
        });
        links.collect()
    }

    /// Networks without which what they join falls apart: cut vertices, found in one walk (Tarjan).
    fn bridges(&self) -> Vec<usize> {
        let mut order = vec![0usize; self.next.len()];
        let mut low = order.clone();
        let mut cuts = vec![false; self.next.len()];
        let mut count = 0;
        for root in 0..self.networks {
            if order[root] > 0 {
                continue;
            }
            count += 1;
            (order[root], low[root]) = (count, count);
            // Where we are, whence we came, and which neighbor is next. The root is a machine, and
            // only networks are asked for.
            let mut path = vec![(root, root, 0)];
            while let Some((at, from, turn)) = path.last_mut() {
                let (at, from) = (*at, *from);
                if let Some(next) = self.next[at].get(*turn).copied() {
                    *turn += 1;
                    if order[next] == 0 {
                        count += 1;
                        (order[next], low[next]) = (count, count);
                        path.push((next, at, 0));
                    } else if next != from {
                        low[at] = low[at].min(order[next]);
                    }
                } else {
                    path.pop();
                    low[from] = low[from].min(low[at]);
                    cuts[from] |= low[at] >= order[from];
                }
            }
        }
        (self.networks..self.next.len())
            .filter(|at| cuts[*at])
            .collect()
    }

    fn cut(&self, gone: &HashSet<usize>, rack: Option<&str>) -> Option<String> {
        let mut seen = gone.clone();
        let mut parts: Vec<Vec<usize>> = Vec::new();
        let region = match rack {
            Some(rack) => self.racks.get(rack).cloned().unwrap_or_default(),
            None => (0..self.networks).collect(),
        };
        for start in region {
            if seen.contains(&start) {
                continue;
            }
            // Whoever reaches a machine of elsewhere is not cut off.
            let outside = |at: usize| rack.is_some() && at < self.networks && self.rack(at) != rack;
            let (part, out) = self.walk(start, &mut seen, outside);
            if !out {
                parts.push(part);
            }
        }
        if rack.is_none() {
            let largest = parts
                .iter()
                .enumerate()
                .max_by_key(|(_, part)| self.servers(part))?
                .0;
            let main = parts.swap_remove(largest);
            let most = self.servers(&main);
            let others: usize = parts.iter().map(|it| self.servers(it)).sum();
            // Of two halves none is cut off from the other.
            if parts.len() > 1 || !parts.is_empty() && others == most {
                return Some(format!(
                    "what is left falls into {} parts, the largest with {most} of {} servers",
                    parts.len() + 1,
                    most + others
                ));
            }
        }
        let lost = parts.iter().flatten().filter(|at| **at < self.networks);
        let lost = lost.filter_map(|at| self.facts.machine(self.names[*at]));
        Some(format!("{} cut off", counts(lost)?))
    }

    /// Everything that is reached from `start` and not seen before, up to where `end` says so; and
    /// whether it did.
    fn walk(
        &self,
        start: usize,
        seen: &mut HashSet<usize>,
        end: impl Fn(usize) -> bool,
    ) -> (Vec<usize>, bool) {
        let (mut reached, mut ended) = (Vec::new(), false);
        let mut todo = vec![start];
        seen.insert(start);
        while let Some(at) = todo.pop() {
            reached.push(at);
            for next in &self.next[at] {
                if end(*next) {
                    ended = true;
                } else if seen.insert(*next) {
                    todo.push(*next);
                }
            }
        }
        (reached, ended)
    }

    fn servers(&self, part: &[usize]) -> usize {
        let servers = part
            .iter()
            .filter(|at| self.kind(**at) == Some(Kind::Server));
        servers.count()
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        let name = (at < self.networks).then(|| self.names[at])?;
        self.facts.machine(name).map(|it| it.kind)
    }

    fn rack(&self, at: usize) -> Option<&'f str> {
        let name = (at < self.networks).then(|| self.names[at])?;
        self.facts.machine(name)?.rack.as_deref()
    }
}
