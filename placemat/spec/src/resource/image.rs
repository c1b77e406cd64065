//! `kind: Image`: what servers boot from.

mod keys;
mod print;
mod read;

pub(crate) use keys::DOC;
pub(crate) use print::print;
pub(crate) use read::{BUILD, read, sha256, url};

use super::{Labels, Name};
use crate::Place;
use crate::value::{HttpUrl, Sha256};
use std::path::PathBuf;

/// A checked `Image`.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Its name.
    pub name: Name,
    /// Where it comes from.
    pub source: ImageSource,
    /// How the file is packed; unpacked once, into the cache.
    pub compression: Option<Compression>,
    /// What the file as it is published, packed or not, must hash to.
    pub sha256: Option<Sha256>,
    /// Labels.
    pub labels: Labels,
    /// Where its source stands.
    pub place: Place,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A disk image file.
    File(PathBuf),
    /// A disk image that is downloaded once.
    Url(HttpUrl),
    /// A folder as `images/build` writes it: `node.efi` (UKI), `vmlinuz`, `initrd.img`, `rootfs/`,
    /// `disk.img`, `manifest.json`.
    Bundle(PathBuf),
}

impl ImageSource {
    /// The key that it is written as.
    pub fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Url(_) => "url",
            Self::Bundle(_) => "bundle",
        }
    }
}

/// How a disk image is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// gzip (RFC 1952).
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz (The .xz File Format).
    Xz,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Compression {
    /// Every one, by the word that it is written as.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("gzip", Self::Gzip),
        ("bzip2", Self::Bzip2),
        ("xz", Self::Xz),
        ("zstd", Self::Zstd),
    ];

    /// The word that it is written as.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    /// What a file that begins with these bytes is packed with. No disk image begins so.
    pub fn of(start: &[u8]) -> Option<Self> {
        let magics: [(&[u8], Self); 4] = [
            (b"\x1f\x8b\x08", Self::Gzip),
            (b"BZh", Self::Bzip2),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
        ];
        let found = magics.iter().find(|(magic, _)| start.starts_with(magic));
        found.map(|(_, compression)| *compression)
    }
}
