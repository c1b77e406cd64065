//! Power feeds and PDUs: every load means at least one machine or PDU, each once, and no PDU feeds
//! itself.

use super::Once;
use crate::Place;
use crate::draft::Draft;
use crate::problem::{Findings, Problem};
use crate::selector::{Index, Target, TargetKind};
use indexmap::IndexMap;
use std::collections::HashSet;

pub(super) fn check(draft: &Draft, findings: &Findings) {
    let index = Index::of(&draft.cluster);
    let mut plugged = Once::new();
    let mut fed: Fed<'_> = IndexMap::new();
    for (selector, feed) in &draft.ledger.loads {
        let targets: Vec<Target> = match selector.resolve_among(index.among(selector)) {
            Ok(targets) => targets,
            Err(error) => {
                findings.error(error.problem(selector));
                continue;
            }
        };
        if let Some(target) = targets.iter().find(|target| !can_be_fed(target)) {
            findings.error(
                Problem::new("bad-load", format!("{feed} cannot feed {target}"))
                    .at(selector.place, "takes no power from here")
                    .help("loads are nodes, routers, boot servers and PDUs: `rack/1`, `node/*`, `router/role=tor`, `pdu/*`"),
            );
            continue;
        }
        for target in targets {
            if target.kind == TargetKind::Pdu {
                let to = fed.entry(feed).or_default();
                to.push((format!("Power `{}`", target.name), selector.place));
            }
            let name = target.to_string();
            if let Some(first) = plugged.again((feed, target), selector.place, feed) {
                findings.warning(
                    Problem::new(
                        "duplicate-load",
                        format!("{name} is plugged into {feed} twice"),
                    )
                    .at(selector.place, "again here")
                    .at(first.0, "first here"),
                );
            }
        }
    }
    cycles(&fed, findings);
}

/// What each source feeds of PDUs, by what messages call them, and where that is said.
type Fed<'a> = IndexMap<&'a String, Vec<(String, Place)>>;

fn can_be_fed(target: &Target) -> bool {
    target.kind.is_machine() || target.kind == TargetKind::Pdu
}

/// Reports each ring of PDUs once.
fn cycles(fed: &Fed<'_>, findings: &Findings) {
    let mut done: HashSet<String> = HashSet::new();
    for start in fed.keys() {
        // Depth first: (source, how many of its outlets are done).
        let mut path: Vec<(String, usize)> = vec![((*start).clone(), 0)];
        while let Some((name, at)) = path.last_mut() {
            let next = fed.get(name).and_then(|outlets| outlets.get(*at));
            let Some((next, _)) = next.filter(|_| !done.contains(name)) else {
                done.insert(name.clone());
                path.pop();
                continue;
            };
            *at += 1;
            match path.iter().position(|(name, _)| name == next) {
                Some(from) => findings.error(ring(fed, &path[from..])),
                None if done.contains(next) => {}
                None => path.push((next.clone(), 0)),
            }
        }
    }
}

fn ring(fed: &Fed<'_>, path: &[(String, usize)]) -> Problem {
    let names: Vec<&str> = path.iter().map(|(name, _)| name.as_str()).collect();
    let message = match names.as_slice() {
        [one] => format!("{one} feeds itself"),
        many => format!("PDUs feed each other in a ring: {}", many.join(", ")),
    };
    let mut problem = Problem::new("power-cycle", message);
    for (name, at) in path {
        let outlet = fed.get(name).and_then(|outlets| outlets.get(at - 1));
        if let Some((next, place)) = outlet {
            problem = problem.at(*place, format!("feeds {next}"));
        }
    }
    problem.help("remove one of these")
}
