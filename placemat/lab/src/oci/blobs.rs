//! The files of an image: of a folder, or of a tar archive that is read in place.

use super::OciError;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Most bytes of a document (index, manifest, configuration).
const LONGEST_DOCUMENT: u64 = 4 << 20;

/// Files by their names in the image.
pub(super) enum Blobs {
    Folder(PathBuf),
    Archive {
        path: PathBuf,
        /// Where each file lies: offset and size.
        files: HashMap<String, (u64, u64)>,
    },
}

impl Blobs {
    pub(super) fn folder(path: &Path) -> Self {
        Self::Folder(path.to_owned())
    }

    /// Reads where the files of an archive are, not what is in them.
    pub(super) fn archive(path: &Path) -> Result<Self, OciError> {
        let failed = || OciError::io(format!("read {}", path.display()));
        let mut file = File::open(path).map_err(failed())?;
        let mut magic = [0; 2];
        let got = file.read(&mut magic).map_err(failed())?;
        if got == 2 && magic == [0x1f, 0x8b] {
            return Err(OciError::Bad(format!(
                "{} is compressed as a whole: gunzip it first",
                path.display()
            )));
        }
        file.rewind().map_err(failed())?;
        let mut files = HashMap::new();
        let mut links = Vec::new();
        let mut archive = tar::Archive::new(file);
        for entry in archive.entries_with_seek().map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = plain(&entry.path().map_err(failed())?);
            if entry.header().entry_type().is_file() {
                files.insert(name, (entry.raw_file_position(), entry.size()));
            } else if let Some(target) = entry.link_name().map_err(failed())? {
                // `docker save` of old links layers that it has already.
                let folder = Path::new(&name).parent().unwrap_or(Path::new(""));
                links.push((name.clone(), plain(&folder.join(target))));
            }
        }
        for (name, target) in links {
            if let Some(place) = files.get(&target).copied() {
                files.insert(name, place);
            }
        }
        Ok(Self::Archive {
            path: path.to_owned(),
            files,
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(path) => path.join(name).is_file(),
            Self::Archive { files, .. } => files.contains_key(name),
        }
    }

    pub(super) fn open(&self, name: &str) -> Result<Box<dyn Read>, OciError> {
        match self {
            Self::Folder(path) => {
                let path = path.join(name);
                let file = File::open(&path);
                let file = file.map_err(OciError::io(format!("read {}", path.display())))?;
                Ok(Box::new(file))
            }
            Self::Archive { path, files } => {
                let (offset, size) = files.get(name).copied().ok_or_else(|| {
                    OciError::Bad(format!("{} has no file {name}", path.display()))
                })?;
                let failed = || OciError::io(format!("read {}", path.display()));
                let mut file = File::open(path).map_err(failed())?;
                file.seek(SeekFrom::Start(offset)).map_err(failed())?;
                Ok(Box::new(file.take(size)))
            }
        }
    }

    /// A whole document.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, OciError> {
        let mut bytes = Vec::new();
        self.open(name)?
            .take(LONGEST_DOCUMENT)
            .read_to_end(&mut bytes)
            .map_err(OciError::io(format!("read {name}")))?;
        Ok(bytes)
    }
}

/// A path without `.` and `..`, as a name.
fn plain(path: &Path) -> String {
    let mut names: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            std::path::Component::ParentDir => drop(names.pop()),
            _ => {}
        }
    }
    names.join("/")
}
