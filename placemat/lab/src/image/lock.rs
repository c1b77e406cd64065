//! One fetch of a thing at a time, in whatever process.

use super::{ImageError, Watch, io_error};
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The right to fetch. Dropped, it takes its file along.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes it, after whoever has it.
    pub(super) fn take(path: &Path, what: &str, watch: &mut dyn Watch) -> Result<Self, ImageError> {
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    watch.note(&format!("waiting for another placemat that fetches {what}"));
                    file.lock().map_err(io_error("lock", path))?;
                }
                Err(TryLockError::Error(error)) => return Err(io_error("lock", path)(error)),
            }
            if let Some(lock) = Self::of(path, file) {
                return Ok(lock);
            }
        }
    }

    /// Takes it if nobody has it.
    pub(super) fn try_take(path: &Path) -> Result<Option<Self>, ImageError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self::of(path, file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(io_error("lock", path)(error)),
        }
    }

    /// The last holder may have removed the file between our opening and our locking it; then the
    /// lock is on a file that nobody else will ever find.
    fn of(path: &Path, file: File) -> Option<Self> {
        let same = |one: &fs::Metadata, other: &fs::Metadata| {
            (one.dev(), one.ino()) == (other.dev(), other.ino())
        };
        let (ours, there) = (file.metadata().ok()?, fs::metadata(path).ok()?);
        same(&ours, &there).then(|| Self {
            path: path.to_owned(),
            _file: file,
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What stays is empty, and taken again by the next.
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> Result<File, ImageError> {
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(io_error("open", path))
}
