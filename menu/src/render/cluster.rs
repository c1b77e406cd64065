//! `cluster.yml`: every resource of the data center.

use super::{File, Templates};
use crate::topology::Plan;

pub(super) fn render(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    Ok(vec![templates.file("cluster.yml", "cluster.yml", plan)?])
}
