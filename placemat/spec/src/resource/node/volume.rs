//! Reads `volumes:` of a node.

use super::{Volume, VolumeKind};
use crate::Place;
use crate::check::names;
use crate::document::{Fields, Item};
use crate::draft::{Reading, Want};
use crate::problem::{Problem, suggestion};
use std::collections::HashMap;

/// Takes `volumes`.
pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Vec<Volume> {
    let items = fields
        .opt("volumes")
        .and_then(|it| it.list())
        .unwrap_or_default();
    let mut seen: HashMap<String, Place> = HashMap::new();
    let mut volumes = Vec::new();
    for item in &items {
        let Some(volume) = one(item, reading) else {
            continue;
        };
        if let Some(first) = seen.insert(volume.name.clone(), volume.place) {
            fields.findings().error(
                Problem::new(
                    "duplicate-name",
                    format!("{} has two volumes named `{}`", reading.owner, volume.name),
                )
                .at(volume.place, "named again here")
                .at(first, "first named here"),
            );
        }
        volumes.push(volume);
    }
    volumes
}

fn one(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Volume> {
    let mut fields = item.fields()?;
    let kind = fields.req("kind").and_then(|it| it.string());
    let name = fields.req("name").and_then(|it| it.string());
    let kind = kind?;
    let read = match kind.as_str() {
        "image" => image(&mut fields, reading),
        "raw" => raw(&mut fields),
        "localds" | "hostPath" => {
            fields.findings().error(
                Problem::new(
                    "unsupported",
                    format!("volumes of kind `{}` are not supported yet", kind.value),
                )
                .at(kind.place, "use `image` or `raw`"),
            );
            return None;
        }
        _ => {
            fields.findings().error(
                Problem::new(
                    "unknown-value",
                    format!("there is no volume of kind `{}`", kind.value),
                )
                .at(kind.place, "unknown value")
                .help(suggestion(&kind, "possible values are", &["image", "raw"])),
            );
            return None;
        }
    };
    for key in ["cache", "device-class", "format"] {
        fields.refuse(key, "remove it");
    }
    fields.finish();
    let name = name?;
    names::part(&name, "a volume", item.findings());
    Some(Volume {
        name: name.value,
        kind: read?,
        place: name.place,
    })
}

fn image(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<VolumeKind> {
    let image = fields.req("image").and_then(|it| it.string());
    let copy_on_write = fields.opt("copy-on-write").and_then(|it| it.boolean());
    let image = image?;
    reading
        .draft
        .ledger
        .refer(Want::Image, &image, &reading.owner);
    Some(VolumeKind::Image {
        image: image.value,
        copy_on_write: copy_on_write.is_some_and(|it| it.value),
    })
}

fn raw(fields: &mut Fields<'_>) -> Option<VolumeKind> {
    let item = fields.req("size")?;
    let size = item.size()?;
    if size.value == 0 || !size.value.is_multiple_of(512) {
        fields.findings().error(item.problem(
            "out-of-range",
            "must be a whole number of sectors of 512 bytes",
            "expected a size such as `1G`",
        ));
    }
    Some(VolumeKind::Raw { size: size.value })
}
