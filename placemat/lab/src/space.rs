//! Whether the volumes of a cluster fit on the file systems that they are to lie on.

use crate::image::Images;
use placemat_spec::resource::{FolderContent, ImageSource, Node, Tier, Volume, VolumeKind};
use placemat_spec::value::format_size;
use placemat_spec::{Cluster, Place, Problem};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What FAT16 holds, as QEMU makes it: 63 sectors a track, 16 heads, 1024 cylinders.
const FAT16: u64 = 504 << 20;

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// It cannot work.
    pub errors: Vec<Problem>,
    /// It works until guests write a lot.
    pub warnings: Vec<Problem>,
}

/// What one file system is asked for.
struct Demand {
    folder: PathBuf,
    /// Bytes that copies take at once.
    now: u64,
    /// Bytes that disks may grow to, copies included.
    later: u64,
    /// The largest copy.
    copy: Option<(u64, Place)>,
    /// The largest volume.
    volume: (u64, Place),
}

/// Compares what volumes will take with what is free. `images` has what is fetched; what is not
/// known is left out.
pub fn check(cluster: &Cluster, data_dir: &Path, images: Option<&Images>) -> Findings {
    check_with(cluster, data_dir, images, &|folder| {
        placemat_host::disk::free_space(folder).ok()
    })
}

fn check_with(
    cluster: &Cluster,
    data_dir: &Path,
    images: Option<&Images>,
    free: &dyn Fn(&Path) -> Option<u64>,
) -> Findings {
    let mut findings = Findings::default();
    let mut demands: BTreeMap<u64, Demand> = BTreeMap::new();
    let machines = cluster
        .nodes
        .values()
        .filter(|node| matches!(node.tier, Tier::Full | Tier::Kernel));
    for node in machines {
        for volume in &node.volumes {
            if let VolumeKind::Folder { folder } = &volume.kind {
                findings.errors.extend(too_large(cluster, folder, volume));
            }
            let folder = folder(cluster, data_dir, node, volume);
            if is_made(&folder, &volume.name) {
                continue;
            }
            let Some((now, later)) = size(cluster, images, volume) else {
                continue;
            };
            let Some((device, folder)) = existing(&folder) else {
                continue;
            };
            let demand = demands.entry(device).or_insert(Demand {
                folder,
                now: 0,
                later: 0,
                copy: None,
                volume: (0, volume.place),
            });
            demand.now = demand.now.saturating_add(now);
            demand.later = demand.later.saturating_add(later);
            if later > demand.volume.0 {
                demand.volume = (later, volume.place);
            }
            if now > demand.copy.map_or(0, |(size, _)| size) {
                demand.copy = Some((now, volume.place));
            }
        }
    }
    for demand in demands.into_values() {
        let Some(free) = free(&demand.folder) else {
            continue;
        };
        let folder = demand.folder.display();
        let label = format!("{} free in {folder}", about(free));
        let help = "free some space, or give the volumes a `device-class` on a larger disk";
        if let Some((_, place)) = demand.copy.filter(|_| demand.now > free) {
            let message = format!("the copies of images take {}", about(demand.now));
            let problem = Problem::new("disk-space", message).at(place, label);
            findings.errors.push(problem.help(format!(
                "`copy-on-write: true` takes no space at once; or {help}"
            )));
        } else if demand.later > free {
            let message = format!("the volumes may grow to {}", about(demand.later));
            let problem = Problem::new("disk-space", message).at(demand.volume.1, label);
            findings.warnings.push(problem.help(help));
        }
    }
    findings
}

/// Whole MiB: nobody counts bytes here.
fn about(bytes: u64) -> String {
    format_size((bytes >> 20) << 20)
}

fn folder(cluster: &Cluster, data_dir: &Path, node: &Node, volume: &Volume) -> PathBuf {
    let class = volume.device_class.as_ref();
    match class.and_then(|class| cluster.device_classes.get(class)) {
        Some(class) => class.path.join("volumes").join(&node.name),
        None => data_dir.join("nodes").join(&node.name),
    }
}

fn is_made(folder: &Path, name: &str) -> bool {
    ["qcow2", "raw"]
        .iter()
        .any(|format| folder.join(format!("{name}.{format}")).exists())
}

/// Bytes that a volume takes at once, and may take in the end.
fn size(cluster: &Cluster, images: Option<&Images>, volume: &Volume) -> Option<(u64, u64)> {
    match &volume.kind {
        VolumeKind::Raw { size, .. } => Some((0, *size)),
        VolumeKind::Image {
            image,
            copy_on_write,
        } => {
            let image = cluster.images.get(image)?;
            let fetched = images.and_then(|images| images.disk(&image.name));
            let path = match (&image.source, fetched) {
                (_, Some(path)) => path.to_owned(),
                (ImageSource::Bundle(path), None) => path.join("disk.img"),
                (ImageSource::File(path), None) if image.compression.is_none() => path.clone(),
                (ImageSource::File(_) | ImageSource::Url(_), None) => return None,
            };
            let meta = fs::metadata(&path).ok()?;
            let size = crate::machine::disk_size(&path).unwrap_or(meta.len());
            Some(if *copy_on_write {
                (0, size)
            } else {
                (meta.blocks() * 512, size)
            })
        }
        VolumeKind::Seed { .. } | VolumeKind::HostPath { .. } | VolumeKind::Folder { .. } => None,
    }
}

/// The nearest folder that exists, and the file system that it is on.
fn existing(folder: &Path) -> Option<(u64, PathBuf)> {
    folder
        .ancestors()
        .find_map(|it| Some((fs::metadata(it).ok()?.dev(), it.to_owned())))
}

fn too_large(cluster: &Cluster, folder: &str, volume: &Volume) -> Option<Problem> {
    let folder = cluster.data_folders.get(folder)?;
    let FolderContent::Dir(path) = &folder.content else {
        return None;
    };
    let size = tree_size(path, 8);
    (size > FAT16).then(|| {
        Problem::new(
            "disk-space",
            format!("data folder `{}` is too large for FAT16", folder.name),
        )
        .at(
            volume.place,
            format!("{} in {}", about(size), path.display()),
        )
        .help("a vvfat volume holds at most 504M: share the folder by a volume of kind `hostPath`")
    })
}

/// Bytes of all files below a folder, to some depth.
fn tree_size(folder: &Path, depth: u32) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() && depth > 0 => tree_size(&entry.path(), depth - 1),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::{Severity, Source};

    fn shown(free: u64) -> String {
        let folder = tempfile::tempdir().expect("folder");
        fs::write(folder.path().join("disk.img"), vec![7; 3 << 20]).expect("image");
        let tools = folder.path().join("tools");
        fs::create_dir(&tools).expect("folder");
        let file = fs::File::create(tools.join("large")).expect("file");
        file.set_len(600 << 20).expect("size");
        let text = "\
kind: Image
name: i1
file: disk.img
---
kind: DataFolder
name: tools
dir: tools
---
kind: Node
name: n1
volumes:
  - {kind: image, name: copy, image: i1}
  - {kind: image, name: cow, image: i1, copy-on-write: true}
  - {kind: raw, name: data, size: 50G}
  - {kind: raw, name: there, size: 900G}
  - {kind: vvfat, name: tools, folder: tools}
---
kind: Node
name: n2
tier: mock
volumes:
  - {kind: raw, name: data, size: 50T}
";
        let mut source = Source::inline("dc.yml", text);
        source.dir = folder.path().to_owned();
        let (cluster, _) = Cluster::load(vec![source]).expect("cluster");
        let data = folder.path().join("data");
        fs::create_dir_all(data.join("nodes/n1")).expect("folder");
        fs::write(data.join("nodes/n1/there.qcow2"), "").expect("disk");
        let found = check_with(&cluster, &data, None, &|_| Some(free));
        let errors = cluster.problems(found.errors).render(false);
        let warnings = cluster
            .problems(found.warnings)
            .render_as(Severity::Warning, false);
        format!("{errors}{warnings}").replace(&folder.path().display().to_string(), "FOLDER")
    }

    #[test]
    fn what_cannot_fit_and_what_may_not() {
        insta::assert_snapshot!("no_room_for_copies", shown(2 << 20));
        insta::assert_snapshot!("no_room_to_grow", shown(20 << 30));
        insta::assert_snapshot!("room", shown(100 << 30));
    }
}
