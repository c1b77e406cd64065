//! `placemat prune`.

use crate::exit::{self, Code, Failure};
use crate::{place, talk};

/// Arguments of `prune`.
#[derive(Debug, clap::Args)]
pub(super) struct Prune {
    /// Remove data directories of labs that do not run, too: disks, NVRAM. They cannot be had back.
    #[arg(long)]
    data: bool,
}

impl Prune {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let registry = place::registry();
        let runs = registry.sweep().code(exit::HOST)?;
        let runs = talk::count(runs, "run directory", "run directories");
        talk::say(&format!("removed {runs} of labs that are gone"));
        if self.data {
            let data = registry.sweep_data().code(exit::HOST)?;
            let data = talk::count(data, "data directory", "data directories");
            talk::say(&format!("removed {data}"));
        }
        Ok(exit::OK)
    }
}
