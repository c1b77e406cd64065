//! Whether limits can be had here. Changes nothing that stays.

use super::layout::{self, Hierarchy, WANTED};
use std::fs;
use std::path::Path;

/// Limits can be had.
#[derive(Debug, Clone)]
pub struct Support {
    pub(super) hierarchies: Vec<Hierarchy>,
    /// How, in words.
    pub words: String,
}

/// Limits cannot be had: why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unsupported {
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

/// Looks at this process's control groups.
pub fn probe() -> Result<Support, Unsupported> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    probe_in(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))
}

pub(super) fn probe_in(mountinfo: &str, own: &str) -> Result<Support, Unsupported> {
    let mut hierarchies = layout::hierarchies(mountinfo, own);
    for hierarchy in hierarchies.iter_mut().filter(|each| each.unified) {
        let path = hierarchy.folder.join("cgroup.controllers");
        let offered = fs::read_to_string(path).unwrap_or_default();
        hierarchy
            .controllers
            .retain(|wanted| offered.split_whitespace().any(|each| each == *wanted));
    }
    hierarchies.retain(|each| !each.controllers.is_empty());
    let found = |wanted: &&str| {
        hierarchies
            .iter()
            .any(|each| each.controllers.contains(wanted))
    };
    let missing: Vec<&str> = WANTED.into_iter().filter(|it| !found(it)).collect();
    if !missing.is_empty() {
        return Err(Unsupported {
            reason: format!(
                "this session has no control group with the controllers {}",
                missing.join(", ")
            ),
            remedy: delegated(),
        });
    }
    for hierarchy in &hierarchies {
        usable(hierarchy)?;
    }
    let unified = hierarchies.iter().all(|each| each.unified);
    Ok(Support {
        words: if unified {
            format!("cgroup v2, in {}", hierarchies[0].folder.display())
        } else {
            let folders: Vec<String> = hierarchies
                .iter()
                .map(|each| each.folder.display().to_string())
                .collect();
            format!("cgroup v1, in {}", folders.join(", "))
        },
        hierarchies,
    })
}

fn usable(hierarchy: &Hierarchy) -> Result<(), Unsupported> {
    let folder = &hierarchy.folder;
    // Made and removed again: permission bits do not tell what a read-only mount does.
    let trial = folder.join(format!("placemat-probe-{}", std::process::id()));
    if let Err(error) = fs::create_dir(&trial) {
        return Err(Unsupported {
            reason: format!(
                "no control group can be made in {}: {error}",
                folder.display()
            ),
            remedy: delegated(),
        });
    }
    let _ = fs::remove_dir(&trial);
    if hierarchy.unified && !is_ours_alone(folder) {
        return Err(Unsupported {
            reason: format!(
                "other processes are in the control group {}, which can have no groups below it then",
                folder.display()
            ),
            remedy: delegated(),
        });
    }
    Ok(())
}

/// v2 wants processes in leaves only. The root of all is the exception.
fn is_ours_alone(folder: &Path) -> bool {
    let enabled = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
    if WANTED
        .iter()
        .all(|it| enabled.split_whitespace().any(|each| each == *it))
    {
        return true;
    }
    let own = std::process::id().to_string();
    let procs = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    procs.lines().all(|line| line == own)
}

fn delegated() -> String {
    let user = if crate::process::effective_uid() == 0 {
        ""
    } else {
        "--user "
    };
    format!(
        "start it in a delegated control group: `systemd-run {user}--scope -p Delegate=yes placemat up ...`"
    )
}
