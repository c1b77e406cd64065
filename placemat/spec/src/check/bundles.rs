//! Bundles: those of their files that something of the cluster will ask for are there.

use crate::cluster::{FileKind, FileRef};
use crate::draft::Draft;
use crate::resource::{ImageSource, Tier, VolumeKind};
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
    for server in cluster.boot_servers.values() {
        let of_machines = server.machines.iter().filter_map(|it| it.image.as_deref());
        wanted.extend(
            of_machines
                .chain([server.image.as_str()])
                .map(|image| (image, "node.efi", false)),
        );
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
