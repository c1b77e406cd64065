//! The folder that a menu writes to: what is there from before.

use crate::exit::{self, Code, Failure};
use crate::talk;
use anyhow::Context;
use placemat_menu::File;
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// So many files are named, of those that are left.
const NAMED: usize = 3;

/// All that stands where a menu would write, relative to the folder: the same files, and all others in
/// the folders that it fills.
pub(super) fn written(folder: &Path, new: &[File]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for top in tops(new) {
        below(folder, top, &mut found)?;
    }
    Ok(found)
}

/// The folders that a menu fills and that were there before.
pub(super) struct Before<'f>(BTreeSet<&'f Path>);

impl<'f> Before<'f> {
    pub(super) fn of(new: &'f [File], folder: &Path) -> Self {
        let mut tops = tops(new);
        tops.retain(|top| folder.join(top).is_dir());
        Self(tops)
    }

    /// Says which files are left of something else that was written there: of machines that are gone,
    /// most likely. Whoever reads the whole folder would take them for what is.
    pub(super) fn say_left(&self, new: &[File], folder: &Path) -> Result<(), Failure> {
        let mut found = Vec::new();
        for top in &self.0 {
            below(folder, top, &mut found)?;
        }
        let new: HashSet<&Path> = new.iter().map(|file| file.path.as_path()).collect();
        found.retain(|path| !new.contains(path.as_path()));
        if found.is_empty() {
            return Ok(());
        }
        let names = found.iter().take(NAMED).map(|path| path.display());
        let names: Vec<String> = names.map(|name| name.to_string()).collect();
        let more = match found.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        talk::say(&format!(
            "note: files in {} that are no part of this data center: {}{more}",
            folder.display(),
            names.join(", ")
        ));
        Ok(())
    }
}

fn tops(new: &[File]) -> BTreeSet<&Path> {
    new.iter()
        .filter_map(|file| file.path.components().next())
        .map(|top| Path::new(top.as_os_str()))
        .collect()
}

/// Every file at `path` or below it, in the order of their names.
fn below(folder: &Path, path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let full = folder.join(path);
    let failed = || format!("read {}", full.display());
    if full.is_dir() {
        let mut names = Vec::new();
        for entry in fs::read_dir(&full).with_context(failed).code(exit::SPEC)? {
            names.push(entry.with_context(failed).code(exit::SPEC)?.file_name());
        }
        names.sort();
        for name in names {
            below(folder, &path.join(name), found)?;
        }
    } else if full.is_file() {
        found.push(path.to_owned());
    }
    Ok(())
}
