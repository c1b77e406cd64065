//! Reads `kind: Image`.

use super::{Image, ImageSource};
use crate::cluster::FileKind;
use crate::document::Fields;
use crate::draft::Reading;
use crate::problem::Problem;
use crate::resource::labels;
use std::path::PathBuf;

/// How to come by a bundle.
pub(crate) const BUILD: &str = "`images/build` makes the node image's bundle";

pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let file = fields.opt("file").and_then(|it| it.string());
    let bundle = fields.opt("bundle").and_then(|it| it.string());
    let labels = labels::read(fields);
    fields.refuse(
        "url",
        "download the image yourself and give its path as `file`",
    );
    fields.refuse("compression", "unpack the image yourself");
    let (source, place) = match (file, bundle) {
        (Some(file), None) => {
            let path = reading.file(FileKind::File, &file, "the disk image", None);
            (ImageSource::File(path), file.place)
        }
        (None, Some(bundle)) => {
            let path = reading.file(FileKind::Folder, &bundle, "the bundle", Some(BUILD));
            (ImageSource::Bundle(path), bundle.place)
        }
        (Some(file), Some(bundle)) => {
            fields.findings().error(
                Problem::new(
                    "conflict",
                    format!("{} has both `file` and `bundle`", fields.describe()),
                )
                .at(bundle.place, "keep one of the two")
                .at(file.place, "the other is here"),
            );
            (ImageSource::File(PathBuf::new()), file.place)
        }
        (None, None) => {
            if ["file", "bundle", "url"]
                .iter()
                .all(|key| fields.lacks(key))
            {
                let problem = Problem::new(
                    "missing-key",
                    format!("{} has no `file` and no `bundle`", fields.describe()),
                )
                .at(fields.place(), "one of the two is required here")
                .help("`file` is a disk image, `bundle` a folder as `images/build` writes it");
                fields.missing(&["file", "bundle"], problem);
            }
            (ImageSource::File(PathBuf::new()), fields.place())
        }
    };
    let image = Image {
        name: reading.name.value.clone(),
        source,
        labels,
        place,
    };
    reading
        .draft
        .cluster
        .images
        .entry(image.name.clone())
        .or_insert(image);
}
