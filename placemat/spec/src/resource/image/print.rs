//! Prints an [`Image`].

use super::{Compression, Image, ImageSource};
use crate::print::Map;

pub(crate) fn print(image: &Image) -> Map {
    let Image {
        name,
        source,
        compression,
        sha256,
        labels,
        place: _,
    } = image;
    let map = Map::resource("Image", name);
    let map = match source {
        ImageSource::File(path) | ImageSource::Bundle(path) => {
            map.text(source.word(), path.display())
        }
        ImageSource::Url(url) => map.text(source.word(), url.as_str()),
    };
    map.maybe_text("compression", compression.map(Compression::word))
        .maybe_text("sha256", *sha256)
        .labels(labels)
}
