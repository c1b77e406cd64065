//! `placemat prune`.

use crate::exit::{self, Code, Failure};
use crate::{place, talk};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `prune`.
#[derive(Debug, clap::Args)]
pub(super) struct Prune {
    /// Remove data directories of labs that do not run, too: disks, NVRAM. They cannot be had back.
    #[arg(long)]
    data: bool,
    /// What was removed, as JSON.
    #[arg(long)]
    json: bool,
}

/// What was removed.
#[derive(Debug, Serialize)]
struct Removed {
    v: u32,
    run_directories: Vec<PathBuf>,
    data_directories: Vec<PathBuf>,
}

impl Prune {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let registry = place::registry();
        let run_directories = registry.sweep().code(exit::HOST)?;
        let data_directories = if self.data {
            registry.sweep_data().code(exit::HOST)?
        } else {
            Vec::new()
        };
        if self.json {
            talk::json(&Removed {
                v: 1,
                run_directories,
                data_directories,
            })?;
            return Ok(exit::OK);
        }
        let runs = talk::count(run_directories.len(), "run directory", "run directories");
        talk::say(&format!("removed {runs} of labs that are gone"));
        if self.data {
            let count = data_directories.len();
            let data = talk::count(count, "data directory", "data directories");
            talk::say(&format!("removed {data}"));
        }
        Ok(exit::OK)
    }
}
