//! Power feeds: every load means at least one machine, each once.

use super::Once;
use crate::draft::Draft;
use crate::problem::{Findings, Problem};
use crate::selector::{Index, Target};

pub(super) fn check(draft: &Draft, findings: &Findings) {
    let index = Index::of(&draft.cluster);
    let mut plugged = Once::new();
    for (selector, feed) in &draft.ledger.loads {
        let targets: Vec<Target> = match selector.resolve_among(index.among(selector)) {
            Ok(targets) => targets,
            Err(error) => {
                findings.error(error.problem(selector));
                continue;
            }
        };
        if let Some(target) = targets.iter().find(|target| !target.kind.is_machine()) {
            findings.error(
                Problem::new("bad-load", format!("{feed} cannot feed {target}"))
                    .at(selector.place, "not a machine")
                    .help("loads are nodes, routers and boot servers: `rack/1`, `node/*`, `router/role=tor`"),
            );
            continue;
        }
        for target in targets {
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
}
