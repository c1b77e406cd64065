//! `placemat menu --diff`: against another rack spec, or against what was written.

use super::folder;
use crate::exit::{self, Code, Failure};
use crate::{input, talk};
use anyhow::Context;
use placemat_menu::diff::diff;
use placemat_menu::{File, Output};
use placemat_spec::Source;
use std::fs;
use std::path::{Path, PathBuf};

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

/// What stands in a folder where a menu would write.
fn written(folder: &Path, new: &[File]) -> Result<Vec<File>, Failure> {
    let read = |path: PathBuf| {
        let full = folder.join(&path);
        let bytes = fs::read(&full)
            .with_context(|| format!("read {}", full.display()))
            .code(exit::SPEC)?;
        Ok(File {
            path,
            contents: String::from_utf8_lossy(&bytes).into_owned(),
            mode: 0o644,
        })
    };
    let found = folder::written(folder, new)?;
    found.into_iter().map(read).collect()
}
