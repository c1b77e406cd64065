//! What the cache knows of a fetched file.

use super::{ImageError, io_error};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

/// A fetched file. Its JSON stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// URL, without a password, or path of the file that it was unpacked from.
    pub source: String,
    /// How that is packed.
    pub compression: Option<String>,
    /// SHA-256 of that, in hexadecimal digits.
    pub sha256: String,
    /// The cached file, in the cache's folder; `None` for a local file that was only checked.
    pub file: Option<String>,
    /// Size of the cached file in bytes.
    pub size: u64,
    /// When it was fetched, in seconds since 1970.
    pub fetched: u64,
    /// When it was last used, in seconds since 1970: the JSON's own time.
    #[serde(skip)]
    pub used: u64,
}

impl Entry {
    /// Reads one. What cannot be read is fetched again.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let mut entry: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        entry.used = seconds(fs::metadata(path).ok()?.modified().ok()?);
        // A name, never a path: the file is only as trusted as the folder.
        let plain = |name: &String| !name.contains('/') && !name.starts_with('.');
        entry.file.iter().all(plain).then_some(entry)
    }

    /// Writes it so that it is whole whenever it is there.
    pub(super) fn write(&self, path: &Path) -> Result<(), ImageError> {
        let new = path.with_extension("json.new");
        let written = || -> std::io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        written().map_err(io_error("write", path))
    }

    /// Notes that it is used now.
    pub(super) fn touch(path: &Path) {
        // Only the choice of what to prune hangs on it.
        let _ = File::options()
            .append(true)
            .open(path)
            .and_then(|file| file.set_modified(SystemTime::now()));
    }
}

/// Since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
