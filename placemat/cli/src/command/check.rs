//! `placemat check`.

use crate::exit::{self, Failure};
use crate::input;
use placemat_lab::plan::Plan;
use std::path::PathBuf;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Check {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let loaded = input::cluster(&self.files, None)?;
        let plan = Plan::of(&loaded.cluster);
        input::say(&format!(
            "ok: {} routers, {} boot servers, {} servers; {} bridges, {} veth pairs, {} taps",
            loaded.cluster.routers.len(),
            loaded.cluster.boot_servers.len(),
            loaded.cluster.nodes.len(),
            plan.bridges.len(),
            plan.pairs.len(),
            plan.taps.len()
        ));
        Ok(exit::OK)
    }
}
