//! OCI images: found, checked, and unpacked into a cache by their digest, before the lab's namespaces
//! are made.
//!
//! ```text
//! image: in YAML --blobs--> manifest, configuration, layers --unpack--> CACHE/oci/DIGEST/rootfs
//! ```
//!
//! No OCI runtime is needed: a router on an image is a container as any other, with the image's tree
//! as its root (docs/decisions/010).

mod blobs;
mod manifest;
mod prune;
mod store;
mod unpack;

pub use manifest::ImageConfig;
pub use store::Store;

use placemat_spec::resource::{OciImage, OciSource};
use placemat_spec::{Cluster, Problem, Problems};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The images of a cluster, unpacked.
#[derive(Debug, Clone, Default)]
pub struct Images {
    by_source: HashMap<OciSource, Unpacked>,
}

/// An image in the cache.
#[derive(Debug, Clone)]
pub struct Unpacked {
    /// Its tree.
    pub tree: PathBuf,
    /// What it says about how to run it.
    pub config: ImageConfig,
    /// With its shared lock; while it lives, in whatever process, a prune leaves the tree alone.
    _held: Arc<File>,
}

/// Why an image cannot be used. Reads as a few words under a caret.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// A file of it could not be read, or the cache not written.
    #[error("{act}: {source}")]
    Io {
        /// What was being done, to what.
        act: String,
        /// Why it failed.
        source: io::Error,
    },
    /// It is not what it says, or nothing of the kind.
    #[error("{0}")]
    Bad(String),
    /// A program that brings it is missing, or failed.
    #[error("{reason}")]
    Program {
        /// What it said.
        reason: String,
        /// What to do.
        remedy: String,
    },
}

impl OciError {
    pub(crate) fn io(act: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let act = act.into();
        move |source| Self::Io { act, source }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Program { remedy, .. } => remedy.clone(),
            Self::Io { .. } | Self::Bad(_) => {
                "`skopeo copy SOURCE oci:FOLDER` writes a folder that can be used here".into()
            }
        }
    }
}

impl Images {
    /// Unpacks every image of a cluster that the cache does not have yet.
    pub fn prepare(cluster: &Cluster, store: &Store) -> Result<Self, Problems> {
        let mut images = Self::default();
        let mut problems = Vec::new();
        for (by, image) in wanted(cluster) {
            if images.by_source.contains_key(&image.source) {
                continue;
            }
            match store.get(&image.source) {
                Ok(unpacked) => {
                    images.by_source.insert(image.source.clone(), unpacked);
                }
                Err(error) => problems.push(
                    Problem::new(
                        "unusable-image",
                        format!("the OCI image of Router `{by}` cannot be used"),
                    )
                    .at(image.place, error.to_string())
                    .help(error.remedy()),
                ),
            }
        }
        if problems.is_empty() {
            Ok(images)
        } else {
            Err(cluster.problems(problems))
        }
    }

    /// An image of the cluster.
    pub fn get(&self, image: &OciImage) -> Option<&Unpacked> {
        self.by_source.get(&image.source)
    }
}

/// Every image, and whose it is.
fn wanted(cluster: &Cluster) -> impl Iterator<Item = (&str, &OciImage)> {
    cluster.routers.values().flat_map(|router| {
        let of_apps = router.apps.iter().filter_map(|app| app.pod.as_ref());
        let images = router.image.iter().chain(of_apps.map(|pod| &pod.image));
        images.map(|image| (router.name.as_str(), image))
    })
}

#[cfg(test)]
mod tests;
