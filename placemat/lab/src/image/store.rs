//! The cache of fetched files.

use super::download::Client;
use super::entry::{Entry, seconds};
use super::lock::Lock;
use super::partial::{Partial, hash_of};
use super::unpack::unpack;
use super::{ImageError, Watch, io_error, sync_folder};
use placemat_host::disk::free_space;
use placemat_spec::resource::Compression;
use placemat_spec::value::{HttpUrl, Sha256};
use sha2::Digest;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Before the second attempt of a download.
const PAUSE: Duration = Duration::from_millis(500);

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// From where.
    pub source: Original<'a>,
    /// How it is packed there.
    pub compression: Option<Compression>,
    /// What it must hash to, as it is there.
    pub sha256: Option<Sha256>,
}

/// Where a file is.
#[derive(Debug, Clone, Copy)]
pub enum Original<'a> {
    /// On this host.
    File(&'a Path),
    /// On a server.
    Url(&'a HttpUrl),
}

impl fmt::Display for Original<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => write!(f, "{url}"),
        }
    }
}

/// A file that is ready for use. While this lives, in whatever process, `prune` leaves it alone.
#[derive(Debug)]
pub struct Held {
    /// Where it is.
    pub path: PathBuf,
    /// With its shared lock; `None` for the user's own files.
    _lock: Option<File>,
}

/// What a prune did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Files that were removed.
    pub files: usize,
    /// Bytes that they took.
    pub bytes: u64,
    /// Files that a running lab uses, or that are being fetched.
    pub kept: usize,
}

/// The cache.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    client: Client,
}

impl Store {
    /// The cache below a folder.
    pub fn new(cache: &Path) -> Self {
        Self::patient(cache, PAUSE)
    }

    pub(super) fn patient(cache: &Path, pause: Duration) -> Self {
        Self {
            folder: cache.join("images"),
            client: Client::new(pause),
        }
    }

    /// Gives the file that is wanted, fetched now or earlier.
    pub fn get(&self, request: &Request<'_>, watch: &mut dyn Watch) -> Result<Held, ImageError> {
        let what = request.source.to_string();
        if let Original::File(path) = request.source
            && request.compression.is_none()
            && request.sha256.is_none()
        {
            return Ok(Held {
                path: path.to_owned(),
                _lock: None,
            });
        }
        let key = key(request)?;
        fs::create_dir_all(&self.folder).map_err(io_error("create", &self.folder))?;
        let _turn = Lock::take(&self.path(&key, "lock"), &what, watch)?;
        let json = self.path(&key, "json");
        if let Some(entry) = Entry::read(&json) {
            match &request.sha256 {
                Some(wanted) if entry.sha256 != wanted.to_string() => watch.note(&format!(
                    "{what}: the cached file has another SHA-256; fetching it again"
                )),
                _ => {
                    if let Some(held) = self.hold(request, &entry)? {
                        Entry::touch(&json);
                        return Ok(held);
                    }
                }
            }
        }
        let entry = self.fetch(request, &key, &what, watch)?;
        let old = Entry::read(&json).and_then(|old| old.file);
        entry.write(&json)?;
        if let Some(old) = old.filter(|old| entry.file.as_ref() != Some(old)) {
            // A lab may still lie over it; then it stays until a prune.
            remove_unheld(&self.folder.join(old))?;
        }
        let gone = std::io::ErrorKind::NotFound.into();
        self.hold(request, &entry)?
            .ok_or_else(|| io_error("open", &json)(gone))
    }

    /// The cached file of an entry, if it is there.
    fn hold(&self, request: &Request<'_>, entry: &Entry) -> Result<Option<Held>, ImageError> {
        let Some(name) = &entry.file else {
            return Ok(match request.source {
                Original::File(path) => Some(Held {
                    path: path.to_owned(),
                    _lock: None,
                }),
                Original::Url(_) => None,
            });
        };
        let path = self.folder.join(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("open", &path)(error)),
        };
        file.lock_shared().map_err(io_error("lock", &path))?;
        Ok(Some(Held {
            path,
            _lock: Some(file),
        }))
    }

    fn fetch(
        &self,
        request: &Request<'_>,
        key: &str,
        what: &str,
        watch: &mut dyn Watch,
    ) -> Result<Entry, ImageError> {
        let partial = self.path(key, "partial");
        let name = what.rsplit('/').find(|part| !part.is_empty());
        let name = name.unwrap_or(what);
        let (packed, digest) = match request.source {
            Original::File(path) => checksum(path, name, watch)?,
            Original::Url(url) => {
                watch.begin("download", name);
                let got = self.download(url, &partial, what, watch);
                watch.end();
                got?
            }
        };
        if let Some(wanted) = request.sha256.filter(|wanted| *wanted != digest) {
            Partial::remove(&partial);
            return Err(ImageError::Digest {
                what: what.to_owned(),
                wanted,
                got: digest,
            });
        }
        let file = format!("{key}-{}.img", &digest.to_string()[..12]);
        let path = self.folder.join(&file);
        let (file, size) = match (request.compression, request.source) {
            (Some(compression), _) => {
                watch.begin("unpack", name);
                let unpacked = unpacked(compression, packed, &path, what, watch);
                watch.end();
                if matches!(unpacked, Err(ImageError::Unpack { .. })) {
                    // To go on from what is damaged is of no use.
                    Partial::remove(&partial);
                }
                (Some(file), unpacked?)
            }
            (None, Original::Url(_)) => {
                let size = packed.metadata().map_err(io_error("read", &partial))?.len();
                fs::rename(&partial, &path).map_err(io_error("make", &path))?;
                (Some(file), size)
            }
            (None, Original::File(_)) => (None, 0),
        };
        Partial::remove(&partial);
        sync_folder(&self.folder)?;
        Ok(Entry {
            source: what.to_owned(),
            compression: request.compression.map(|it| it.word().to_owned()),
            sha256: digest.to_string(),
            file,
            size,
            fetched: seconds(SystemTime::now()),
            used: 0,
        })
    }

    fn download(
        &self,
        url: &HttpUrl,
        partial: &Path,
        what: &str,
        watch: &mut dyn Watch,
    ) -> Result<(File, Sha256), ImageError> {
        let mut part = Partial::open(partial)?;
        if part.length() > 0 {
            watch.note(&format!("{what}: going on where it was cut off"));
        }
        let room = |need: u64| match free_space(&self.folder) {
            Ok(free) if free < need => Err(ImageError::Space {
                what: what.to_owned(),
                folder: self.folder.clone(),
                need,
                free,
            }),
            // Where the host does not say, the write itself will.
            _ => Ok(()),
        };
        self.client.fetch(url, &mut part, &room, watch)?;
        let digest = part.digest();
        Ok((part.finish()?, digest))
    }

    /// What is in the cache, sorted by source.
    pub fn list(&self) -> Result<Vec<Entry>, ImageError> {
        let mut entries: Vec<Entry> = self
            .files()?
            .iter()
            .filter(|path| path.extension().is_some_and(|it| it == "json"))
            .filter_map(|path| Entry::read(path))
            .filter(|entry| entry.file.is_some())
            .collect();
        entries.sort_by(|one, other| one.source.cmp(&other.source));
        Ok(entries)
    }

    /// Removes what no running lab uses and nobody is fetching, and what was cut off, if it was not
    /// used for so long.
    pub fn prune(&self, unused_for: Duration) -> Result<Pruned, ImageError> {
        let mut pruned = Pruned::default();
        let now = SystemTime::now();
        let old = |path: &Path| {
            let used = fs::metadata(path).and_then(|meta| meta.modified());
            let age = used.map(|used| now.duration_since(used).unwrap_or_default());
            age.is_ok_and(|age| age >= unused_for)
        };
        let mut keys: Vec<String> = self
            .files()?
            .iter()
            .filter_map(|path| key_of(path))
            .collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let Some(_turn) = Lock::try_take(&self.path(&key, "lock"))? else {
                pruned.kept += 1;
                continue;
            };
            let json = self.path(&key, "json");
            if json.exists() && !old(&json) {
                continue;
            }
            let mut held = false;
            for path in self.files()? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let ours = name.starts_with(key.as_str());
                if !ours || path == json || name.ends_with(".lock") || !old_part(&name, &path, &old)
                {
                    continue;
                }
                let size = fs::metadata(&path).map_or(0, |meta| meta.blocks() * 512);
                if remove_unheld(&path)? {
                    pruned.bytes += size;
                    if !name.ends_with(".json") {
                        pruned.files += 1;
                    }
                } else {
                    held = true;
                    pruned.kept += 1;
                }
            }
            if !held {
                match fs::remove_file(&json) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(io_error("remove", &json)(error));
                    }
                    _ => {}
                }
            }
        }
        Ok(pruned)
    }

    fn files(&self) -> Result<Vec<PathBuf>, ImageError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("read", &self.folder)(error)),
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        Ok(files)
    }

    fn path(&self, key: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{key}.{extension}"))
    }
}

/// Under another name first, so that what has the name is whole.
fn unpacked(
    compression: Compression,
    packed: File,
    path: &Path,
    what: &str,
    watch: &mut dyn Watch,
) -> Result<u64, ImageError> {
    let new = path.with_extension("img.new");
    let made = || -> Result<u64, ImageError> {
        let mut file = File::create(&new).map_err(io_error("create", &new))?;
        let size = unpack(compression, packed, &mut file, watch).map_err(|source| {
            if matches!(
                source.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            ) {
                return io_error("write", &new)(source);
            }
            ImageError::Unpack {
                what: what.to_owned(),
                compression,
                source,
            }
        })?;
        file.sync_all().map_err(io_error("write", &new))?;
        fs::rename(&new, path).map_err(io_error("make", path))?;
        Ok(size)
    };
    made().inspect_err(|_| {
        // Half an image would only fill the disk further.
        let _ = fs::remove_file(&new);
    })
}

/// What a download left is as old as its own last byte.
fn old_part(name: &str, path: &Path, old: &impl Fn(&Path) -> bool) -> bool {
    !name.contains(".partial") || old(path)
}

/// The key in a file's name.
fn key_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let key = name.get(..32)?;
    let fine = key.bytes().all(|byte| byte.is_ascii_hexdigit());
    fine.then(|| key.to_owned())
}

/// Removes a file unless a lab holds it; whether it is gone.
fn remove_unheld(path: &Path) -> Result<bool, ImageError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(io_error("open", path)(error)),
    };
    if file.try_lock().is_err() {
        return Ok(false);
    }
    fs::remove_file(path).map_err(io_error("remove", path))?;
    Ok(true)
}

/// 32 digits that stand for where it comes from and how it is packed; of a local file also for what
/// it is now.
fn key(request: &Request<'_>) -> Result<String, ImageError> {
    let compression = request.compression.map_or("", Compression::word);
    let text = match request.source {
        Original::Url(url) => format!("url\n{}\n{compression}", url.as_str()),
        Original::File(path) => {
            let meta = fs::metadata(path).map_err(io_error("read", path))?;
            let (size, seconds, nanos) = (meta.len(), meta.mtime(), meta.mtime_nsec());
            let path = path.display();
            format!("file\n{path}\n{size} {seconds} {nanos}\n{compression}")
        }
    };
    let digest = Sha256(sha2::Sha256::digest(text.as_bytes()).into());
    Ok(digest.to_string()[..32].to_owned())
}

/// A file from its beginning, and its digest.
fn checksum(path: &Path, name: &str, watch: &mut dyn Watch) -> Result<(File, Sha256), ImageError> {
    use std::io::Seek;
    watch.begin("check", name);
    let mut hash = sha2::Sha256::new();
    let mut read = || -> std::io::Result<File> {
        let mut file = File::open(path)?;
        hash_of(&mut file, &mut hash)?;
        file.rewind()?;
        Ok(file)
    };
    let file = read().map_err(io_error("read", path));
    watch.end();
    Ok((file?, Sha256(hash.finalize().into())))
}
