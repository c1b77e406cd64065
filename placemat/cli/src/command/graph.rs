//! `placemat graph`: a picture of a data center.

use super::status;
use crate::exit::{self, Code, Failure};
use crate::{input, launch, place, talk};
use anyhow::Context;
use clap::builder::PossibleValue;
use placemat_lab::control::protocol::ObjectStatus;
use placemat_spec::event::{BootPhase, LabPhase};
use placemat_spec::graph::{self, FORMATS, Format, Options, State};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Arguments of `graph`.
#[derive(Debug, clap::Args)]
pub(super) struct Graph {
    /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input. None: a running
    /// lab, with what is off or not yet up in colour.
    files: Vec<PathBuf>,
    /// What to write; by default what the name of the output file says, or SVG.
    #[arg(long, value_parser = formats())]
    format: Option<String>,
    /// Show addresses at both ends of links, of loopbacks and of BMCs.
    #[arg(long)]
    addresses: bool,
    /// Show every server by name, also where many of a rack are alike.
    #[arg(long)]
    full: bool,
    /// File to write to; by default standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Lab, by id or name; needed when more than one is running, and no file is given.
    #[arg(long, value_name = "ID|NAME", conflicts_with = "files")]
    lab: Option<String>,
}

fn formats() -> Vec<PossibleValue> {
    let names = FORMATS.iter().map(|format| format.name);
    names.map(PossibleValue::new).collect()
}

impl Graph {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let format = self.wanted()?;
        let graph = if self.files.is_empty() {
            of_lab(self.lab.as_deref())?
        } else {
            let loaded = input::outline(&input::read(&self.files)?)?;
            loaded.warn();
            graph::Graph::of(&loaded.cluster)
        };
        let options = Options {
            addresses: self.addresses,
            full: self.full,
        };
        let text = format.render(&graph, options);
        match &self.output {
            None => talk::data(&text)?,
            Some(path) => std::fs::write(path, text)
                .with_context(|| format!("write {}", path.display()))
                .code(exit::HOST)?,
        }
        Ok(exit::OK)
    }

    fn wanted(&self) -> Result<&'static Format, Failure> {
        let named = |name: &String| FORMATS.iter().find(|format| format.name == *name);
        if let Some(format) = self.format.as_ref().and_then(named) {
            return Ok(format);
        }
        let Some(path) = &self.output else {
            return Ok(&FORMATS[0]);
        };
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or("");
        let mut all = FORMATS.iter();
        all.find(|format| format.extensions.contains(&extension))
            .ok_or_else(|| unknown(path))
    }
}

fn unknown(path: &Path) -> Failure {
    let ends = FORMATS.iter().flat_map(|format| format.extensions);
    let ends: Vec<String> = ends.map(|end| format!(".{end}")).collect();
    let error = anyhow::anyhow!("the name of {} says no format", path.display());
    Failure::new(exit::USAGE, error).hint(format!(
        "give --format, or a name that ends with one of {}",
        ends.join(", ")
    ))
}

/// What a running lab was made of, and how it is.
fn of_lab(name: Option<&str>) -> Result<graph::Graph, Failure> {
    let wanted = name.map(str::to_owned);
    let wanted = wanted.or_else(|| std::env::var("PLACEMAT_LAB").ok());
    let entry = place::registry().find(wanted.as_deref()).map_err(|error| {
        Failure::new(exit::USAGE, error)
            .hint("name the files of a data center, or a lab that `placemat ls` lists")
    })?;
    let source = input::source(&entry.run_dir.join("cluster.yml"))?;
    let loaded = input::outline(&[source])?;
    let mut graph = graph::Graph::of(&loaded.cluster);
    let status = launch::run(async move { status::ask(&entry).await })?;
    let whole = status.phase == LabPhase::Running;
    let objects = status.objects.into_iter();
    let states: HashMap<String, State> = objects
        .map(|object| (object.target.clone(), state(&object, whole)))
        .collect();
    graph.mark(|target| states.get(target).copied().unwrap_or(State::Unknown));
    Ok(graph)
}

/// A server is up when its own userspace runs; what has no phases, when the lab has started it.
fn state(object: &ObjectStatus, whole: bool) -> State {
    match object.phase {
        _ if !object.power || object.problem.is_some() => State::Down,
        Some(phase) if phase >= BootPhase::Userspace => State::Up,
        None if whole => State::Up,
        Some(_) | None => State::Starting,
    }
}
