//! `placemat install-links`.

use crate::exit::{self, Code, Failure};
use crate::persona::NAMES;
use crate::talk;
use anyhow::{Context, anyhow};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Arguments of `install-links`.
#[derive(Debug, clap::Args)]
pub(super) struct InstallLinks {
    /// Folder that the links go to, such as /usr/local/bin; it must be there.
    dir: PathBuf,
}

impl InstallLinks {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let program = std::env::current_exe()
            .context("find this program's own file")
            .code(exit::HOST)?;
        let links = NAMES.map(|name| self.dir.join(name));
        // All or none.
        let foreign: Vec<String> = links
            .iter()
            .filter(|link| !is_free(link, &program))
            .map(|link| link.display().to_string())
            .collect();
        if !foreign.is_empty() {
            let error = anyhow!(
                "not made by placemat, and left alone: {}",
                foreign.join(", ")
            );
            return Err(Failure::new(exit::HOST, error)
                .hint("remove what is in the way, or name another folder"));
        }
        for link in &links {
            if fs::symlink_metadata(link).is_ok() {
                fs::remove_file(link)
                    .with_context(|| format!("replace {}", link.display()))
                    .code(exit::HOST)?;
            }
            symlink(&program, link)
                .with_context(|| format!("make the link {}", link.display()))
                .map_err(|error| self.refused(error))?;
            talk::say(&format!("{} -> {}", link.display(), program.display()));
        }
        Ok(exit::OK)
    }

    fn refused(&self, error: anyhow::Error) -> Failure {
        let remedy = if self.dir.is_dir() {
            "name a folder that you may write to, or run it as root".to_owned()
        } else {
            format!("the folder must be there: mkdir -p {}", self.dir.display())
        };
        Failure::new(exit::HOST, error).hint(remedy)
    }
}

/// Whether nothing is there, or a link to us, or to a placemat that was elsewhere.
fn is_free(link: &Path, program: &Path) -> bool {
    if fs::symlink_metadata(link).is_err() {
        return true;
    }
    fs::read_link(link)
        .is_ok_and(|target| target == program || target.file_name() == Some("placemat".as_ref()))
}
