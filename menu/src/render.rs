//! Plan to files. Each kind of file is a module here, a row of [`ARTIFACTS`], and a template.
//! Another kind of plan brings tables of its own, with the same rows: see `neco::render`.

mod bird;
mod boot;
mod cluster;
mod format;
mod own;
mod sabakan;
mod services;

pub use format::{FORMATS, Format};
pub use own::OwnTemplate;

use crate::topology::{Boot, Plan};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use placemat_spec::Problems;
use serde::Serialize;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread::{self, ScopedJoinHandle};

/// One file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where, relative to the output folder.
    pub path: PathBuf,
    /// What is in it.
    pub contents: String,
    /// Permission bits.
    pub mode: u32,
}

/// A kind of file: how all of its files are made from a plan.
pub(crate) type Artifact<P> = fn(&P, &Templates) -> Result<Vec<File>, minijinja::Error>;

/// A template's name and text.
pub(crate) type Template = (&'static str, &'static str);

/// Everything that is written, in order.
const ARTIFACTS: &[Artifact<Plan>] = &[
    cluster::render,
    bird::render,
    boot::render,
    services::render,
    sabakan::asked,
];

/// A template that is compiled in, by its name.
macro_rules! template {
    ($name:literal) => {
        ($name, include_str!(concat!("../templates/", $name, ".j2")))
    };
}

/// Every template by name.
const TEMPLATES: &[Template] = &[
    template!("cluster.yml"),
    template!("cluster/network.yml"),
    template!("cluster/router.yml"),
    template!("cluster/boot.yml"),
    template!("cluster/node.yml"),
    template!("cluster/power.yml"),
    template!("head.conf"),
    template!("channels.conf"),
    template!("sessions.conf"),
    template!("switch.conf"),
    template!("tor.conf"),
    template!("core.conf"),
    template!("edge.conf"),
    template!("boot.conf"),
    template!("server.conf"),
    template!("node.env"),
    template!("core/squid.conf"),
    template!("core/chrony.conf"),
    template!("core/setup"),
    template!("ansible.yml"),
    template!("containerlab.yml"),
    template!("sabakan/ignition.yml"),
    template!("sabakan/hostname"),
    template!("sabakan/node.env"),
    template!("sabakan/kernel-params"),
    template!("sabakan/setup.sh"),
];

/// What to render, and of what.
#[derive(Debug, Clone, Default)]
pub struct Rendering {
    /// Templates in place of built-in ones.
    pub templates: Vec<OwnTemplate>,
    /// What to write besides.
    pub formats: Vec<Format>,
}

/// Every built-in template: its name and its text.
pub fn built_in_templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEMPLATES.iter().copied()
}

/// All files of a plan.
pub(crate) fn render(plan: &Plan, rendering: &Rendering) -> Result<Vec<File>, Problems> {
    let for_sabakan = rendering
        .formats
        .iter()
        .any(|format| format.name == "sabakan");
    if for_sabakan || plan.boot == Boot::Sabakan {
        sabakan::check(plan).map_err(|problem| Problems::new(Vec::new(), vec![problem]))?;
    }
    let formats = rendering.formats.iter();
    let artifacts = formats.clone().filter_map(Format::artifact);
    let artifacts: Vec<_> = ARTIFACTS.iter().copied().chain(artifacts).collect();
    let mut files = render_with(plan, &artifacts, TEMPLATES, &rendering.templates)?;
    let drawings = format::drawings(plan, &files, formats)?;
    files.extend(drawings);
    Ok(files)
}

/// All files of a plan that has tables of its own, and templates in place of those of the table.
///
/// Each kind of file has a thread, and templates of its own: what templates share is counted, and
/// threads that share it spend their time on those counters.
pub(crate) fn render_with<P: Sync>(
    plan: &P,
    artifacts: &[Artifact<P>],
    table: &[Template],
    own: &[OwnTemplate],
) -> Result<Vec<File>, Problems> {
    let render = |artifact: Artifact<P>| {
        let templates = own::templates(table, own)?;
        artifact(plan, &templates).map_err(|error| own::told(&error, table, own))
    };
    let made: Result<Vec<Vec<File>>, Problems> = thread::scope(|scope| {
        let threads = artifacts.iter().map(|it| scope.spawn(move || render(*it)));
        let threads: Vec<_> = threads.collect();
        let joined = threads.into_iter().map(ScopedJoinHandle::join);
        joined
            .map(|made| made.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    Ok(made?.into_iter().flatten().collect())
}

/// The parsed templates. A variable that is not there is an error, never an empty string.
pub(crate) struct Templates(Environment<'static>);

impl Templates {
    fn new(table: &[Template]) -> Result<Self, minijinja::Error> {
        let mut environment = environment()?;
        for (name, text) in table {
            environment.add_template(name, text)?;
        }
        Ok(Self(environment))
    }

    /// A plain file.
    pub(crate) fn file(
        &self,
        path: impl Into<PathBuf>,
        template: &str,
        data: impl Serialize,
    ) -> Result<File, minijinja::Error> {
        self.file_of(path, template, &Value::from(Serde(data)))
    }

    /// The same, of what more than one file is made of.
    pub(crate) fn file_of(
        &self,
        path: impl Into<PathBuf>,
        template: &str,
        data: &Value,
    ) -> Result<File, minijinja::Error> {
        let mut contents = self.0.get_template(template)?.render(data.clone())?;
        // minijinja makes room for twice as much, and these stay until all are written.
        contents.shrink_to_fit();
        Ok(File {
            path: path.into(),
            contents,
            mode: 0o644,
        })
    }
}

/// How templates are written: an undefined variable is an error, lines of blocks leave nothing.
pub(crate) fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Errors know their place.
    environment.set_debug(true);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.add_filter("quoted", quoted);
    environment.add_filter("flow", flow);
    environment.add_filter("hosts", hosts);
    Ok(environment)
}

/// A string as YAML and JSON quote it. Serials and MACs need it: some look like numbers.
fn quoted(text: &str) -> String {
    // Text is always JSON.
    serde_json::to_string(text).unwrap_or_default()
}

/// A list in YAML's flow style. What is none is left out; what has a colon is quoted.
fn flow(items: Vec<Value>) -> String {
    let items = items.into_iter().filter(|item| !item.is_none());
    let words = items.map(|item| item.to_string());
    let words: Vec<String> = words
        .map(|word| {
            if word.contains(':') {
                quoted(&word)
            } else {
                word
            }
        })
        .collect();
    format!("[{}]", words.join(", "))
}

/// Addresses as prefixes of one address each. What is none is left out.
fn hosts(addresses: Vec<Value>) -> Vec<String> {
    let addresses = addresses.into_iter().filter(|address| !address.is_none());
    let addresses = addresses.map(|address| address.to_string());
    addresses
        .map(|address| format!("{address}/{}", if address.contains(':') { 128 } else { 32 }))
        .collect()
}
