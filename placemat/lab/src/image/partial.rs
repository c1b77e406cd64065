//! What has come of a download so far. It stays when a download is cut off, and the next goes on
//! from its end, if the server says by `ETag` or `Last-Modified` that the file is still the same.

use super::{ImageError, io_error};
use placemat_spec::value::Sha256;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Of which file a part is: what the server said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validators {
    /// `ETag`, where it is a strong one (RFC 9110, 8.8.3).
    pub(super) etag: Option<String>,
    /// `Last-Modified`.
    pub(super) last_modified: Option<String>,
}

impl Validators {
    /// What goes into `If-Range` (RFC 9110, 13.1.5); `None`: a part of the file is of no use.
    pub(super) fn if_range(&self) -> Option<&str> {
        self.etag.as_deref().or(self.last_modified.as_deref())
    }
}

/// The beginning of a file.
pub(super) struct Partial {
    path: PathBuf,
    file: File,
    length: u64,
    hash: sha2::Sha256,
    validators: Validators,
}

impl Partial {
    /// Opens what an earlier download left, or nothing.
    pub(super) fn open(path: &Path) -> Result<Self, ImageError> {
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(io_error("open", path))?;
        let validators = fs::read(json(path))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Validators>(&bytes).ok())
            .unwrap_or_default();
        let mut hash = sha2::Sha256::new();
        let mut length = 0;
        if validators.if_range().is_some() {
            length = hash_of(&mut file, &mut hash).map_err(io_error("read", path))?;
        }
        let mut partial = Self {
            path: path.to_owned(),
            file,
            length,
            hash,
            validators,
        };
        if length == 0 {
            partial.restart(Validators::default())?;
        }
        Ok(partial)
    }

    /// Bytes that are there.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Of which file.
    pub(super) fn validators(&self) -> &Validators {
        &self.validators
    }

    /// Throws away what is there and begins anew, with another file.
    pub(super) fn restart(&mut self, validators: Validators) -> Result<(), ImageError> {
        // The old words must not be believed of the new bytes, so they go first.
        let json = json(&self.path);
        match fs::remove_file(&json) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("remove", &json)(error));
            }
            _ => {}
        }
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(io_error("write", &self.path))?;
        self.length = 0;
        self.hash = sha2::Sha256::new();
        if validators.if_range().is_some() {
            let text = serde_json::to_vec(&validators).unwrap_or_default();
            fs::write(&json, text).map_err(io_error("write", &json))?;
        }
        self.validators = validators;
        Ok(())
    }

    /// Adds what came.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), ImageError> {
        self.file
            .write_all(bytes)
            .map_err(io_error("write", &self.path))?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Digest of what is there.
    pub(super) fn digest(&self) -> Sha256 {
        Sha256(self.hash.clone().finalize().into())
    }

    /// Makes it last and gives the file, from its beginning.
    pub(super) fn finish(mut self) -> Result<File, ImageError> {
        self.file
            .sync_all()
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(io_error("write", &self.path))?;
        Ok(self.file)
    }

    /// Removes the files of a part.
    pub(super) fn remove(path: &Path) {
        // What stays is looked at again by the next download.
        let _ = fs::remove_file(json(path));
        let _ = fs::remove_file(path);
    }
}

fn json(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

/// Feeds all that is left of a file into a hash.
pub(super) fn hash_of(file: &mut File, hash: &mut sha2::Sha256) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(length),
            count => {
                hash.update(&buffer[..count]);
                length += count as u64;
            }
        }
    }
}
