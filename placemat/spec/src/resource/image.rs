//! `kind: Image`: what servers boot from.

mod read;

pub(crate) use read::{BUILD, read};

use super::{Labels, Name};
use crate::Place;
use std::path::PathBuf;

/// A checked `Image`.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name.
    pub name: Name,
    /// Where it comes from.
    pub source: ImageSource,
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
    /// A folder as `images/build` writes it: `node.efi` (UKI), `vmlinuz`, `initrd.img`, `rootfs/`,
    /// `disk.img`, `manifest.json`.
    Bundle(PathBuf),
}

impl ImageSource {
    /// The key that it is written as.
    pub fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Bundle(_) => "bundle",
        }
    }
}
