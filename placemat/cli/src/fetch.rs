//! Fetches what a cluster needs from the cache or the network, and says how that goes.

use crate::exit::{self, Failure};
use crate::progress::{Lines, Progress};
use crate::talk;
use placemat_lab::image::{ImageError, Images, Store, Wanted, Watch};
use placemat_spec::Cluster;
use placemat_spec::resource::{Compression, ImageSource};
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

/// Fetches a cluster's images and files. Call it before the sandbox is entered.
pub(crate) fn images(
    cluster: &Cluster,
    cache: &Path,
    wanted: Wanted,
) -> Result<Arc<Images>, Failure> {
    if placemat_host::sandbox::hides(cache) {
        let error = anyhow::anyhow!(
            "the cache {} lies below /run, where a lab has files of its own",
            cache.display()
        );
        return Err(
            Failure::new(exit::HOST, error).hint("`--cache-dir` names another place for it")
        );
    }
    for image in cluster.images.values() {
        if let (ImageSource::File(path), None) = (&image.source, image.compression)
            && let Some(packed) = packed(path)
        {
            talk::say(&format!(
                "warning: image `{}` is used as it is, but {} is packed: `compression: {}` unpacks it",
                image.name,
                path.display(),
                packed.word()
            ));
        }
    }
    let store = Store::new(cache);
    let fetched = if std::io::stderr().is_terminal() {
        fetch(cluster, &store, wanted, &mut Progress::new())
    } else {
        fetch(cluster, &store, wanted, &mut Lines)
    };
    fetched.map(Arc::new).map_err(|error| failure(&error))
}

fn fetch(
    cluster: &Cluster,
    store: &Store,
    wanted: Wanted,
    watch: &mut dyn Watch,
) -> Result<Images, ImageError> {
    Images::fetch(cluster, store, wanted, watch)
}

/// What a disk image is packed with although nobody says so.
fn packed(path: &Path) -> Option<Compression> {
    let mut start = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(8).read_to_end(&mut start).ok()?;
    Compression::of(&start)
}

/// A failure of the cache, with what to do about it.
pub(crate) fn failure(error: &ImageError) -> Failure {
    let hint = match error {
        ImageError::Download { source, .. } => source.remedy(),
        ImageError::Digest { .. } => {
            Some("the file has changed, or `sha256` is wrong; nothing of it is used")
        }
        ImageError::Unpack { .. } => Some("is `compression` right, and the file whole?"),
        ImageError::Space { .. } => {
            Some("`placemat image prune` frees space; `--cache-dir` names another place")
        }
        ImageError::Io { .. } => None,
    };
    let error = anyhow::anyhow!("{}", placemat_lab::error::chain(error));
    Failure::new(exit::HOST, error).maybe_hint(hint)
}
