//! Other formats of the same plan, for tools that read them. Each is a row of [`FORMATS`], and a
//! template or a drawing of the cluster, and is written beside the rest.

mod containerlab;

use super::{Artifact, File, Templates, sabakan};
use crate::topology::Plan;
use placemat_spec::graph::{self, Graph, Options};
use placemat_spec::{Cluster, Problems, Source};

/// A format.
#[derive(Clone, Copy)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, and where.
    pub about: &'static str,
    made: Made,
}

/// Of what a format is made.
#[derive(Clone, Copy)]
enum Made {
    /// Of the plan, by a template.
    Plan(Artifact<Plan>),
    /// Of the cluster that was written: what `placemat graph` draws in the format of this name.
    Drawing(&'static str),
}

/// Every format, in the order of the documentation.
pub const FORMATS: &[Format] = &[
    Format {
        name: "ansible",
        about: "an inventory with groups by role and rack: ansible/hosts.yml",
        made: Made::Plan(ansible),
    },
    Format {
        name: "containerlab",
        about: "the routers as containers that run BIRD: NAME.clab.yml",
        made: Made::Plan(containerlab::render),
    },
    Format {
        name: "dot",
        about: "a drawing for Graphviz, as `placemat graph` makes it: NAME.dot",
        made: Made::Drawing("dot"),
    },
    Format {
        name: "sabakan",
        about: "what sabakan is told where it boots the servers: sabakan/",
        made: Made::Plan(sabakan::besides),
    },
];

impl Format {
    /// What makes it, where that is a template.
    pub(super) fn artifact(&self) -> Option<Artifact<Plan>> {
        match self.made {
            Made::Plan(artifact) => Some(artifact),
            Made::Drawing(_) => None,
        }
    }
}

/// The drawings among some formats, of the `cluster.yml` that was made. With a template of one's own
/// that may be no cluster.
pub(super) fn drawings<'f>(
    plan: &Plan,
    files: &[File],
    formats: impl Iterator<Item = &'f Format>,
) -> Result<Vec<File>, Problems> {
    let drawings = formats.filter_map(|format| match format.made {
        Made::Drawing(name) => graph::FORMATS.iter().find(|it| it.name == name),
        Made::Plan(_) => None,
    });
    let mut made = Vec::new();
    for drawing in drawings {
        let Some(cluster) = files.first() else { break };
        let name = cluster.path.display().to_string();
        let source = Source::inline(&name, cluster.contents.as_str());
        let (cluster, _) = Cluster::load(vec![source])?;
        made.push(File {
            path: format!("{}.{}", plan.name, drawing.name).into(),
            contents: drawing.render(&Graph::of(&cluster), Options::default()),
            mode: 0o644,
        });
    }
    Ok(made)
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn ansible(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    Ok(vec![templates.file(
        "ansible/hosts.yml",
        "ansible.yml",
        plan,
    )?])
}
