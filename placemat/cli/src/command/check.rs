//! `placemat check`.

use crate::exit::{self, Failure};
use crate::{input, place, talk};
use anyhow::anyhow;
use placemat_lab::plan::Plan;
use std::path::PathBuf;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print the cluster as it is understood: one YAML text, with every default settled and every
    /// path absolute.
    #[arg(long)]
    print: bool,
}

impl Check {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let sources = input::read(&self.files)?;
        if let [spec] = &sources[..]
            && self.print
            && placemat_menu::is_rack_spec(spec)
        {
            let error = anyhow!(
                "{} is a rack spec: what it expands to is several files",
                spec.name
            );
            return Err(Failure::new(exit::USAGE, error)
                .hint("write them with `placemat menu`, and print their cluster.yml"));
        }
        let loaded = input::cluster(&sources)?;
        loaded.warn();
        let data = place::data_dir(&place::lab_name(&self.files[0]));
        input::check_space(&loaded.cluster, &data, None)?;
        if self.print {
            talk::data(&loaded.cluster.to_yaml())?;
        }
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
