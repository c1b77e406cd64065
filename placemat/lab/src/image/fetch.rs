//! What a cluster needs from the cache.

use super::store::{Held, Original, Request, Store};
use super::{ImageError, Watch};
use placemat_spec::Cluster;
use placemat_spec::resource::{
    FileSource, FolderContent, Image, ImageSource, Name, PodVolumeKind, Tier, VolumeKind,
};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Which of a cluster's images and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those that some node has a volume of.
    Used,
    /// All.
    All,
}

/// Images and files that are ready for use. They are held for as long as this lives.
#[derive(Debug, Default)]
pub struct Images {
    disks: HashMap<Name, Held>,
    files: HashMap<(Name, Name), Held>,
}

impl Images {
    /// Fetches what a cluster needs, one after the other. Needs the host's network, so it comes
    /// before the sandbox.
    pub fn fetch(
        cluster: &Cluster,
        store: &Store,
        wanted: Wanted,
        watch: &mut dyn Watch,
    ) -> Result<Self, ImageError> {
        let (used_images, used_folders) = used(cluster);
        let all = wanted == Wanted::All;
        let mut images = Self::default();
        for image in cluster.images.values() {
            if (all || used_images.contains(image.name.as_str()))
                && let Some(request) = request(image)
            {
                let held = store.get(&request, watch)?;
                images.disks.insert(image.name.clone(), held);
            }
        }
        for folder in cluster.data_folders.values() {
            let FolderContent::Files(files) = &folder.content else {
                continue;
            };
            if !all && !used_folders.contains(folder.name.as_str()) {
                continue;
            }
            for file in files {
                let request = Request {
                    source: match &file.source {
                        FileSource::File(path) => Original::File(path),
                        FileSource::Url(url) => Original::Url(url),
                    },
                    compression: None,
                    sha256: file.sha256,
                };
                let held = store.get(&request, watch)?;
                let key = (folder.name.clone(), file.name.clone());
                images.files.insert(key, held);
            }
        }
        Ok(images)
    }

    /// The disk of an image that is no bundle.
    pub fn disk(&self, image: &str) -> Option<&Path> {
        self.disks.get(image).map(|held| held.path.as_path())
    }

    /// A file of a data folder.
    pub fn file(&self, folder: &str, file: &str) -> Option<&Path> {
        let held = self.files.get(&(folder.to_owned(), file.to_owned()));
        held.map(|held| held.path.as_path())
    }
}

/// Names of images and data folders that machines have volumes of.
fn used(cluster: &Cluster) -> (HashSet<&str>, HashSet<&str>) {
    let mut used = (HashSet::new(), HashSet::new());
    let machines = cluster
        .nodes
        .values()
        .filter(|node| matches!(node.tier, Tier::Full | Tier::Kernel));
    for volume in machines.flat_map(|node| &node.volumes) {
        match &volume.kind {
            VolumeKind::Image { image, .. } => {
                used.0.insert(image.as_str());
            }
            VolumeKind::Folder { folder } => {
                used.1.insert(folder.as_str());
            }
            VolumeKind::Seed { .. } | VolumeKind::Raw { .. } | VolumeKind::HostPath { .. } => {}
        }
    }
    for volume in cluster.routers.values().flat_map(|pod| &pod.volumes) {
        if let PodVolumeKind::Host { folder, .. } = &volume.kind {
            used.1.insert(folder.as_str());
        }
    }
    used
}

fn request(image: &Image) -> Option<Request<'_>> {
    let source = match &image.source {
        ImageSource::File(path) => Original::File(path),
        ImageSource::Url(url) => Original::Url(url),
        ImageSource::Bundle(_) => return None,
    };
    Some(Request {
        source,
        compression: image.compression,
        sha256: image.sha256,
    })
}
