//! `placemat menu --diff`: against another rack spec, or against what was written.

use crate::exit::{self, Code, Failure};
use crate::{input, talk};
use anyhow::Context;
use placemat_menu::diff::diff;
use placemat_menu::{File, Output};
use placemat_spec::Source;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Prints what differs; whether anything does. `expand` is how another rack spec is expanded.
pub(super) fn run(
    old: &Path,
    new: &[File],
    expand: impl FnOnce(&Source) -> Result<Output, Failure>,
) -> Result<bool, Failure> {
    let is_folder = fs::metadata(old)
        .with_context(|| format!("read {}", old.display()))
        .code(exit::SPEC)?
        .is_dir();
    let before = if is_folder {
        written(old, new)?
    } else {
        expand(&input::source(old)?)?.files
    };
    let difference = diff(&before, new);
    if let Some(reason) = &difference.unreadable {
        talk::say(&format!(
            "note: {} is compared line by line only: {reason}",
            old.display()
        ));
    }
    talk::data(&difference.to_string())?;
    Ok(!difference.is_empty())
}

/// What stands in a folder where a menu would write: the same files, and all others in the folders
/// that it fills.
fn written(folder: &Path, new: &[File]) -> Result<Vec<File>, Failure> {
    let tops: BTreeSet<&Path> = new
        .iter()
        .filter_map(|file| file.path.components().next())
        .map(|top| Path::new(top.as_os_str()))
        .collect();
    let mut found = Vec::new();
    for top in tops {
        below(folder, top, &mut found)?;
    }
    Ok(found)
}

fn below(folder: &Path, path: &Path, found: &mut Vec<File>) -> Result<(), Failure> {
    let full = folder.join(path);
    let failed = || format!("read {}", full.display());
    if full.is_dir() {
        for entry in fs::read_dir(&full).with_context(failed).code(exit::SPEC)? {
            let name = entry.with_context(failed).code(exit::SPEC)?.file_name();
            below(folder, &path.join(name), found)?;
        }
    } else if full.is_file() {
        let bytes = fs::read(&full).with_context(failed).code(exit::SPEC)?;
        found.push(File {
            path: path.to_owned(),
            contents: String::from_utf8_lossy(&bytes).into_owned(),
            mode: 0o644,
        });
    }
    Ok(())
}
