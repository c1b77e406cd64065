//! Reads `kind: Image`.

use super::{Compression, Image, ImageSource};
use crate::cluster::FileKind;
use crate::document::{At, Fields, Item};
use crate::draft::Reading;
use crate::problem::Problem;
use crate::resource::labels;
use crate::value::{HttpUrl, Sha256};
use std::path::PathBuf;
use std::str::FromStr;

/// How a bundle comes about.
pub(crate) const BUILD: &str = "`images/build` makes the node image's bundle";

/// The keys of which an image has one.
const SOURCES: [&str; 3] = ["file", "url", "bundle"];

pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let file = fields.opt("file").and_then(|it| it.string());
    let url = fields.opt("url").and_then(|it| url(&it));
    let bundle = fields.opt("bundle").and_then(|it| it.string());
    let compression = fields.opt("compression").and_then(|it| compression(&it));
    let sha256 = fields.opt("sha256").and_then(|it| sha256(&it));
    one_source(fields);
    if bundle.is_some() {
        not_of_a_bundle(fields);
    }
    let (source, place) = if let Some(file) = file {
        let path = reading.file(FileKind::File, &file, "the disk image", None);
        (ImageSource::File(path), file.place)
    } else if let Some(url) = url {
        (ImageSource::Url(url.value), url.place)
    } else if let Some(bundle) = bundle {
        let path = reading.file(FileKind::Folder, &bundle, "the bundle", Some(BUILD));
        (ImageSource::Bundle(path), bundle.place)
    } else {
        (ImageSource::File(PathBuf::new()), fields.place())
    };
    let image = Image {
        name: reading.name.value.clone(),
        source,
        compression,
        sha256,
        labels: labels::read(fields),
        place,
    };
    reading
        .draft
        .cluster
        .images
        .entry(image.name.clone())
        .or_insert(image);
}

fn one_source(fields: &mut Fields<'_>) {
    let given: Vec<_> = SOURCES
        .iter()
        .filter(|key| !fields.lacks(key))
        .filter_map(|key| Some((key, fields.key_place(key)?)))
        .collect();
    match given.as_slice() {
        [_] => {}
        [] => {
            let problem = Problem::new(
                "missing-key",
                format!("{} has no `file`, `url` or `bundle`", fields.describe()),
            )
            .at(fields.place(), "one of the three is required here")
            .help(
                "`file` and `url` are disk images, `bundle` a folder as `images/build` writes it",
            );
            fields.missing(&SOURCES, problem);
        }
        [(first, at), (second, again), ..] => fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} has both `{first}` and `{second}`", fields.describe()),
            )
            .at(*again, "keep one of the two")
            .at(*at, "the other is here"),
        ),
    }
}

/// A bundle has its own manifest, and nothing in it is packed as a whole.
fn not_of_a_bundle(fields: &Fields<'_>) {
    for key in ["compression", "sha256"] {
        if let Some(place) = fields.key_place(key) {
            fields.findings().error(
                Problem::new(
                    "conflict",
                    format!(
                        "{} has `{key}`, which a bundle cannot have",
                        fields.describe()
                    ),
                )
                .at(place, "remove it")
                .help(format!("`{key}` is for `file` and `url`")),
            );
        }
    }
}

/// As placemat v2 does, an empty word is none.
fn compression(item: &Item<'_>) -> Option<Compression> {
    if item.tree().text() == Some("") {
        return None;
    }
    item.choice(&Compression::WORDS).map(|it| it.value)
}

/// An HTTP URL.
pub(crate) fn url(item: &Item<'_>) -> Option<At<HttpUrl>> {
    item.parse(
        "bad-url",
        "a URL such as `https://example.com/disk.img`",
        HttpUrl::from_str,
    )
}

/// A digest of a file.
pub(crate) fn sha256(item: &Item<'_>) -> Option<Sha256> {
    item.parse(
        "bad-digest",
        "a SHA-256 digest: 64 hexadecimal digits",
        Sha256::from_str,
    )
    .map(|it| it.value)
}
