//! The bundle of a run that did not pass: all that is needed to know why, in one folder.

use crate::exit::{self, Code, Failure};
use crate::talk;
use anyhow::Context;
use std::fs;
use std::path::{Path, PathBuf};

/// Copies reports, events, logs, consoles and the cluster into `dir`.
pub(crate) fn collect(
    dir: &Path,
    run_dir: &Path,
    reports: [&Option<PathBuf>; 2],
    events: &Path,
) -> Result<(), Failure> {
    let done = || -> anyhow::Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
        copy_tree(&run_dir.join("logs"), &dir.join("logs"))?;
        let own =
            ["cluster.yml", "events.jsonl", "lab.json", "run.jsonl"].map(|name| run_dir.join(name));
        let given = reports
            .into_iter()
            .flatten()
            .cloned()
            .chain([events.to_owned()]);
        for file in own.into_iter().chain(given).filter(|file| file.exists()) {
            let name = file.file_name().unwrap_or_default();
            let name = if file.starts_with(run_dir) && name == "events.jsonl" {
                "lab-events.jsonl".as_ref()
            } else {
                name
            };
            fs::copy(&file, dir.join(name)).with_context(|| format!("copy {}", file.display()))?;
        }
        Ok(())
    };
    done().code(exit::HOST)?;
    talk::say(&format!("bundle: {}", dir.display()));
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}
