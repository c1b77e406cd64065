//! Bundles: those of their files that something of the cluster will ask for are there.

use crate::cluster::{FileKind, FileRef};
use crate::draft::Draft;
use crate::resource::{BootMethod, ImageSource, NodeIndex, Tier, VolumeKind};
use indexmap::IndexMap;
use std::collections::BTreeSet;

/// Notes them for [`Cluster::files`](crate::Cluster::files).
pub(super) fn note(draft: &mut Draft) {
    let cluster = &mut draft.cluster;
    let mut wanted: BTreeSet<(&str, &str, bool)> = BTreeSet::new();
    for node in cluster.nodes.values() {
        let image = node.image.as_deref().unwrap_or_default();
        match node.tier {
            Tier::Netns => {
                wanted.insert((image, "rootfs", true));
            }
            Tier::Kernel => {
                wanted.extend(["vmlinuz", "initrd.img", "cmdline"].map(|it| (image, it, false)));
            }
            Tier::Full | Tier::Mock => {}
        }
        if node.tier == Tier::Full || node.tier == Tier::Kernel {
            for volume in &node.volumes {
                if let VolumeKind::Image { image, .. } = &volume.kind {
                    wanted.insert((image, "disk.img", false));
                }
            }
        }
    }
    // Mostly there are none, or each of its own: then nothing needs to be looked up.
    let index = (!cluster.boot_servers.is_empty()).then(|| NodeIndex::of(cluster));
    for server in cluster.boot_servers.values() {
        let recipes = index.as_ref().map(|index| server.recipes(cluster, index));
        let recipes = recipes.into_iter().flat_map(IndexMap::into_values);
        for recipe in recipes.chain([server.usual()]) {
            let parts: &[&str] = match recipe.boot {
                BootMethod::Uki => &["node.efi"],
                BootMethod::Ipxe => &["vmlinuz", "initrd.img", "cmdline"],
            };
            wanted.extend(parts.iter().map(|it| (recipe.image.as_str(), *it, false)));
        }
    }
    let parts = wanted.into_iter().filter_map(|(image, part, folder)| {
        let image = cluster.images.get(image)?;
        let ImageSource::Bundle(bundle) = &image.source else {
            return None;
        };
        Some(FileRef {
            path: bundle.join(part),
            what: format!("`{part}` of Image `{}`", image.name),
            kind: if folder {
                FileKind::Folder
            } else {
                FileKind::File
            },
            place: image.place,
            remedy: Some(crate::resource::image::BUILD),
        })
    });
    cluster.files.extend(parts.collect::<Vec<_>>());
}
