//! `placemat-menu`: `placemat menu` with the flags of Neco's generator.

use crate::exit::{self, Failure};
use crate::{input, talk};
use placemat_spec::Source;
use placemat_spec::document;
use placemat_spec::problem::{Findings, Problem, Problems};
use std::path::PathBuf;

/// Kinds of the input of Neco's menu that a rack spec has others for.
const OLD_KINDS: [&str; 5] = ["Network", "Inventory", "Image", "DeviceClass", "Node"];

/// Expands a rack spec into the files of a data center.
///
/// This is `placemat menu` under the name of Neco's generator, with its flags.
#[derive(Debug, clap::Parser)]
#[command(name = "placemat-menu", version)]
pub(crate) struct PlacematMenu {
    /// Rack spec (`kind: DataCenter`).
    #[arg(short, value_name = "FILE")]
    file: PathBuf,
    /// Folder to write to; created when it is not there.
    #[arg(short, value_name = "DIR", default_value = ".")]
    output: PathBuf,
}

impl PlacematMenu {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let spec = input::source(&self.file)?;
        refuse_old(&spec)?;
        let written = input::write_expansion(&spec, &self.output)?;
        let (count, dir) = (written.len(), self.output.display());
        talk::say(&format!("wrote {count} files to {dir}"));
        Ok(exit::OK)
    }
}

/// Neco's input is of several documents, none of which is a `DataCenter`.
fn refuse_old(spec: &Source) -> Result<(), Failure> {
    let sources = std::slice::from_ref(spec);
    // What is no YAML is told by the reader of rack specs.
    let documents = document::load(sources, &Findings::new());
    let kinds = documents.iter().filter_map(|document| {
        let kind = &document.root.as_map()?.get("kind")?.tree;
        Some((kind.text()?, kind.place))
    });
    let kinds: Vec<_> = kinds.collect();
    if kinds.iter().any(|(kind, _)| *kind == "DataCenter") {
        return Ok(());
    }
    let Some((kind, place)) = kinds.into_iter().find(|(kind, _)| OLD_KINDS.contains(kind)) else {
        return Ok(());
    };
    let problem = Problem::new(
        "unsupported-kind",
        format!("`{kind}` of Neco's menu is not supported yet"),
    )
    .at(place, "input of Neco's placemat-menu")
    .help("write a rack spec (`kind: DataCenter`); menu/examples/small.yml is one");
    Err(Problems::new(sources.to_vec(), vec![problem]).into())
}
