//! Reads scenario files from disk.

use super::draft::KINDS;
use placemat_spec::{Source, problem};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A scenario file, and whether its scenarios are to run or it only came along.
#[derive(Debug, Clone)]
pub struct Input {
    /// The text.
    pub source: Source,
    /// False for files that lie beside the asked one: their suites and libraries count, their
    /// scenarios do not.
    pub asked: bool,
}

/// Why scenario files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file or folder could not be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A folder has no YAML.
    #[error("no .yml or .yaml file in {0}")]
    Empty(String),
    /// A folder has YAML of other kinds alone.
    #[error("no file in {0} has a scenario (`kind: Scenario`, `Suite` or `Library`)")]
    Other(String),
}

/// Reads files, and the YAML files of folders in the order of their names, without those that are
/// for something else (the data center itself, seeds). A file given alone brings the other YAML
/// files of its folder along, for their suite and libraries.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Input>, ReadError> {
    let mut inputs: Vec<Input> = Vec::new();
    for path in paths {
        if path.is_dir() {
            let files = yaml_files(path)?;
            if files.is_empty() {
                return Err(ReadError::Empty(path.display().to_string()));
            }
            let before = inputs.len();
            for file in files {
                add(&mut inputs, &file, Why::InFolder)?;
            }
            if inputs.len() == before {
                return Err(ReadError::Other(path.display().to_string()));
            }
        } else {
            add(&mut inputs, path, Why::Named)?;
        }
    }
    for path in paths.iter().filter(|path| !path.is_dir()) {
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in yaml_files(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        })? {
            let file = file
                .strip_prefix(".")
                .map_or(file.clone(), Path::to_path_buf);
            add(&mut inputs, &file, Why::Neighbour)?;
        }
    }
    Ok(inputs)
}

/// How a file came to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Named,
    InFolder,
    Neighbour,
}

fn add(inputs: &mut Vec<Input>, path: &Path, why: Why) -> Result<(), ReadError> {
    let name = path.display().to_string();
    if inputs.iter().any(|known| known.source.name == name) {
        return Ok(());
    }
    // What was not named must not get in the way: it is left out unread.
    let text = match (std::fs::read_to_string(path), why) {
        (Ok(text), _) => text,
        (Err(_), Why::Neighbour) => return Ok(()),
        (Err(error), Why::InFolder) if error.kind() == ErrorKind::InvalidData => return Ok(()),
        (Err(source), _) => return Err(ReadError::Read { path: name, source }),
    };
    let wanted = match why {
        Why::Named => true,
        Why::InFolder => is_ours(&text),
        Why::Neighbour => kinds(&text).any(|kind| matches!(kind, "Suite" | "Library")),
    };
    if wanted {
        inputs.push(Input {
            source: Source::file(path, text),
            asked: why != Why::Neighbour,
        });
    }
    Ok(())
}

/// Whether a text is meant to be read here. One with an error in its very kind is, so that it is
/// told and not left out.
fn is_ours(text: &str) -> bool {
    let meant = |kind: &str| {
        KINDS.contains(&kind) || problem::nearest(kind, KINDS.iter().copied()).is_some()
    };
    kinds(text).any(meant)
        || (kinds(text).next().is_none() && text.lines().any(|line| line.starts_with("steps:")))
}

/// The kinds of a text's documents, as far as one sees them without reading it.
fn kinds(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.strip_prefix('{').map_or(line, str::trim_start);
        let line = line.trim_start_matches('"');
        let value = line.strip_prefix("kind")?.trim_start_matches('"');
        let value = value.strip_prefix(':')?.trim_start();
        let value = value.trim_start_matches(['"', '\'']);
        value.split(|it: char| !it.is_alphanumeric()).next()
    })
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let failed = |source| ReadError::Read {
        path: folder.display().to_string(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let yaml = path
            .extension()
            .is_some_and(|end| end == "yml" || end == "yaml");
        if yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_may_have_files_for_something_else() {
        for ours in [
            "kind: Scenario\nname: a",
            "# of a rack\n---\nkind: Suite # one\n",
            "kind: Node\n---\nkind: Library",
            "{kind: Scenario, name: a}",
            "\"kind\": 'Scenario'",
            "{\"kind\":\"Scenario\"}",
            "kind: Scenraio",
            "kind: scenario",
            "name: a\nsteps: []",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "",
            "kind: Node\nname: Scenario",
            "kind: DataCenter",
            "#cloud-config\nhostname: Scenario\nkinds: Scenario",
            "version: 2\n  kind: Scenario",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
