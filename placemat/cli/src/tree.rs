//! What is in a folder and below it.

use anyhow::Context;
use std::fs;
use std::path::{Path, PathBuf};

/// All that is no folder, relative to `folder`, in the order of their names.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, anyhow::Error> {
    let mut found = Vec::new();
    below(folder, Path::new(""), &mut found)?;
    Ok(found)
}

/// The same of a folder that is at `path` in the one that was asked for.
fn below(folder: &Path, path: &Path, found: &mut Vec<PathBuf>) -> Result<(), anyhow::Error> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.with_context(|| format!("read {}", folder.display()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = path.join(entry.file_name());
        if entry.path().is_dir() {
            below(&entry.path(), &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
