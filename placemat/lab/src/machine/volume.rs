//! Files of a machine: its disks and its UEFI variable store, in the lab's data folder. Each is
//! made under another name and then renamed, so that a file that is there is whole. Files that are
//! there are used again: a disk outlives the lab. Only seeds are made anew when their content is
//! another.

use super::qcow2;
use super::seed::Seed;
use super::spec::{Disk, DiskFormat};
use placemat_host::probe::firmware::FirmwareFile;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What is to be on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskContent {
    /// What the image has, over which writes go to a file of their own.
    Overlay {
        /// Disk image, raw or qcow2.
        image: PathBuf,
    },
    /// A copy of the image. Costs nothing where the file system shares blocks.
    Copy {
        /// Disk image, raw or qcow2.
        image: PathBuf,
    },
    /// Nothing.
    Empty {
        /// Size in bytes.
        size: u64,
        /// Format of the file.
        format: DiskFormat,
    },
    /// A seed for cloud-init.
    Seed(Seed),
}

/// Why a machine's file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// The image cannot be read.
    #[error("read disk image {image}")]
    Image {
        /// The image.
        image: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("make {path}{}", hint(source))]
    Make {
        /// The file.
        path: String,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// An overlay means nothing over another image than its own, so one over an image that is no longer
/// wanted, or that was written after the overlay was made, is put aside, and a new disk takes its
/// place.
fn put_aside(path: &Path, image: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let same = qcow2::backing_name(path)?.is_some_and(|name| Path::new(&name) == image);
    if same && !written_since(image, path) {
        return Ok(());
    }
    tracing::warn!(disk = %path.display(), image = %image.display(), "the disk lies over another image, or that has changed since; it is put aside");
    aside(path)
}

fn aside(path: &Path) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".old");
    fs::rename(path, aside)
}

/// Whether an image was written after an overlay over it was made, where the file system knows when
/// that was.
fn written_since(image: &Path, overlay: &Path) -> bool {
    let made = fs::metadata(overlay).and_then(|meta| meta.created());
    let written = fs::metadata(image).and_then(|meta| meta.modified());
    matches!((written, made), (Ok(written), Ok(made)) if written > made)
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (free some space, or put the data folder elsewhere)"
        }
        _ => "",
    }
}

/// Makes a disk's file in `folder`, or finds it there. Blocks while it copies.
pub fn make_disk(folder: &Path, name: &str, content: &DiskContent) -> Result<Disk, VolumeError> {
    match content {
        DiskContent::Overlay { image } => {
            let (image, backing) = examined(image)?;
            let path = folder.join(format!("{name}.qcow2"));
            let bytes = qcow2::overlay(&image.display().to_string(), backing);
            put_aside(&path, &image).map_err(|source| VolumeError::Make {
                path: path.display().to_string(),
                source,
            })?;
            made(&path, |new| fs::write(new, &bytes))?;
            Ok(Disk::new(path, DiskFormat::Qcow2))
        }
        DiskContent::Copy { image } => {
            let (image, backing) = examined(image)?;
            let format = match backing.format {
                "qcow2" => DiskFormat::Qcow2,
                _ => DiskFormat::Raw,
            };
            let path = folder.join(format!("{name}.{}", format.name()));
            // On the disk before it has its name: a host that crashes leaves no half of a copy.
            made(&path, |new| {
                fs::copy(&image, new)?;
                File::open(new)?.sync_all()
            })?;
            Ok(Disk::new(path, format))
        }
        DiskContent::Empty { size, format } => {
            let path = folder.join(format!("{name}.{}", format.name()));
            made(&path, |new| match format {
                DiskFormat::Qcow2 => fs::write(new, qcow2::empty(*size)),
                DiskFormat::Raw | DiskFormat::Fat => File::create(new)?.set_len(*size),
            })?;
            Ok(Disk::new(path, *format))
        }
        DiskContent::Seed(seed) => {
            let path = folder.join(format!("{name}.seed"));
            let failed = |source| VolumeError::Make {
                path: path.display().to_string(),
                source,
            };
            let bytes = seed.image().map_err(failed)?;
            if fs::read(&path).is_ok_and(|there| there != bytes) {
                fs::remove_file(&path).map_err(failed)?;
            }
            made(&path, |new| fs::write(new, &bytes))?;
            Ok(Disk {
                bootable: false,
                ..Disk::new(path, DiskFormat::Raw)
            })
        }
    }
}

/// Size in bytes of the disk in an image.
pub fn disk_size(image: &Path) -> io::Result<u64> {
    qcow2::examine(image).map(|backing| backing.size)
}

/// Makes a machine's UEFI variable store in `folder` as a copy of `template`, or finds it there.
///
/// A store belongs to a kind of firmware: `kind` is part of its name, so that a machine that is
/// given Secure Boot does not go on with a store without keys. One that no longer has the
/// template's size, since newer firmware came, is put aside.
pub fn make_vars(
    folder: &Path,
    kind: &str,
    template: &FirmwareFile,
) -> Result<FirmwareFile, VolumeError> {
    let extension = if template.format == "raw" {
        "fd"
    } else {
        template.format
    };
    let path = folder.join(format!("nvram{kind}.{extension}"));
    let failed = |source| VolumeError::Make {
        path: path.display().to_string(),
        source,
    };
    let empty = fs::read(&template.path).map_err(|source| VolumeError::Image {
        image: template.path.display().to_string(),
        source,
    })?;
    let length = fs::metadata(&path).map(|file| file.len());
    // The size of a qcow2 file is no flash's size; it grows.
    if template.format == "raw" && length.is_ok_and(|length| length != empty.len() as u64) {
        tracing::warn!(nvram = %path.display(), "the variable store is of other firmware; it is put aside");
        aside(&path).map_err(failed)?;
    }
    // Distributions install the template read-only; its mode must not come along.
    made(&path, |new| fs::write(new, &empty))?;
    Ok(FirmwareFile {
        path,
        format: template.format,
    })
}

fn examined(image: &Path) -> Result<(PathBuf, qcow2::Backing), VolumeError> {
    image
        .canonicalize()
        .and_then(|path| qcow2::examine(&path).map(|backing| (path, backing)))
        .map_err(|source| VolumeError::Image {
            image: image.display().to_string(),
            source,
        })
}

fn made(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), VolumeError> {
    if path.exists() {
        return Ok(());
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| make(&new))
        .and_then(|()| fs::rename(&new, path))
        .map_err(|source| {
            // Half a copy would only fill the disk further.
            let _ = fs::remove_file(&new);
            VolumeError::Make {
                path: path.display().to_string(),
                source,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn makes_once_and_keeps() {
        let folder = tempfile::tempdir().expect("folder");
        let at = folder.path().join("node-1");
        let empty = |format| DiskContent::Empty {
            size: 1 << 20,
            format,
        };
        let disk = make_disk(&at, "data", &empty(DiskFormat::Raw)).expect("disk");
        assert_eq!(fs::metadata(&disk.path).expect("file").len(), 1 << 20);
        fs::write(&disk.path, b"kept").expect("write");
        let again = make_disk(&at, "data", &empty(DiskFormat::Raw)).expect("disk");
        assert_eq!(again, disk);
        assert_eq!(fs::read(&disk.path).expect("read"), b"kept");
        assert_eq!(fs::read_dir(&at).expect("folder").count(), 1);
        let qcow2 = make_disk(&at, "more", &empty(DiskFormat::Qcow2)).expect("disk");
        let seen = qcow2::examine(&qcow2.path).expect("examine");
        assert_eq!((seen.format, seen.size), ("qcow2", 1 << 20));
    }

    #[test]
    fn a_seed_follows_its_content() {
        let folder = tempfile::tempdir().expect("folder");
        let make = |user_data: &str| {
            let seed = DiskContent::Seed(Seed {
                hostname: "n1".into(),
                user_data: user_data.into(),
                network_config: None,
            });
            let disk = make_disk(folder.path(), "seed", &seed).expect("seed");
            assert!(!disk.bootable);
            fs::read(disk.path).expect("read")
        };
        let first = make("a");
        assert_eq!(make("a"), first);
        assert_ne!(make("b"), first);
    }

    #[test]
    fn copies_and_overlays_an_image() {
        let folder = tempfile::tempdir().expect("folder");
        let image = folder.path().join("disk.img");
        fs::write(&image, [7; 1 << 10]).expect("write");
        let copy = DiskContent::Copy {
            image: image.clone(),
        };
        let copy = make_disk(folder.path(), "copy", &copy).expect("copy");
        assert_eq!(copy.format, DiskFormat::Raw);
        assert_eq!(fs::read(copy.path).expect("read"), [7; 1 << 10]);
        let overlay = DiskContent::Overlay { image };
        let overlay = make_disk(folder.path(), "root", &overlay).expect("overlay");
        assert_eq!(overlay.format, DiskFormat::Qcow2);
        let seen = qcow2::examine(&overlay.path).expect("examine");
        assert_eq!((seen.format, seen.size), ("qcow2", 1 << 10));
    }

    #[test]
    fn an_overlay_over_another_image_is_put_aside() {
        let folder = tempfile::tempdir().expect("folder");
        for image in ["old.img", "new.img"] {
            fs::write(folder.path().join(image), [7; 1 << 10]).expect("write");
        }
        let make = |image: &str| {
            let image = folder.path().join(image);
            make_disk(folder.path(), "root", &DiskContent::Overlay { image }).expect("made")
        };
        let first = make("old.img");
        let written = fs::read(&first.path).expect("read");
        assert_eq!(make("old.img"), first);
        assert!(!folder.path().join("root.qcow2.old").exists());
        assert_eq!(make("new.img"), first);
        assert_ne!(fs::read(&first.path).expect("read"), written);
        let aside = folder.path().join("root.qcow2.old");
        assert_eq!(fs::read(&aside).expect("read"), written);
        // The same image, written again since, is another one, too.
        fs::remove_file(&aside).expect("remove");
        let image = File::options()
            .append(true)
            .open(folder.path().join("new.img"))
            .expect("open");
        let later = SystemTime::now() + Duration::from_secs(60);
        image.set_modified(later).expect("time");
        make("new.img");
        assert!(aside.exists() || fs::metadata(&first.path).expect("disk").created().is_err());
    }

    #[test]
    fn errors_name_the_file_and_leave_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let missing = DiskContent::Overlay {
            image: "/no/such.img".into(),
        };
        let missing = make_disk(folder.path(), "root", &missing).expect_err("missing");
        insta::assert_snapshot!(missing, @"read disk image /no/such.img");
        let path = folder.path().join("full");
        let full = made(&path, |new| {
            fs::write(new, b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        let full = full.expect_err("full").to_string();
        let full = full.replace(&folder.path().display().to_string(), "DATA");
        insta::assert_snapshot!(full, @"make DATA/full (free some space, or put the data folder elsewhere)");
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 0);
    }
}
