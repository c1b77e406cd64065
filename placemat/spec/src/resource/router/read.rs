//! Reads `kind: Router` and `kind: NetworkNamespace`.

use super::{Bird, Router, RouterKind, app};
use crate::cluster::FileKind;
use crate::document::Fields;
use crate::draft::Reading;
use crate::problem::Problem;
use crate::resource::{interface, labels};
use std::path::PathBuf;

pub(crate) fn read_router(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    read(RouterKind::Router, fields, reading);
}

pub(crate) fn read_namespace(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    read(RouterKind::NetworkNamespace, fields, reading);
    if fields.lacks("interfaces") {
        let problem = Problem::new(
            "missing-key",
            format!("{} has no interface", fields.describe()),
        )
        .at(
            fields.place(),
            "a network namespace without `interfaces` can do nothing",
        );
        fields.missing(&["interfaces"], problem);
    }
}

fn read(kind: RouterKind, fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let router = Router {
        name: reading.name.value.clone(),
        kind,
        interfaces: interface::read(fields, reading),
        loopback: interface::loopback(fields, reading),
        bird: bird(fields, reading),
        apps: app::read(fields),
        init_scripts: init_scripts(fields, reading),
        labels: labels::read(fields),
        place: reading.place(),
    };
    reading
        .draft
        .cluster
        .routers
        .entry(router.name.clone())
        .or_insert(router);
}

fn init_scripts(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Vec<PathBuf> {
    let scripts = fields
        .opt("init-scripts")
        .and_then(|it| it.strings())
        .unwrap_or_default();
    scripts
        .iter()
        .map(|path| reading.file(FileKind::File, path, "an init script", None))
        .collect()
}

/// Takes `bird: {config: PATH}`.
pub(in crate::resource) fn bird(
    fields: &mut Fields<'_>,
    reading: &mut Reading<'_>,
) -> Option<Bird> {
    let mut fields = fields.opt("bird")?.fields()?;
    let config = fields.req("config").and_then(|it| it.string());
    fields.finish();
    let config = config?;
    let path = reading.file(FileKind::File, &config, "the BIRD configuration", None);
    Some(Bird {
        config: path,
        place: config.place,
    })
}
