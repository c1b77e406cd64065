//! Reads scenario files from disk.

use placemat_spec::Source;
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
}

/// Reads files, and the YAML files of folders in the order of their names. A file given alone
/// brings the other YAML files of its folder along, for their suite and libraries.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Input>, ReadError> {
    let mut inputs: Vec<Input> = Vec::new();
    for path in paths {
        if path.is_dir() {
            let files = yaml_files(path)?;
            if files.is_empty() {
                return Err(ReadError::Empty(path.display().to_string()));
            }
            for file in files {
                add(&mut inputs, &file, true)?;
            }
        } else {
            add(&mut inputs, path, true)?;
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
            add(&mut inputs, &file, false)?;
        }
    }
    Ok(inputs)
}

fn add(inputs: &mut Vec<Input>, path: &Path, asked: bool) -> Result<(), ReadError> {
    let name = path.display().to_string();
    if inputs.iter().any(|known| known.source.name == name) {
        return Ok(());
    }
    let text =
        std::fs::read_to_string(path).map_err(|source| ReadError::Read { path: name, source })?;
    // What only came along must not get in the way: neighbours without a suite or library are
    // left out unread.
    let serves = |line: &str| {
        let bare = line.split(" #").next().unwrap_or(line).trim_end();
        matches!(bare, "kind: Suite" | "kind: Library")
    };
    if asked || text.lines().any(serves) {
        inputs.push(Input {
            source: Source::file(path, text),
            asked,
        });
    }
    Ok(())
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
