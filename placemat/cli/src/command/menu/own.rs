//! Templates of one's own, from a folder.

use crate::exit::{self, Failure};
use crate::input;
use anyhow::{Context, anyhow};
use placemat_menu::{OwnTemplate, built_in_templates};
use placemat_spec::problem::suggestion;
use std::fs;
use std::path::Path;

/// The text of a built-in template.
pub(super) fn built_in(name: &str) -> Result<&'static str, Failure> {
    let mut all = built_in_templates();
    if let Some((_, text)) = all.find(|(other, _)| *other == name) {
        return Ok(text);
    }
    let names: Vec<&str> = built_in_templates().map(|(name, _)| name).collect();
    let error = anyhow!("there is no template `{name}`");
    Err(Failure::new(exit::USAGE, error).hint(suggestion(name, "templates are", &names)))
}

/// Every `NAME.j2` below a folder, in the order of their names; none without a folder.
pub(super) fn read(folder: Option<&Path>) -> Result<Vec<OwnTemplate>, Failure> {
    let mut found = Vec::new();
    if let Some(folder) = folder {
        below(folder, "", &mut found)?;
        if found.is_empty() {
            let error = anyhow!("{} has no template: none ends with .j2", folder.display());
            return Err(Failure::new(exit::USAGE, error)
                .hint("`placemat menu --list-templates` has their names"));
        }
    }
    Ok(found)
}

fn below(folder: &Path, prefix: &str, found: &mut Vec<OwnTemplate>) -> Result<(), Failure> {
    let unreadable = || format!("read {}", folder.display());
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries
        .with_context(unreadable)
        .map_err(|error| Failure::new(exit::SPEC, error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            below(&path, &format!("{prefix}{name}/"), found)?;
        } else if let Some(stem) = name.strip_suffix(".j2") {
            found.push(OwnTemplate {
                name: format!("{prefix}{stem}"),
                source: input::source(&path)?,
            });
        }
    }
    Ok(())
}
