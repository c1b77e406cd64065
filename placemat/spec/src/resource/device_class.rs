//! `kind: DeviceClass`: a folder, on a disk of the host that the user chose, for nodes' volumes.

use super::{Labels, Name, labels};
use crate::Place;
use crate::cluster::FileKind;
use crate::document::Fields;
use crate::draft::Reading;
use crate::print::Map;
use crate::problem::Problem;
use crate::schema::{Key, KindDoc, PATH, Shape};
use std::path::{Path, PathBuf};

/// A checked `DeviceClass`.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceClass {
    /// Its name.
    pub name: Name,
    /// Absolute path of the folder; volumes lie in `volumes/NODE/` below it.
    pub path: PathBuf,
    /// Labels.
    pub labels: Labels,
    /// Where its path stands.
    pub place: Place,
}

/// What it may say.
pub(crate) const DOC: KindDoc = KindDoc {
    name: "DeviceClass",
    doc: "A folder of the host for volumes, on a disk of your choice. Its volumes lie in `volumes/NODE/` below it.",
    keys: &[
        Key::required(
            "path",
            Shape::Form(&PATH),
            "Absolute path of the folder; made where it is missing.",
        ),
        labels::KEY,
    ],
    example: "\
kind: DeviceClass
name: ssd
path: /mnt/nvme0/placemat
",
};

pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let path = fields.req("path").and_then(|it| it.string());
    if let Some(path) = &path {
        if Path::new(&path.value).is_absolute() {
            reading.file(FileKind::FolderToMake, path, "the folder", None);
        } else {
            fields.findings().error(
                Problem::new(
                    "relative-path",
                    format!("`path` of {} is not absolute", fields.describe()),
                )
                .at(path.place, "must begin with `/`"),
            );
        }
    }
    let class = DeviceClass {
        name: reading.name.value.clone(),
        place: path.as_ref().map_or(fields.place(), |path| path.place),
        path: path.map(|path| path.value).unwrap_or_default().into(),
        labels: labels::read(fields),
    };
    reading
        .draft
        .cluster
        .device_classes
        .entry(class.name.clone())
        .or_insert(class);
}

/// Prints a [`DeviceClass`].
pub(crate) fn print(class: &DeviceClass) -> Map {
    let DeviceClass {
        name,
        path,
        labels,
        place: _,
    } = class;
    Map::resource("DeviceClass", name)
        .text("path", path.display())
        .labels(labels)
}
