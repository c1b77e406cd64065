//! Reads `kind: Router` and `kind: NetworkNamespace`.

use super::app::Around;
use super::{Bird, OciImage, Router, RouterKind, app, image, limits};
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
    let interfaces = interface::read(fields, reading);
    let loopback = interface::loopback(fields, reading);
    let bird = bird(fields, reading);
    let image = match kind {
        RouterKind::Router => rootfs(fields, reading),
        RouterKind::NetworkNamespace | RouterKind::Pod => None,
    };
    let around = Around {
        namespace: kind == RouterKind::NetworkNamespace,
        image: image.is_some(),
        bird: fields.key_place("bird"),
    };
    let router = Router {
        name: reading.name.value.clone(),
        kind,
        image,
        interfaces,
        loopback,
        bird,
        volumes: Vec::new(),
        apps: app::read(fields, &around),
        init_scripts: init_scripts(fields, reading),
        limits: limits::read(fields),
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

/// Takes `image` and `rootfs: host`, which is what a router without an image has.
fn rootfs(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<OciImage> {
    let image = image::read(fields, reading);
    let host = fields
        .opt("rootfs")
        .and_then(|it| it.choice(&[("host", ())]));
    if let (Some(image), Some(host)) = (&image, host) {
        image::conflict(fields, image, "rootfs", host.place);
    }
    image
}

pub(super) fn init_scripts(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Vec<PathBuf> {
    let scripts = fields
        .opt("init-scripts")
        .and_then(|it| it.strings())
        .unwrap_or_default();
    scripts
        .iter()
        .map(|path| reading.file(FileKind::Program, path, "an init script", None))
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
