//! Takes unpacked images out of the cache that no lab uses.

use super::OciError;
use super::store::{CONFIG, Store};
use crate::image::Pruned;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

impl Store {
    /// Removes images that no running lab uses, if they were not used for so long, and the names of
    /// those that are not there.
    pub fn prune(&self, unused_for: Duration) -> Result<Pruned, OciError> {
        let mut pruned = Pruned::default();
        if !self.dir.exists() {
            return Ok(pruned);
        }
        let _lock = self.lock()?;
        let read = || {
            fs::read_dir(&self.dir).map_err(OciError::io(format!("read {}", self.dir.display())))
        };
        for place in read()?.flatten().map(|entry| entry.path()) {
            let name = place.file_name().unwrap_or_default().as_encoded_bytes();
            // What begins with a dot is being fetched, or goes with the next that locks.
            if !place.is_dir() || name.starts_with(b".") || !is_old(&place, unused_for) {
                continue;
            }
            let removed = File::open(&place).and_then(|folder| match folder.try_lock() {
                Ok(()) => remove(&place, &self.dir),
                Err(_) => Ok(None),
            });
            match removed.map_err(OciError::io(format!("remove {}", place.display())))? {
                Some(bytes) => {
                    pruned.files += 1;
                    pruned.bytes += bytes;
                }
                None => pruned.kept += 1,
            }
        }
        for note in read()?.flatten().map(|entry| entry.path()) {
            let name = note.file_name().unwrap_or_default().as_encoded_bytes();
            let id = || fs::read_to_string(&note).unwrap_or_default();
            if name.starts_with(b"name-") && !self.dir.join(id()).join(CONFIG).exists() {
                fs::remove_file(&note)
                    .map_err(OciError::io(format!("remove {}", note.display())))?;
            }
        }
        Ok(pruned)
    }
}

fn is_old(place: &Path, unused_for: Duration) -> bool {
    let used = fs::metadata(place.join(CONFIG)).and_then(|meta| meta.modified());
    let now = SystemTime::now();
    // Without that file it is of no use to anybody.
    used.map_or(true, |used| {
        now.duration_since(used).unwrap_or_default() >= unused_for
    })
}

/// Removes an image, under a name first that nobody takes for a whole one; the bytes that it took.
fn remove(place: &Path, cache: &Path) -> io::Result<Option<u64>> {
    let gone = cache.join(format!(".new-gone-{}", std::process::id()));
    fs::rename(place, &gone)?;
    let bytes = size(&gone)?;
    fs::remove_dir_all(&gone)?;
    Ok(Some(bytes))
}

fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += meta.blocks() * 512;
        if meta.is_dir() {
            bytes += size(&entry.path())?;
        }
    }
    Ok(bytes)
}
