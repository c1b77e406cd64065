//! Plan to files. Each kind of file is a module here, a row of [`ARTIFACTS`], and a template.
//! Another kind of plan brings tables of its own, with the same rows: see `neco::render`.

mod bird;
mod boot;
mod cluster;

use crate::topology::Plan;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use std::path::PathBuf;

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
const ARTIFACTS: &[Artifact<Plan>] = &[cluster::render, bird::render, boot::render];

/// Every template by name.
const TEMPLATES: &[Template] = &[
    ("cluster.yml", include_str!("../templates/cluster.yml.j2")),
    ("head.conf", include_str!("../templates/head.conf.j2")),
    ("spine.conf", include_str!("../templates/spine.conf.j2")),
    ("tor.conf", include_str!("../templates/tor.conf.j2")),
    ("boot.conf", include_str!("../templates/boot.conf.j2")),
    ("server.conf", include_str!("../templates/server.conf.j2")),
    ("node.env", include_str!("../templates/node.env.j2")),
];

/// All files of a plan.
pub(crate) fn render(plan: &Plan) -> Result<Vec<File>, minijinja::Error> {
    render_with(plan, ARTIFACTS, TEMPLATES)
}

/// All files of a plan that has tables of its own.
pub(crate) fn render_with<P>(
    plan: &P,
    artifacts: &[Artifact<P>],
    templates: &[Template],
) -> Result<Vec<File>, minijinja::Error> {
    let templates = Templates::new(templates)?;
    let mut files = Vec::new();
    for artifact in artifacts {
        files.extend(artifact(plan, &templates)?);
    }
    Ok(files)
}

/// The parsed templates. A variable that is not there is an error, never an empty string.
pub(crate) struct Templates(Environment<'static>);

impl Templates {
    fn new(table: &[Template]) -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()?,
        );
        environment.add_filter("quoted", quoted);
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
        Ok(File {
            path: path.into(),
            contents: self.0.get_template(template)?.render(Serde(data))?,
            mode: 0o644,
        })
    }
}

/// A string as YAML and JSON quote it. Serials and MACs need it: some look like numbers.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
