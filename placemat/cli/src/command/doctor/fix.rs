//! `doctor --fix`: settings of the host, changed one by one and told.

use super::limits;
use crate::exit::{self, Failure};
use crate::place;
use anyhow::anyhow;
use placemat_host::probe::limit::Settings;
use placemat_lab::limits::{Measured, check};
use placemat_spec::Cluster;
use serde::Serialize;
use std::io;

/// A setting that was changed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Change {
    name: &'static str,
    from: u64,
    to: u64,
}

/// Settings that keep users from namespaces of their own, with what lets them.
const USER_NAMESPACES: [(&str, u64, u64); 3] = [
    // Ubuntu 24.04.
    ("kernel.apparmor_restrict_unprivileged_userns", 1, 0),
    // Debian, and kernels with the same patch.
    ("kernel.unprivileged_userns_clone", 0, 1),
    ("user.max_user_namespaces", 0, 10_000),
];

/// What would let users have namespaces of their own, on this host.
pub(super) fn user_namespaces() -> Vec<(&'static str, u64)> {
    let settings = Settings::default();
    let shut = USER_NAMESPACES
        .into_iter()
        .filter(|(name, shut, _)| settings.get(name) == Some(*shut));
    shut.map(|(name, _, open)| (name, open)).collect()
}

/// Changes what is too low for a cluster, and what shuts users out. Nothing that is high enough.
pub(super) fn apply(cluster: Option<&Cluster>, changes: &mut Vec<Change>) -> Result<(), Failure> {
    if !place::is_root() {
        let error = anyhow!("only root can change the host's settings");
        return Err(Failure::new(exit::HOST, error)
            .hint("`placemat doctor FILE` prints the lines; `sudo placemat doctor --fix FILE` applies them"));
    }
    let settings = Settings::default();
    let mut wanted = user_namespaces();
    if let Some(cluster) = cluster {
        let found = check(&limits::demand(cluster), &Measured::of(&settings));
        let raised = found
            .iter()
            .flat_map(placemat_lab::limits::Finding::settings);
        wanted
            .extend(raised.filter(|(name, to)| settings.get(name).is_some_and(|from| from < *to)));
    }
    // Of thresholds, none is above the next, not even for a moment: the highest first.
    wanted.reverse();
    for (name, to) in wanted {
        let Some(from) = settings.get(name) else {
            continue;
        };
        settings.set(name, to).map_err(|error| {
            let hint = hint(&error, name, to);
            let error = anyhow!(error).context(format!("set {name} to {to}"));
            Failure::new(exit::HOST, error).maybe_hint(hint)
        })?;
        changes.push(Change { name, from, to });
    }
    Ok(())
}

/// What helps where root may not change a setting.
fn hint(error: &io::Error, name: &str, to: u64) -> Option<String> {
    matches!(
        error.kind(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    )
    .then(|| format!("in a container settings are its host's: there, `sysctl -w {name}={to}`"))
}

/// The changes, and how they are kept.
pub(super) fn words(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "nothing to change".to_owned();
    }
    let lines = changes
        .iter()
        .map(|Change { name, from, to }| format!("{name} = {to} (was {from})\n"));
    format!(
        "changed until this host starts again; in /etc/sysctl.d/90-placemat.conf they would last:\n{}",
        lines.collect::<String>()
    )
}
