//! What an `Image` may say.

use crate::resource::labels;
use crate::schema::{Key, KindDoc, PATH, SHA256, Shape, URL};

pub(crate) const DOC: KindDoc = KindDoc {
    name: "Image",
    doc: "What servers boot from or have on their disks. It has one of `file`, `url` and `bundle`.",
    keys: &[
        Key::optional("file", Shape::Form(&PATH), "A disk image."),
        Key::optional(
            "url",
            Shape::Form(&URL),
            "A disk image that is downloaded once.",
        ),
        Key::optional(
            "bundle",
            Shape::Form(&PATH),
            "A folder as `images/build` writes it: UKI, kernel, initramfs, root file system, disk.",
        ),
        Key::optional(
            "compression",
            Shape::Either(&[
                Shape::Choice(&[
                    ("gzip", "gzip"),
                    ("bzip2", "bzip2"),
                    ("xz", "xz"),
                    ("zstd", "Zstandard"),
                ]),
                Shape::Nothing,
            ]),
            "How the disk image is packed.",
        )
        .or("not packed"),
        Key::optional(
            "sha256",
            Shape::Form(&SHA256),
            "What the file must hash to, as it is downloaded.",
        ),
        labels::KEY,
    ],
    example: "\
kind: Image
name: node-os
bundle: images/node
---
kind: Image
name: ubuntu
url: https://cloud-images.ubuntu.com/releases/24.04/release/ubuntu-24.04-server-cloudimg-amd64.img
",
};
