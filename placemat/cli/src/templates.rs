//! Templates of one's own: of the folder that the command line names, else of the one that the rack
//! spec does.

use crate::exit::{self, Failure};
use crate::input::{self, bounded};
use crate::tree;
use anyhow::anyhow;
use placemat_menu::{OwnTemplate, built_in_templates};
use placemat_spec::problem::suggestion;
use placemat_spec::{Problem, Problems, Source};
use std::fs;
use std::path::Path;

const NAMES: &str = "`placemat menu --list-templates` has their names";

/// The text of a built-in template.
pub(crate) fn built_in(name: &str) -> Result<&'static str, Failure> {
    let mut all = built_in_templates();
    if let Some((_, text)) = all.find(|(other, _)| *other == name) {
        return Ok(text);
    }
    let names: Vec<&str> = built_in_templates().map(|(name, _)| name).collect();
    let error = anyhow!("there is no template `{name}`");
    Err(Failure::new(exit::USAGE, error).hint(suggestion(name, "templates are", &names)))
}

/// Every `NAME.j2` below a folder, in the order of their names.
pub(crate) fn read(folder: &Path) -> Result<Vec<OwnTemplate>, Failure> {
    let found = below(folder).map_err(|error| Failure::new(exit::SPEC, error))?;
    if found.is_empty() {
        let error = anyhow!("{} has no template: none ends with .j2", folder.display());
        return Err(Failure::new(exit::USAGE, error).hint(NAMES));
    }
    Ok(found)
}

/// The same of the folder that a rack spec names; none where it names none.
pub(crate) fn of(spec: &Source) -> Result<Vec<OwnTemplate>, Failure> {
    let Some(folder) = placemat_menu::templates(spec)? else {
        return Ok(Vec::new());
    };
    let refused = |message: &str, label: String, help: &str| {
        let problem = Problem::new("missing-file", message).at(folder.place, label);
        Problems::new(vec![spec.clone()], vec![problem.help(help)])
    };
    let found = below(&folder.value).map_err(|error| {
        let help = "relative paths start at the folder of this YAML file";
        refused("`templates` cannot be read", format!("{error:#}"), help)
    })?;
    if found.is_empty() {
        let label = format!("nothing in {} ends with .j2", folder.value.display());
        return Err(refused("`templates` has no template", label, NAMES).into());
    }
    Ok(found)
}

fn below(folder: &Path) -> Result<Vec<OwnTemplate>, anyhow::Error> {
    let mut found = Vec::new();
    for path in tree::files(folder)? {
        let name = path.to_string_lossy();
        let Some(name) = name.strip_suffix(".j2") else {
            continue;
        };
        let path = folder.join(&path);
        let text = fs::File::open(&path).map_err(input::Unread::Io);
        let text = text.and_then(bounded);
        let text = text.map_err(|error| anyhow!("{} {error}", path.display()))?;
        found.push(OwnTemplate {
            name: name.to_owned(),
            source: Source::file(&path, text),
        });
    }
    Ok(found)
}
