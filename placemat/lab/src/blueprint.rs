//! What a lab is made from: a checked cluster, and what the files had in them that the lab copies. Kept for as long as the
//! lab lives, so that a new file is compared with what runs and not with what its files have become since.

use crate::lab::LabError;
use placemat_spec::Cluster;
use placemat_spec::resource::{Bird, VolumeKind};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file's contents.
pub type Contents = Arc<[u8]>;

/// A cluster with the contents of the files that a lab copies: BIRD configurations, init scripts, seeds, Ignition. Clones
/// share them.
#[derive(Debug, Clone, Default)]
pub struct Blueprint {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    files: HashMap<PathBuf, Contents>,
}

impl Blueprint {
    /// Reads the files of a cluster, but for those that are known.
    pub fn read(cluster: Cluster, known: &HashMap<PathBuf, Contents>) -> Result<Self, LabError> {
        let mut files = HashMap::new();
        for path in copied(&cluster) {
            if let Some(contents) = known.get(path) {
                files.insert(path.to_owned(), contents.clone());
                continue;
            }
            let contents = std::fs::read(path)
                .map_err(|error| LabError(format!("read {}: {error}", path.display())))?;
            files.insert(path.to_owned(), contents.into());
        }
        Ok(Self::with(cluster, files))
    }

    /// A cluster with files that were read already.
    pub fn with(cluster: Cluster, files: HashMap<PathBuf, Contents>) -> Self {
        Self {
            cluster: Arc::new(cluster),
            files,
        }
    }

    /// What a file had in it.
    pub fn file(&self, path: &Path) -> Option<&Contents> {
        self.files.get(path)
    }

    /// A BIRD configuration; empty where none was read.
    pub(crate) fn bird(&self, bird: &Bird) -> Contents {
        self.file(&bird.config).cloned().unwrap_or_default()
    }

    /// A cluster that is partly of `newer` and partly of `older`; the files `as_before` are those of the older.
    pub(crate) fn mixed(
        cluster: Cluster,
        newer: &Self,
        older: &Self,
        as_before: &[PathBuf],
    ) -> Self {
        let mut files = newer.files.clone();
        let before = older.files.iter();
        let before =
            before.filter(|(path, _)| as_before.contains(path) || !files.contains_key(*path));
        let before: Vec<_> = before
            .map(|(path, contents)| (path.clone(), contents.clone()))
            .collect();
        files.extend(before);
        Self::with(cluster, files)
    }
}

fn copied(cluster: &Cluster) -> impl Iterator<Item = &Path> {
    let routers = cluster.routers.values().flat_map(|router| {
        let bird = router.bird.iter().map(|bird| bird.config.as_path());
        bird.chain(router.init_scripts.iter().map(PathBuf::as_path))
    });
    let boot_servers = cluster
        .boot_servers
        .values()
        .filter_map(|server| Some(server.bird.as_ref()?.config.as_path()));
    let nodes = cluster.nodes.values().flat_map(|node| {
        let seeds = node.volumes.iter().filter_map(|volume| match &volume.kind {
            VolumeKind::Seed {
                user_data,
                network_config,
            } => Some(std::iter::once(user_data).chain(network_config)),
            _ => None,
        });
        let ignition = node.ignition.iter().map(PathBuf::as_path);
        seeds.flatten().map(PathBuf::as_path).chain(ignition)
    });
    routers.chain(boot_servers).chain(nodes)
}
