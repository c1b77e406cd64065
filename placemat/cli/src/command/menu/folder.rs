//! The folder that a menu writes to: what is there from before.

use crate::exit::{self, Code, Failure};
use crate::{talk, tree};
use placemat_menu::File;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// So many files are named, of those that are left.
const NAMED: usize = 3;

/// All that stands where a menu would write, relative to the folder: the same files, and all others in
/// the folders that it fills.
pub(super) fn written(folder: &Path, new: &[File]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for top in tops(new) {
        found.extend(below(folder, top)?);
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
            found.extend(below(folder, top)?);
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

/// Every file at `top` or below it, in the order of their names.
fn below(folder: &Path, top: &Path) -> Result<Vec<PathBuf>, Failure> {
    let full = folder.join(top);
    let mut found = if full.is_dir() {
        let below = tree::files(&full).code(exit::SPEC)?;
        below.iter().map(|path| top.join(path)).collect()
    } else {
        vec![top.to_owned()]
    };
    found.retain(|path| folder.join(path).is_file());
    Ok(found)
}
