//! `placemat check`.

use crate::exit::{self, Failure};
use crate::{input, place, talk};
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
        let loaded = input::cluster(&input::read(&self.files)?)?;
        loaded.warn();
        let data = place::data_dir(&place::lab_name(&self.files[0]));
        input::check_space(&loaded.cluster, &data, None)?;
        let plan = Plan::of(&loaded.cluster);
        talk::say(&format!(
            "ok: {} routers, {} boot servers, {} servers; {} bridges, {} veth pairs, {} taps",
            loaded.cluster.routers.len(),
            loaded.cluster.boot_servers.len(),
            loaded.cluster.nodes.len(),
            plan.bridges.len(),
            plan.pairs.len(),
            plan.taps.len()
        ));
        say_single_points(&loaded.single_points);
        Ok(exit::OK)
    }
}

/// What a single failure takes, of a generated data center.
pub(super) fn say_single_points(points: &[String]) {
    if !points.is_empty() {
        let points = points.join("\n  ");
        talk::say(&format!("note: single points of failure:\n  {points}"));
    }
}
