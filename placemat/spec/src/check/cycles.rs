//! `depends-on`: no node may wait for itself, not even through others.

use crate::Place;
use crate::draft::{Draft, Want};
use crate::problem::{Findings, Problem};
use std::collections::HashMap;

/// Whether a node was looked at.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    OnPath,
    Done,
}

pub(super) fn check(draft: &Draft, findings: &Findings) {
    let mut places: HashMap<(String, &str), Place> = HashMap::new();
    for reference in draft
        .ledger
        .references
        .iter()
        .filter(|it| it.want == Want::Dependency)
    {
        places
            .entry((reference.by.clone(), reference.name.as_str()))
            .or_insert(reference.name.place);
    }
    let nodes = &draft.cluster.nodes;
    let next = |name: &str| nodes.get(name).map_or(&[][..], |node| &node.depends_on);
    let mut seen: HashMap<&str, Seen> = HashMap::new();
    for start in nodes.keys() {
        if seen.contains_key(start.as_str()) {
            continue;
        }
        // Depth first with a stack of its own: (node, how many of its dependencies are done).
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        seen.insert(start, Seen::OnPath);
        while let Some((name, at)) = path.last_mut() {
            let Some(dependency) = next(name).get(*at) else {
                seen.insert(name, Seen::Done);
                path.pop();
                continue;
            };
            *at += 1;
            match seen.get(dependency.as_str()) {
                Some(Seen::Done) => {}
                Some(Seen::OnPath) => {
                    let from = path
                        .iter()
                        .position(|(name, _)| name == dependency)
                        .unwrap_or(0);
                    let cycle: Vec<&str> = path[from..].iter().map(|(name, _)| *name).collect();
                    findings.error(problem(&cycle, &places));
                }
                None => {
                    seen.insert(dependency, Seen::OnPath);
                    path.push((dependency, 0));
                }
            }
        }
    }
}

fn problem(cycle: &[&str], places: &HashMap<(String, &str), Place>) -> Problem {
    let first = cycle[0];
    let message = if cycle.len() == 1 {
        format!("node `{first}` depends on itself")
    } else {
        format!(
            "nodes depend on each other: {} -> {first}",
            cycle.join(" -> ")
        )
    };
    let mut problem = Problem::new("dependency-cycle", message);
    for (index, name) in cycle.iter().enumerate() {
        let next = cycle[(index + 1) % cycle.len()];
        if let Some(place) = places.get(&(format!("Node `{name}`"), next)) {
            problem = problem.at(*place, format!("`{name}` waits for `{next}`"));
        }
    }
    problem.help("remove one of these")
}
