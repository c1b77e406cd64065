//! Volumes of a node: files of disks, made or found again, and folders that it shares.

use super::LabError;
use super::build::Workshop;
use crate::error::chain;
use crate::machine::{
    Carrier, Disk, DiskCache, DiskContent, DiskFormat, Seed, Share, base_name, make_disk,
};
use placemat_host::disk::has_direct_io;
use placemat_host::probe::program;
use placemat_spec::resource::{
    CacheMode, FolderContent, ImageSource, Name, Node, RawFormat, ShareProtocol, Volume, VolumeKind,
};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where daemons of shared folders listen, on the lab's tmpfs.
const SOCKETS: &str = "/run/share";

/// Folders of device classes that this lab uses, each locked for as long as this lives.
type ClassLocks = HashMap<PathBuf, File>;

/// What volumes leave behind while the lab lives.
#[derive(Debug, Default)]
pub(super) struct Keepsakes {
    class_locks: Mutex<ClassLocks>,
    /// Data folders whose files are together.
    made_folders: Mutex<HashSet<Name>>,
}

impl Keepsakes {
    /// A data folder is to be put together anew.
    pub(super) fn forget_folder(&self, name: &str) {
        let mut made = self
            .made_folders
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        made.remove(name);
    }
}

impl Workshop {
    /// Disks and shared folders of a node, in the order of its volumes.
    pub(super) fn storage(
        &self,
        node: &Node,
        data: &Path,
    ) -> Result<(Vec<Disk>, Vec<Share>), LabError> {
        let (mut disks, mut shares) = (Vec::new(), Vec::new());
        for volume in &node.volumes {
            let made = match &volume.kind {
                VolumeKind::HostPath {
                    path,
                    writable,
                    protocol,
                } => share(node, &volume.name, path, *writable, *protocol)
                    .map(|share| shares.push(share)),
                VolumeKind::Folder { folder } => self.folder(folder).map(|disk| disks.push(disk)),
                _ => self.disk(node, data, volume).map(|disk| disks.push(disk)),
            };
            made.map_err(|reason| {
                LabError(format!(
                    "node/{}: volume `{}`: {reason}",
                    node.name, volume.name
                ))
            })?;
        }
        Ok((disks, shares))
    }

    fn disk(&self, node: &Node, data: &Path, volume: &Volume) -> Result<Disk, String> {
        let content = match &volume.kind {
            VolumeKind::Raw { size, format } => DiskContent::Empty {
                size: *size,
                format: match format {
                    RawFormat::Qcow2 => DiskFormat::Qcow2,
                    RawFormat::Raw => DiskFormat::Raw,
                },
            },
            VolumeKind::Seed {
                user_data,
                network_config,
            } => {
                let read = |path: &PathBuf| {
                    fs::read(path).map_err(|error| format!("read {}: {error}", path.display()))
                };
                DiskContent::Seed(Seed {
                    hostname: node.name.clone(),
                    user_data: read(user_data)?,
                    network_config: network_config.as_ref().map(read).transpose()?,
                })
            }
            VolumeKind::Image {
                image,
                copy_on_write,
            } => {
                let image = self.image(image)?;
                if *copy_on_write {
                    DiskContent::Overlay { image }
                } else {
                    DiskContent::Copy { image }
                }
            }
            VolumeKind::HostPath { .. } | VolumeKind::Folder { .. } => {
                return Err("it is no file".into());
            }
        };
        let folder = self.volume_folder(node, data, volume)?;
        let mut disk = make_disk(&folder, &volume.name, &content).map_err(|error| chain(&error))?;
        let direct = has_direct_io(&disk.path)
            && match &content {
                DiskContent::Overlay { image } => has_direct_io(image),
                _ => true,
            };
        disk.cache = cache(volume.cache, direct);
        Ok(disk)
    }

    /// The disk image of an image. One that came over the network must stand for itself: a qcow2
    /// file can name any file of this host to lie over.
    fn image(&self, name: &str) -> Result<PathBuf, String> {
        let source = &self.cluster.images[name].source;
        if let ImageSource::Bundle(path) = source {
            return Ok(path.join("disk.img"));
        }
        let path = self
            .images
            .disk(name)
            .ok_or_else(|| format!("image `{name}` was not fetched"))?;
        if matches!(source, ImageSource::Url(_)) {
            let base =
                base_name(path).map_err(|error| format!("read {}: {error}", path.display()))?;
            if let Some(base) = base {
                return Err(format!(
                    "image `{name}` came from the network and needs another file, `{base}`, which is not allowed"
                ));
            }
        }
        Ok(path.to_owned())
    }

    /// Where a volume's file lies: the node's data folder, or that of its device class, which no
    /// other lab may be using.
    fn volume_folder(&self, node: &Node, data: &Path, volume: &Volume) -> Result<PathBuf, String> {
        let Some(class) = &volume.device_class else {
            return Ok(data.to_owned());
        };
        let class = &self.cluster.device_classes[class];
        let folder = class.path.join("volumes").join(&node.name);
        let failed = |act: &str, error: &dyn std::fmt::Display| {
            format!("{act} {}: {error}", folder.display())
        };
        fs::create_dir_all(&folder).map_err(|error| failed("create", &error))?;
        let mut locks = self
            .keepsakes
            .class_locks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !locks.contains_key(&folder) {
            let file = File::open(&folder).map_err(|error| failed("open", &error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(format!(
                        "another lab uses {}: give device class `{}` another path, or take that lab down",
                        folder.display(),
                        class.name
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", &error)),
            }
            locks.insert(folder.clone(), file);
        }
        Ok(folder)
    }

    /// A data folder as a disk.
    fn folder(&self, name: &Name) -> Result<Disk, String> {
        Ok(Disk {
            bootable: false,
            ..Disk::new(self.folder_path(name)?, DiskFormat::Fat)
        })
    }

    /// Where a data folder is; one of single files is put together first.
    pub(super) fn folder_path(&self, name: &Name) -> Result<PathBuf, String> {
        let folder = &self.cluster.data_folders[name];
        match &folder.content {
            FolderContent::Dir(path) => path
                .canonicalize()
                .map_err(|error| format!("read {}: {error}", path.display())),
            FolderContent::Files(files) => {
                let whole = self.data_dir.join("folders").join(name);
                let mut made = self
                    .keepsakes
                    .made_folders
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if !made.contains(name) {
                    let names = files.iter().map(|file| file.name.as_str());
                    self.gather(name, names, &whole)?;
                    made.insert(name.clone());
                }
                Ok(whole)
            }
        }
    }

    /// Copies the files of a data folder together, anew for each lab.
    fn gather<'a>(
        &self,
        name: &str,
        files: impl Iterator<Item = &'a str>,
        whole: &Path,
    ) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("make {}: {error}", whole.display());
        let new = whole.with_file_name(format!(".{name}.new"));
        for old in [&new, &whole.to_owned()] {
            match fs::remove_dir_all(old) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(error));
                }
                _ => {}
            }
        }
        fs::create_dir_all(&new).map_err(failed)?;
        for file in files {
            let from = self
                .images
                .file(name, file)
                .ok_or_else(|| format!("file `{file}` of `{name}` was not fetched"))?;
            fs::copy(from, new.join(file)).map_err(failed)?;
        }
        fs::rename(&new, whole).map_err(failed)
    }
}

/// What a cache mode comes to on a file system that can, or cannot, do direct I/O. Where it cannot,
/// the page cache serves; the guest sees no difference.
fn cache(mode: CacheMode, can_direct: bool) -> DiskCache {
    DiskCache {
        direct: can_direct && matches!(mode, CacheMode::None | CacheMode::Directsync),
        write_through: matches!(mode, CacheMode::Writethrough | CacheMode::Directsync),
        no_flush: mode == CacheMode::Unsafe,
    }
}

fn share(
    node: &Node,
    tag: &str,
    path: &Path,
    writable: bool,
    protocol: ShareProtocol,
) -> Result<Share, String> {
    fs::create_dir_all(path).map_err(|error| format!("create {}: {error}", path.display()))?;
    let carrier = match protocol {
        ShareProtocol::NineP => Carrier::NineP,
        ShareProtocol::Virtiofs => Carrier::Virtiofs {
            daemon: program::locate("virtiofsd").map_err(|error| error.to_string())?,
            socket: Path::new(SOCKETS).join(format!("{}-{tag}.sock", node.name)),
        },
    };
    Ok(Share {
        tag: tag.to_owned(),
        path: path.to_owned(),
        writable,
        carrier,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_modes_as_qemu_has_them() {
        let all = [
            CacheMode::None,
            CacheMode::Writeback,
            CacheMode::Writethrough,
            CacheMode::Directsync,
            CacheMode::Unsafe,
        ];
        // QEMU's manual, "cache=": the table of cache.direct, cache.writeback, cache.no-flush.
        let comes_to = |can_direct| {
            all.map(|mode| {
                let it = cache(mode, can_direct);
                (it.direct, it.write_through, it.no_flush)
            })
        };
        assert_eq!(
            comes_to(true),
            [
                (true, false, false),
                (false, false, false),
                (false, true, false),
                (true, true, false),
                (false, false, true),
            ]
        );
        assert!(comes_to(false).iter().all(|(direct, ..)| !direct));
    }
}
