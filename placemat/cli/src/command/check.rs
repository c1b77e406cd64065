//! `placemat check`.

use crate::exit::{self, Failure};
use crate::input::Loaded;
use crate::{expansion, input, place, talk};
use anyhow::anyhow;
use placemat_lab::plan::Plan;
use placemat_spec::problem::ProblemJson;
use placemat_spec::{Cluster, Problems, Severity};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print the cluster as it is understood: one YAML text, with every default settled and every
    /// path absolute.
    #[arg(long, conflicts_with = "json")]
    print: bool,
    /// Problems and counts as JSON, on standard output.
    #[arg(long)]
    json: bool,
}

/// Version of the answer as JSON. Raised on every incompatible change.
const VERSION: u32 = 1;

/// The answer as JSON.
#[derive(Debug, Serialize)]
struct Answer {
    v: u32,
    /// Whether there is no error.
    ok: bool,
    problems: Vec<ProblemJson>,
    /// What it comes to, where there is no error.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
    /// What a single failure takes, of a generated data center.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    single_points: Vec<String>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Counts {
    routers: usize,
    boot_servers: usize,
    servers: usize,
    bridges: usize,
    veth_pairs: usize,
    taps: usize,
}

/// A good cluster, and what may be wrong with it.
struct Good {
    loaded: Loaded,
    space: Problems,
}

impl Check {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let looked = self.look();
        if self.json {
            return answer(looked);
        }
        let Good { loaded, space } = looked?;
        loaded.warn();
        input::warn(&space);
        if self.print {
            talk::data(&loaded.cluster.to_yaml())?;
        }
        let counts = Counts::of(&loaded.cluster);
        let count = |number, noun: &str| talk::count(number, noun, &format!("{noun}s"));
        talk::say(&format!(
            "ok: {}, {}, {}; {}, {}, {}",
            count(counts.routers, "router"),
            count(counts.boot_servers, "boot server"),
            count(counts.servers, "server"),
            count(counts.bridges, "bridge"),
            count(counts.veth_pairs, "veth pair"),
            count(counts.taps, "tap")
        ));
        say_single_points(&loaded.single_points);
        Ok(exit::OK)
    }

    fn look(&self) -> Result<Good, Failure> {
        let sources = input::read(&self.files)?;
        if let [spec] = &sources[..]
            && self.print
            && expansion::is_menu(spec)
        {
            let error = anyhow!(
                "{} is a menu: what it expands to is several files",
                spec.name
            );
            return Err(Failure::new(exit::USAGE, error)
                .hint("write them with `placemat menu`, and print their cluster.yml"));
        }
        let loaded = input::cluster(&sources)?;
        let data = place::data_dir(&place::lab_name(&self.files[0]));
        let space = input::space_for(&loaded.cluster, &data, None)?;
        Ok(Good { loaded, space })
    }
}

/// All of it as JSON, with the exit code that it has in words, too.
fn answer(looked: Result<Good, Failure>) -> Result<u8, Failure> {
    let (code, answer) = match looked {
        Ok(Good { loaded, space }) => {
            let mut problems = loaded.of_menu.to_json(Severity::Warning);
            problems.extend(loaded.warnings.to_json(Severity::Warning));
            problems.extend(space.to_json(Severity::Warning));
            let answer = Answer {
                v: VERSION,
                ok: true,
                problems,
                counts: Some(Counts::of(&loaded.cluster)),
                single_points: loaded.single_points,
            };
            (exit::OK, answer)
        }
        Err(failure) => {
            let answer = Answer {
                v: VERSION,
                ok: false,
                problems: failure.to_json(),
                counts: None,
                single_points: Vec::new(),
            };
            (failure.code(), answer)
        }
    };
    talk::json(&answer)?;
    Ok(code)
}

impl Counts {
    fn of(cluster: &Cluster) -> Self {
        let plan = Plan::of(cluster);
        Self {
            routers: cluster.routers.len(),
            boot_servers: cluster.boot_servers.len(),
            servers: cluster.nodes.len(),
            bridges: plan.bridges.len(),
            veth_pairs: plan.pairs.len(),
            taps: plan.taps.len(),
        }
    }
}

/// What a single failure takes, of a generated data center.
pub(super) fn say_single_points(points: &[String]) {
    if !points.is_empty() {
        let points = points.join("\n  ");
        talk::say(&format!("note: single points of failure:\n  {points}"));
    }
}
