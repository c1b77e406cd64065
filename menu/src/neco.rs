//! Neco's menu, the input of placemat-menu, to the same data center: documents of `kind: Network`,
//! `Inventory`, `Image`, `DeviceClass` and `Node`, with an IPAM configuration and cloud-init templates
//! beside them, become `cluster.yml` and what goes with it.
//!
//! ```text
//! Source --read--> Menu --reach--> Allocation --plan--> Plan --render--> files
//!                                                   \--seed--> seeds
//! ```
//!
//! - `read`: the input, every problem with its place.
//! - `reach`: whether ranges hold what they must, and do not meet.
//! - [`allocation`]: arithmetic from numbers to addresses, ASNs and serials.
//! - [`mod@plan`]: every network, machine, session by name.
//! - `render`: a row for each kind of file, as in the rest of this crate.
//! - [`mod@explain`]: where every value comes from.
//! - `seed`: cloud-init seeds, from Go's templates (`gotemplate`) or minijinja.
//!
//! No I/O here either: whoever calls hands in files through [`Beside`].

pub mod allocation;
pub mod explain;
mod gotemplate;
pub mod input;
pub mod plan;
mod reach;
mod read;
mod render;
mod seed;

pub use plan::Plan;

use crate::File;
use allocation::Allocation;
use input::Menu;
use placemat_spec::document::{self, At, Dialect};
use placemat_spec::problem::Findings;
use placemat_spec::{Cluster, Problem, Problems, Source};
use seed::Templates;
use std::path::Path;

/// The files that a menu names.
pub trait Beside {
    /// The text of a file, or a few words that say why there is none: `No such file or directory`.
    fn text(&self, path: &Path) -> Result<String, String>;
}

/// What a menu expands to.
#[derive(Debug, Clone)]
pub struct Expansion {
    /// Every file, `cluster.yml` first.
    pub files: Vec<File>,
    /// What may not be as it was meant.
    pub warnings: Problems,
}

/// The texts that were read: the menu, then what it names, in the order of reading.
struct Inputs {
    sources: Vec<Source>,
}

impl Inputs {
    /// What messages call a file that the menu names: as the menu is called, and the file beside it.
    fn shown(&self, file: &str) -> String {
        let beside = Path::new(&self.sources[0].name).with_file_name("");
        beside.join(file).display().to_string()
    }

    /// Reads a file that the menu names; its number among the sources. A file is read once.
    fn open(
        &mut self,
        file: &At<String>,
        what: &str,
        beside: &dyn Beside,
        findings: &Findings,
    ) -> Option<usize> {
        let path = self.sources[0].dir.join(&file.value);
        let name = self.shown(&file.value);
        if let Some(index) = self.sources.iter().position(|source| source.name == name) {
            return Some(index);
        }
        match beside.text(&path) {
            Ok(text) => {
                let source = Source::file(&path, text);
                self.sources.push(Source { name, ..source });
                Some(self.sources.len() - 1)
            }
            Err(reason) => {
                findings.error(
                    Problem::new("missing-file", format!("{what} cannot be read"))
                        .at(file.place, format!("file {}: {reason}", path.display()))
                        .help("relative paths start at the folder of this YAML file"),
                );
                None
            }
        }
    }
}

/// Whether a source is Neco's menu rather than a cluster or a rack spec: a document of it is of
/// `kind: Inventory`, or is a `Network` or `Node` with a `spec`.
pub fn is_menu(source: &Source) -> bool {
    // Most sources are settled by the words alone; cluster files can be long.
    if !source.text.contains("Inventory") && !source.text.contains("spec") {
        return false;
    }
    let documents = document::load(std::slice::from_ref(source), &Findings::new());
    documents.iter().any(|document| {
        let Some(map) = document.root.as_map() else {
            return false;
        };
        match map.get("kind").and_then(|entry| entry.tree.text()) {
            Some("Inventory") => true,
            Some("Network" | "Node") => map.contains_key("spec"),
            _ => false,
        }
    })
}

/// Expands a menu into what is to be written to the folder `out`, whose absolute path is in some of
/// the files: `cluster.yml` names its BIRD configurations and sabakan's folder by it. By the rules of
/// [`Dialect::V2`], unknown keys are warnings, as placemat-menu passed over them.
pub fn expand(
    source: &Source,
    beside: &dyn Beside,
    out: &Path,
    dialect: Dialect,
) -> Result<Expansion, Problems> {
    let mut inputs = Inputs {
        sources: vec![source.clone()],
    };
    let findings = Findings::of(dialect);
    let files = files(&mut inputs, beside, out, &findings);
    let warnings = findings.finish(&inputs.sources)?;
    // Nothing read without an error cannot be; if it is, there is nothing to go on with either.
    let files = files.ok_or_else(|| warnings.clone())?;
    loads(&files, out)?;
    Ok(Expansion { files, warnings })
}

/// The plan of a menu, before anything is rendered.
pub fn plan(source: &Source, beside: &dyn Beside, out: &Path) -> Result<Plan, Problems> {
    let mut inputs = Inputs {
        sources: vec![source.clone()],
    };
    let findings = Findings::new();
    let menu = checked(&mut inputs, beside, &findings);
    let warnings = findings.finish(&inputs.sources)?;
    let (menu, _) = menu.ok_or(warnings)?;
    Ok(Plan::new(&menu, &Allocation::new(&menu), out))
}

/// A menu whose ranges reach, and its templates.
fn checked(
    inputs: &mut Inputs,
    beside: &dyn Beside,
    findings: &Findings,
) -> Option<(Menu, Templates)> {
    let (menu, templates) = read::read(inputs, beside, findings);
    let menu = menu?;
    // Arithmetic on what does not reach would wrap, and templates would say nonsense.
    reach::check(&menu, findings).then_some((menu, templates))
}

fn files(
    inputs: &mut Inputs,
    beside: &dyn Beside,
    out: &Path,
    findings: &Findings,
) -> Option<Vec<File>> {
    let (menu, templates) = checked(inputs, beside, findings)?;
    let plan = Plan::new(&menu, &Allocation::new(&menu), out);
    let seeds = seed::render(&menu, &plan, &templates, inputs, findings);
    match render::render(&plan) {
        Ok(mut files) => {
            files.extend(seeds);
            Some(files)
        }
        Err(problems) => {
            for problem in problems.list {
                findings.error(problem);
            }
            None
        }
    }
}

/// What comes out must be a cluster: what is wrong with it is told before anything is written.
fn loads(files: &[File], out: &Path) -> Result<(), Problems> {
    let Some(cluster) = files.first() else {
        return Ok(());
    };
    let source = Source {
        name: out.join(&cluster.path).display().to_string(),
        dir: out.to_owned(),
        text: cluster.contents.as_str().into(),
    };
    Cluster::load_as(Dialect::V2, vec![source]).map(drop)
}
