//! Layers into a tree (image-spec 1.1, "Image Layer Filesystem Changeset").
//!
//! Layers are somebody else's: a name may lead anywhere, and any folder on the way may be a link.
//! So every path is resolved by the kernel with the tree as its root (`openat2`, Linux 5.6), and what is
//! made is made in the folder that was found so.

use super::OciError;
use super::manifest::hex;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2, readlinkat};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmod, fchmodat, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchownat, linkat, symlinkat, unlinkat};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Most that an image may unpack to, in bytes and in files.
const MOST_BYTES: u64 = 16 << 30;
const MOST_ENTRIES: u64 = 2_000_000;

/// Most links in a row to folders that are not there yet; the kernel's own limit.
const MOST_LINKS: usize = 40;

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Folders that something is mounted on, or written to, in every container.
const MOUNT_POINTS: [(&str, u32); 6] = [
    ("dev", 0o755),
    ("proc", 0o755),
    ("sys", 0o755),
    ("run", 0o755),
    ("etc", 0o755),
    ("tmp", 0o1777),
];

/// Unpacks layers, lowest first, into a new tree.
pub(super) struct Unpacker {
    root: OwnedFd,
    /// Files keep their owners. Without root they are all the user's, who is root inside.
    owners: bool,
    bytes: u64,
    entries: u64,
}

impl Unpacker {
    pub(super) fn new(tree: &Path) -> Result<Self, OciError> {
        let failed = || OciError::io(format!("create {}", tree.display()));
        fs::create_dir(tree).map_err(failed())?;
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = open(tree, flags, Mode::empty()).map_err(|errno| failed()(errno.into()))?;
        fchmod(&root, bits(0o755)).map_err(|errno| failed()(errno.into()))?;
        Ok(Self {
            root,
            owners: placemat_host::process::effective_uid() == 0,
            bytes: 0,
            entries: 0,
        })
    }

    /// Unpacks one layer, and checks that it is the one that was meant.
    pub(super) fn layer(&mut self, blob: Box<dyn Read>, diff_id: &str) -> Result<(), OciError> {
        let broken = || OciError::io("unpack a layer");
        let mut reader = Hashing {
            inner: decompressed(blob).map_err(broken())?,
            hash: Sha256::new(),
        };
        let mut archive = tar::Archive::new(&mut reader);
        // What this layer itself brings is not hidden by its own whiteouts.
        let mut brought: HashSet<PathBuf> = HashSet::new();
        for entry in archive.entries().map_err(broken())? {
            let mut entry = entry.map_err(broken())?;
            let name = entry.path().map_err(broken())?.into_owned();
            self.count(entry.size())?;
            self.entry(&mut entry, &name, &mut brought)
                .map_err(|error| match error {
                    OciError::Io { act, source } => OciError::Io {
                        act: format!("{act} {}", name.display()),
                        source,
                    },
                    other => other,
                })?;
        }
        // To the end: padding belongs to it.
        io::copy(&mut reader, &mut io::sink()).map_err(broken())?;
        if hex(&reader.hash.finalize()) == diff_id {
            return Ok(());
        }
        Err(OciError::Bad(
            "a layer of it is damaged: the digest is another".into(),
        ))
    }

    fn count(&mut self, size: u64) -> Result<(), OciError> {
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > MOST_BYTES || self.entries > MOST_ENTRIES {
            return Err(OciError::Bad(
                "it unpacks to more than 16 GiB or two million files".into(),
            ));
        }
        Ok(())
    }

    fn entry(
        &self,
        entry: &mut tar::Entry<'_, &mut Hashing>,
        name: &Path,
        brought: &mut HashSet<PathBuf>,
    ) -> Result<(), OciError> {
        let path = inside(name)?;
        let Some(last) = path.file_name().map(OsStr::to_owned) else {
            // The root itself.
            return Ok(());
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let parent = self.folder(folder)?;
        if last.as_bytes() == OPAQUE {
            return empty(&parent, folder, brought);
        }
        if let Some(hidden) = last.as_bytes().strip_prefix(WHITEOUT) {
            // Names that begin with the prefix twice are notes of one file system to itself.
            if !hidden.is_empty()
                && !hidden.starts_with(WHITEOUT)
                && hidden != b"."
                && hidden != b".."
            {
                remove(&parent, OsStr::from_bytes(hidden))?;
            }
            return Ok(());
        }
        self.make(entry, &parent, &last)?;
        brought.insert(path);
        Ok(())
    }

    /// Makes what an entry says, in the place of whatever had its name.
    fn make(
        &self,
        entry: &mut tar::Entry<'_, &mut Hashing>,
        parent: &OwnedFd,
        last: &OsString,
    ) -> Result<(), OciError> {
        use tar::EntryType;
        let failed = |act: &'static str| move |errno: Errno| OciError::io(act)(errno.into());
        let header = entry.header();
        let mode = header.mode().map_err(OciError::io("read the mode of"))?;
        let owner = self.owner(header)?;
        let kind = header.entry_type();
        match kind {
            EntryType::Directory => {
                if !is_folder(parent, last) {
                    remove(parent, last)?;
                    mkdirat(parent, last.as_os_str(), bits(0o700)).map_err(failed("make"))?;
                }
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                remove(parent, last)?;
                let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
                let file =
                    openat(parent, last.as_os_str(), flags, bits(0o600)).map_err(failed("make"))?;
                io::copy(entry, &mut File::from(file)).map_err(OciError::io("write"))?;
            }
            EntryType::Symlink => {
                remove(parent, last)?;
                let target = link_target(entry)?;
                symlinkat(target.as_path(), parent, last.as_os_str()).map_err(failed("make"))?;
            }
            EntryType::Link => {
                let target = inside(&link_target(entry)?)?;
                let folder = self.folder(target.parent().unwrap_or(Path::new("")))?;
                let Some(name) = target.file_name() else {
                    return Err(OciError::Bad("a hard link in it leads to no file".into()));
                };
                remove(parent, last)?;
                linkat(&folder, name, parent, last.as_os_str(), AtFlags::empty())
                    .map_err(failed("link"))?;
                return Ok(());
            }
            EntryType::Fifo => {
                remove(parent, last)?;
                nix::sys::stat::mknodat(parent, last.as_os_str(), SFlag::S_IFIFO, bits(0o600), 0)
                    .map_err(failed("make"))?;
            }
            // Devices are the host's; whatever else there may be is no file.
            _ => return Ok(()),
        }
        if let Some((uid, gid)) = owner {
            fchownat(
                parent,
                last.as_os_str(),
                Some(uid),
                Some(gid),
                AtFlags::AT_SYMLINK_NOFOLLOW,
            )
            .map_err(failed("give away"))?;
        }
        if kind != EntryType::Symlink {
            // The user has to get into folders of its own to fill them.
            let own = if kind == EntryType::Directory && !self.owners {
                0o700
            } else {
                0
            };
            fchmodat(
                parent,
                last.as_os_str(),
                bits(mode & 0o7777 | own),
                FchmodatFlags::FollowSymlink,
            )
            .map_err(failed("set the mode of"))?;
        }
        Ok(())
    }

    fn owner(&self, header: &tar::Header) -> Result<Option<(Uid, Gid)>, OciError> {
        if !self.owners {
            return Ok(None);
        }
        let number = |id: io::Result<u64>| {
            let id = id.map_err(OciError::io("read the owner of"))?;
            u32::try_from(id).map_err(|_| OciError::Bad(format!("there is no user {id}")))
        };
        let (uid, gid) = (number(header.uid())?, number(header.gid())?);
        Ok(Some((Uid::from_raw(uid), Gid::from_raw(gid))))
    }

    /// A folder of the tree, made where it is missing. No link leads out of the tree.
    fn folder(&self, path: &Path) -> Result<OwnedFd, OciError> {
        self.folder_by(path, MOST_LINKS)
    }

    /// As [`Unpacker::folder`], by way of so many links to folders that are not there yet.
    fn folder_by(&self, path: &Path, links: usize) -> Result<OwnedFd, OciError> {
        let failed = |errno: Errno| OciError::io("open the folder of")(errno.into());
        match self.look(path) {
            Err(Errno::ENOENT) => {}
            found => return found.map_err(failed),
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let above = self.folder_by(folder, links)?;
        let Some(name) = path.file_name() else {
            return self.look(path).map_err(failed);
        };
        match mkdirat(&above, name, bits(0o755)) {
            Ok(()) => {
                fchmodat(&above, name, bits(0o755), FchmodatFlags::FollowSymlink)
                    .map_err(failed)?;
            }
            Err(Errno::EEXIST) if links > 0 => {
                // A link to a folder that is not there: it is made where the link leads in the tree.
                let target = readlinkat(&above, name).map_err(failed)?;
                return self.folder_by(&clamped(&folder.join(target)), links - 1);
            }
            Err(errno) => return Err(failed(errno)),
        }
        self.look(path).map_err(failed)
    }

    fn look(&self, path: &Path) -> nix::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let how = OpenHow::new()
            .flags(OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        openat2(&self.root, path, how)
    }

    /// Makes the folders that a container mounts on.
    pub(super) fn finish(self) -> Result<(), OciError> {
        for (name, mode) in MOUNT_POINTS {
            let name_os = OsString::from(name);
            if is_folder(&self.root, &name_os) {
                continue;
            }
            let made = |errno: Errno| OciError::io(format!("make {name}"))(errno.into());
            remove(&self.root, &name_os)?;
            mkdirat(&self.root, name, bits(mode)).map_err(made)?;
            fchmodat(&self.root, name, bits(mode), FchmodatFlags::FollowSymlink).map_err(made)?;
        }
        Ok(())
    }
}

/// A name as a path from the root of the tree. One that climbs is refused.
fn inside(name: &Path) -> Result<PathBuf, OciError> {
    let mut path = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(OciError::Bad(format!(
                    "a layer of it names `{}`, which leads out of it",
                    name.display()
                )));
            }
        }
    }
    Ok(path)
}

/// A path without `..`, which never climbs over the root.
fn clamped(path: &Path) -> PathBuf {
    let mut clamped = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clamped.push(part),
            Component::ParentDir => drop(clamped.pop()),
            Component::RootDir => clamped.clear(),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clamped
}

fn link_target(entry: &tar::Entry<'_, &mut Hashing>) -> Result<PathBuf, OciError> {
    let target = entry.link_name().map_err(OciError::io("read the link"))?;
    let target = target.ok_or_else(|| OciError::Bad("a link in it leads nowhere".into()))?;
    Ok(target.into_owned())
}

fn is_folder(parent: &OwnedFd, name: &OsStr) -> bool {
    fstatat(parent, name, AtFlags::AT_SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR)
}

/// Removes whatever has this name, if anything has. Links are not followed.
fn remove(parent: &OwnedFd, name: &OsStr) -> Result<(), OciError> {
    if is_folder(parent, name) {
        let path = Path::new("/proc/self/fd")
            .join(parent.as_raw_fd().to_string())
            .join(name);
        return fs::remove_dir_all(path).map_err(OciError::io("remove"));
    }
    match unlinkat(parent, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(OciError::io("remove")(errno.into())),
    }
}

/// Removes what lower layers put into a folder.
fn empty(parent: &OwnedFd, folder: &Path, brought: &HashSet<PathBuf>) -> Result<(), OciError> {
    let failed = |errno: Errno| OciError::io("empty")(errno.into());
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let mut dir = Dir::openat(parent, ".", flags, Mode::empty()).map_err(failed)?;
    let names = dir
        .iter()
        .map(|entry| Ok(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned()))
        .collect::<nix::Result<Vec<OsString>>>()
        .map_err(failed)?;
    for name in names {
        let is_its_own = |path: &PathBuf| path.starts_with(folder.join(&name));
        if name != "." && name != ".." && !brought.iter().any(is_its_own) {
            remove(parent, &name)?;
        }
    }
    Ok(())
}

fn bits(mode: u32) -> Mode {
    Mode::from_bits_truncate(mode)
}

/// Hashes what is read of a layer.
struct Hashing {
    inner: Box<dyn Read>,
    hash: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.hash.update(&buffer[..got]);
        Ok(got)
    }
}

/// By the first bytes: media types lie more often.
fn decompressed(blob: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut blob = BufReader::with_capacity(128 << 10, blob);
    let magic = io::BufRead::fill_buf(&mut blob)?;
    if magic.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(flate2::read::MultiGzDecoder::new(blob)));
    }
    if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let zstd = ruzstd::decoding::StreamingDecoder::new(blob).map_err(io::Error::other)?;
        return Ok(Box::new(zstd));
    }
    Ok(Box::new(blob))
}
