//! Other formats of the same plan, for tools that read them. Each is a row of [`FORMATS`] and a
//! template, and is written beside the rest.

mod containerlab;

use super::{Artifact, File, Templates, sabakan};
use crate::topology::Plan;

/// A format.
#[derive(Clone, Copy)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, and where.
    pub about: &'static str,
    pub(super) artifact: Artifact<Plan>,
}

/// Every format, in the order of the documentation.
pub const FORMATS: &[Format] = &[
    Format {
        name: "ansible",
        about: "an inventory with groups by role and rack: ansible/hosts.yml",
        artifact: ansible,
    },
    Format {
        name: "containerlab",
        about: "the routers as containers that run BIRD: NAME.clab.yml",
        artifact: containerlab::render,
    },
    Format {
        name: "sabakan",
        about: "what sabakan is told where it boots the servers: sabakan/",
        artifact: sabakan::besides,
    },
];

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
