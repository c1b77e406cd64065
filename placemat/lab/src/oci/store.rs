//! The cache of unpacked images: `CACHE/oci/DIGEST/{rootfs,config.json}`. A folder appears when it is
//! complete, and is never changed after that.

use super::blobs::Blobs;
use super::manifest::{self, Found, ImageConfig};
use super::unpack::Unpacker;
use super::{OciError, Unpacked};
use placemat_host::probe::program;
use placemat_spec::resource::OciSource;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

/// What an image says about itself, in its folder.
pub(super) const CONFIG: &str = "config.json";

/// The cache of unpacked images.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) dir: PathBuf,
    /// What fetches images of registries.
    skopeo: &'static str,
}

impl Store {
    /// The one in a cache directory.
    pub fn new(cache: &Path) -> Self {
        Self {
            dir: cache.join("oci"),
            skopeo: "skopeo",
        }
    }

    /// With another program in the place of skopeo.
    #[cfg(test)]
    pub(super) fn fetching_by(self, skopeo: &'static str) -> Self {
        Self { skopeo, ..self }
    }

    /// An image, unpacked if it is not yet.
    pub fn get(&self, source: &OciSource) -> Result<Unpacked, OciError> {
        // Images of root's may have programs that run as root for whoever can reach them.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .map_err(OciError::io(format!("create {}", self.dir.display())))?;
        match source {
            OciSource::Layout { path, tag } => self.unpacked(&Blobs::folder(path), tag.as_deref()),
            OciSource::Archive { path, tag } => {
                self.unpacked(&Blobs::archive(path)?, tag.as_deref())
            }
            OciSource::Registry { name } => self.registry(name),
        }
    }

    fn unpacked(&self, blobs: &Blobs, tag: Option<&str>) -> Result<Unpacked, OciError> {
        let found = manifest::find(blobs, tag)?;
        let _lock = self.lock()?;
        let place = self.dir.join(&found.id);
        if !place.exists() {
            self.fill(blobs, &found, &place)?;
        }
        hold(&place, found.config)
    }

    /// Unpacks beside, then renames: what has the name is whole.
    fn fill(&self, blobs: &Blobs, found: &Found, place: &Path) -> Result<(), OciError> {
        let new = self.scratch()?;
        let tree = new.join("rootfs");
        let mut unpacker = Unpacker::new(&tree)?;
        for (layer, diff_id) in found.layers.iter().zip(&found.diff_ids) {
            unpacker.layer(blobs.open(layer)?, diff_id)?;
        }
        unpacker.finish()?;
        let config = serde_json::to_vec(&found.config).unwrap_or_default();
        fs::write(new.join(CONFIG), config)
            .and_then(|()| fs::rename(&new, place))
            .map_err(OciError::io(format!("write {}", place.display())))
    }

    /// A registry is asked once for each name; the answer is kept.
    fn registry(&self, name: &str) -> Result<Unpacked, OciError> {
        let note = self
            .dir
            .join(format!("name-{}", manifest::sha256(name.as_bytes())));
        {
            let _lock = self.lock()?;
            let id = fs::read_to_string(&note).ok();
            if let Some(unpacked) = id.and_then(|id| self.kept(&id)) {
                return Ok(unpacked);
            }
        }
        let fetched = self.scratch_of("fetch")?;
        fetch(self.skopeo, name, &fetched)?;
        let unpacked = self.unpacked(&Blobs::folder(&fetched), None)?;
        let _ = fs::remove_dir_all(&fetched);
        let id = unpacked.tree.parent().and_then(Path::file_name);
        let id = id.unwrap_or_default().as_encoded_bytes();
        fs::write(&note, id).map_err(OciError::io(format!("write {}", note.display())))?;
        Ok(unpacked)
    }

    fn kept(&self, id: &str) -> Option<Unpacked> {
        let place = self.dir.join(id);
        let config = fs::read(place.join(CONFIG)).ok()?;
        hold(&place, serde_json::from_slice::<ImageConfig>(&config).ok()?).ok()
    }

    fn scratch(&self) -> Result<PathBuf, OciError> {
        self.scratch_of("new")
    }

    /// An empty folder, for what is not complete yet. The lock is held or the name is ours alone.
    fn scratch_of(&self, what: &str) -> Result<PathBuf, OciError> {
        let dir = self.dir.join(format!(".{what}-{}", std::process::id()));
        let made = match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir(&dir),
        };
        made.map_err(OciError::io(format!("create {}", dir.display())))?;
        Ok(dir)
    }

    /// One at a time: a second run waits, and finds the image there. What a run left that was killed
    /// goes.
    pub(super) fn lock(&self) -> Result<File, OciError> {
        let path = self.dir.join("lock");
        let failed = || OciError::io(format!("lock {}", path.display()));
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed())?;
        lock.lock().map_err(failed())?;
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b".new-") {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Ok(lock)
    }
}

/// An unpacked image, from now on in use. The store's lock is held.
fn hold(place: &Path, config: ImageConfig) -> Result<Unpacked, OciError> {
    let failed = || OciError::io(format!("use {}", place.display()));
    let held = File::open(place).map_err(failed())?;
    held.lock_shared().map_err(failed())?;
    // When it was used last is the age that a prune asks for. A cache of somebody else's stays as it is.
    let _ = File::options()
        .write(true)
        .open(place.join(CONFIG))
        .and_then(|file| file.set_modified(SystemTime::now()));
    Ok(Unpacked {
        tree: place.join("rootfs"),
        config,
        _held: Arc::new(held),
    })
}

/// Has skopeo write an image of a registry into a folder.
fn fetch(skopeo: &str, name: &str, folder: &Path) -> Result<(), OciError> {
    let skopeo = program::locate(skopeo).map_err(|_| OciError::Program {
        reason: "skopeo fetches images of registries, and is not installed".into(),
        remedy: "apt install skopeo; or save the image into a file elsewhere, and name that: `docker-archive:FILE`".into(),
    })?;
    let output = Command::new(skopeo)
        .args([
            "copy",
            "--quiet",
            "--insecure-policy",
            "--override-os=linux",
        ])
        .arg(format!("docker://{name}"))
        .arg(format!("oci:{}", folder.display()))
        .stdin(Stdio::null())
        .output()
        .map_err(OciError::io("run skopeo"))?;
    if output.status.success() {
        return Ok(());
    }
    let _ = fs::remove_dir_all(folder);
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default().trim();
    Err(OciError::Program {
        reason: format!("skopeo failed: {last}"),
        remedy: "names are `docker://REGISTRY/NAME:TAG`; `skopeo login` keeps a password".into(),
    })
}
