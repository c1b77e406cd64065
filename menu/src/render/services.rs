//! `core/`: configurations of the core's services, and where they run, the script that puts them where
//! they are read.

use super::{File, Templates};
use crate::topology::{Plan, SETUP, Services};
use serde::Serialize;

/// What the templates see: of a plan with a thousand racks little enough to be converted for each.
#[derive(Serialize)]
struct Context<'a> {
    /// Of the data center.
    name: &'a str,
    /// The plan's.
    services: &'a Services,
}

pub(super) fn render(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    let services = &plan.services;
    let context = Context {
        name: &plan.name,
        services,
    };
    let mut files = Vec::new();
    for (path, address) in [
        ("core/squid.conf", services.proxy),
        ("core/chrony.conf", services.ntp),
    ] {
        if address.is_some() {
            files.push(templates.file(path, path, &context)?);
        }
    }
    if services.run {
        files.push(File {
            mode: 0o755,
            ..templates.file(SETUP, SETUP, &context)?
        });
    }
    Ok(files)
}
