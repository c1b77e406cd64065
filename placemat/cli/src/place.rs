//! Where labs of this user keep their files, and how labs are named.

use crate::exit::{self, Failure};
use crate::input;
use placemat_lab::registry::{Claim, Registry};
use std::path::{Path, PathBuf};

/// The registry of this user's labs. `PLACEMAT_RUN_DIR` and `PLACEMAT_DATA_DIR` override its places.
pub(crate) fn registry() -> Registry {
    Registry::new(run_base(), data_base())
}

/// The data directory that a lab of this name gets while no other has it.
pub(crate) fn data_dir(name: &str) -> PathBuf {
    data_base().join(name)
}

/// Claims the directories of a new lab; its data directory below `data`, if that is given.
pub(crate) fn claim(
    name: &str,
    files: Vec<PathBuf>,
    started: String,
    data: Option<PathBuf>,
) -> Result<Claim, Failure> {
    let hint = match data {
        Some(_) => "--data-dir names another place",
        None => "PLACEMAT_DATA_DIR names another place",
    };
    let data = data.unwrap_or_else(data_base);
    input::check_visible(&data, "the data directory", exit::HOST, hint)?;
    let registry = Registry::new(run_base(), data);
    registry.claim(name, files, started).map_err(|error| {
        Failure::new(exit::HOST, error).hint(
            "PLACEMAT_RUN_DIR and PLACEMAT_DATA_DIR name other places for run and data directories",
        )
    })
}

/// A lab's name is also a folder's.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || text.len() > 40 || text.starts_with('.') || !text.chars().all(fine) {
        return Err(
            "a name has 1 to 40 letters, digits, `-`, `_` and `.`, and does not begin with `.`"
                .into(),
        );
    }
    Ok(text.to_owned())
}

fn run_base() -> PathBuf {
    if let Some(dir) = std::env::var_os("PLACEMAT_RUN_DIR") {
        return dir.into();
    }
    if is_root() {
        return "/run/placemat".into();
    }
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(dir) if !dir.is_empty() => Path::new(&dir).join("placemat"),
        _ => format!("/tmp/placemat-{}", uid()).into(),
    }
}

fn data_base() -> PathBuf {
    if let Some(dir) = std::env::var_os("PLACEMAT_DATA_DIR") {
        return dir.into();
    }
    if is_root() {
        "/var/lib/placemat".into()
    } else {
        home("XDG_DATA_HOME", ".local/share")
    }
}

/// Where what can be had again is kept.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CacheArg {
    /// Folder that keeps downloaded images [default: `/var/cache/placemat` for root, else
    /// `~/.cache/placemat`].
    #[arg(
        long,
        value_name = "DIR",
        env = "PLACEMAT_CACHE_DIR",
        hide_env_values = true
    )]
    pub(crate) cache_dir: Option<PathBuf>,
}

impl CacheArg {
    /// The folder, absolute: the lab process may be elsewhere.
    pub(crate) fn path(&self) -> PathBuf {
        let dir = self.cache_dir.clone().unwrap_or_else(cache_base);
        std::path::absolute(&dir).unwrap_or(dir)
    }
}

/// Where what can be had again is kept: downloaded images, the result of the accelerator probe.
pub(crate) fn cache_base() -> PathBuf {
    if let Some(dir) = std::env::var_os("PLACEMAT_CACHE_DIR") {
        return dir.into();
    }
    if is_root() {
        "/var/cache/placemat".into()
    } else {
        home("XDG_CACHE_HOME", ".cache")
    }
}

fn home(variable: &str, below: &str) -> PathBuf {
    let base = std::env::var_os(variable).map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(below)));
    base.unwrap_or_else(|| format!("/tmp/placemat-{}", uid()).into())
        .join("placemat")
}

pub(crate) fn is_root() -> bool {
    uid() == 0
}

fn uid() -> u32 {
    placemat_host::process::effective_uid()
}

/// The name of a lab made from a file: the file's stem; of its folder for `cluster.yml`, which
/// `placemat menu` always writes.
pub(crate) fn lab_name(file: &Path) -> String {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let folder = || {
        let absolute = std::path::absolute(file).ok()?;
        Some(
            absolute
                .parent()?
                .file_name()?
                .to_string_lossy()
                .into_owned(),
        )
    };
    let name = match stem {
        Some(stem) if stem == "cluster" => folder().unwrap_or(stem),
        Some(stem) => stem,
        None => "lab".into(),
    };
    if name == "-" {
        return "stdin".into();
    }
    let clean: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '-'
            }
        })
        .collect();
    clean.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labs_are_named_after_their_file() {
        let name = |file: &str| lab_name(Path::new(file));
        assert_eq!(name("small.yml"), "small");
        assert_eq!(name("/srv/dc one/cluster.yml"), "dc-one");
        assert_eq!(name("-"), "stdin");
        assert_eq!(name("../a.b.yml"), "a-b");
        assert!(parse_name(&name("..yml")).is_ok());
    }

    #[test]
    fn a_name_is_no_path() {
        for bad in ["", "..", "a/b", ".hidden", "a b", &"x".repeat(41)] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_name("dc_1.a-b").as_deref(), Ok("dc_1.a-b"));
    }
}
