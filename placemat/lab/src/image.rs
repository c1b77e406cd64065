//! Disk images and data files, ready for use: downloaded, checked, unpacked. All of it blocks and
//! runs before the sandbox, where the host's network is.
//!
//! ```text
//! Image --store--> cached file, held     download: HTTP, resumed, tried again
//!                                        unpack:   gzip, bzip2, xz, zstd
//! ```
//!
//! Under the cache's folder, by a key made of the URL:
//!
//! ```text
//! images/KEY.lock          held by whoever fetches
//!        KEY.partial       what has come so far; KEY.partial.json: of which file
//!        KEY.json          what was fetched, and which file has it
//!        KEY-DIGEST.img    whole, checked, unpacked; held (shared) by labs that use it
//! ```
//!
//! The digest is in the name, so that a disk that lies over an image never finds another under it.

mod download;
mod entry;
mod fetch;
mod lock;
mod partial;
mod roots;
mod store;
mod unpack;

pub use download::DownloadError;
pub use entry::Entry;
pub use fetch::{Images, Wanted};
pub use store::{Held, Original, Pruned, Request, Store};

use placemat_spec::resource::Compression;
use placemat_spec::value::{HttpUrl, Sha256, format_size};
use std::io;
use std::path::{Path, PathBuf};

/// Hears how a fetch goes on.
pub trait Watch {
    /// Something to know: that it waits, resumes, tries again.
    fn note(&mut self, text: &str);
    /// A part of the work begins: `download NAME`, `unpack NAME`.
    fn begin(&mut self, act: &str, name: &str);
    /// Bytes done so far, of how many, where that is known.
    fn progress(&mut self, done: u64, total: Option<u64>);
    /// The part has ended, well or not.
    fn end(&mut self);
}

/// Why an image or file is not ready for use.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file of the cache, or of the user, could not be used.
    #[error("{act} {}{}", path.display(), hint(source))]
    Io {
        /// What was being done.
        act: &'static str,
        /// To which file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The download failed for good.
    #[error("download {url}")]
    Download {
        /// From where.
        url: HttpUrl,
        /// Why.
        source: DownloadError,
    },
    /// It is not the file that was meant.
    #[error("{what} has SHA-256 {got}, not {wanted}")]
    Digest {
        /// URL or path.
        what: String,
        /// What the cluster says.
        wanted: Sha256,
        /// What it is.
        got: Sha256,
    },
    /// It is not packed as it should be, or damaged.
    #[error("unpack {what} ({})", compression.word())]
    Unpack {
        /// URL or path.
        what: String,
        /// How it should be packed.
        compression: Compression,
        /// What the decoder said.
        source: io::Error,
    },
    /// It would not fit.
    #[error(
        "{what} needs {} more in {}, which has {} free",
        format_size(*need), folder.display(), format_size(*free)
    )]
    Space {
        /// URL or path.
        what: String,
        /// The cache's folder.
        folder: PathBuf,
        /// Bytes.
        need: u64,
        /// Bytes.
        free: u64,
    },
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (free some space: `placemat image prune`; or put the cache elsewhere: `--cache-dir`)"
        }
        _ => "",
    }
}

fn io_error<'a>(act: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ImageError + 'a {
    move |source| ImageError::Io {
        act,
        path: path.to_owned(),
        source,
    }
}

/// Makes a rename last.
fn sync_folder(folder: &Path) -> Result<(), ImageError> {
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io_error("write to", folder))
}

#[cfg(test)]
mod tests;
