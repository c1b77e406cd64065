//! Labs on this host: their run directories, found by files alone.
//!
//! ```text
//! BASE/ID/lab.json      name, files, when it started
//!         lock          held by the live lab; whoever gets it knows that the lab is gone
//!         groups       control groups that go with it
//!         control.sock, events.jsonl, logs/, dc/
//! ```

use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a lab tells about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabCard {
    /// Id, unique among the labs of this host's user.
    pub id: String,
    /// Name; several labs may have the same.
    pub name: String,
    /// Files it was made from.
    pub files: Vec<PathBuf>,
    /// When it was started, RFC 3339.
    pub started: String,
    /// Its data directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
}

impl LabCard {
    /// Notes in a run directory that its lab is made from other files now.
    pub(crate) fn note_files(run_dir: &Path, files: Vec<PathBuf>) -> io::Result<()> {
        let path = run_dir.join(CARD);
        let mut card: Self = serde_json::from_slice(&fs::read(&path)?)?;
        card.files = files;
        // Whoever lists labs meanwhile sees the one or the other.
        let new = run_dir.join("lab.json.new");
        fs::write(&new, serde_json::to_vec_pretty(&card)?)?;
        fs::rename(new, path)
    }
}

/// Puts what a lab is made from into its run directory, for whoever looks later: every default settled, every path absolute.
pub fn keep(run_dir: &Path, cluster: &placemat_spec::Cluster) -> io::Result<()> {
    let new = run_dir.join("cluster.yml.new");
    fs::write(&new, cluster.to_yaml())?;
    fs::rename(new, run_dir.join("cluster.yml"))
}

/// In a run directory: what the lab tells of itself.
const CARD: &str = "lab.json";

/// A live lab on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it tells.
    pub card: LabCard,
    /// Its run directory.
    pub run_dir: PathBuf,
}

/// A claimed run directory. The lab lives as long as the lock is held, by whatever process.
#[derive(Debug)]
pub struct Claim {
    /// What it tells.
    pub card: LabCard,
    /// The run directory.
    pub run_dir: PathBuf,
    /// The data directory.
    pub data_dir: PathBuf,
    _locks: [File; 2],
}

impl Claim {
    /// Removes the run directory of a lab that is gone, or never came to be.
    pub fn abandon(&self) {
        // What stays is swept by the next.
        let _ = remove(&self.run_dir);
    }

    /// Notes folders outside of the run directory that go when it goes: control groups.
    pub fn note_groups<'a>(
        &self,
        folders: impl Iterator<Item = &'a Path>,
    ) -> Result<(), RegistryError> {
        let path = self.run_dir.join(GROUPS);
        let lines: Vec<String> = folders.map(|it| it.display().to_string() + "\n").collect();
        fs::write(&path, lines.concat()).map_err(io_error("write", &path))
    }
}

/// In a run directory: control groups of the lab, one folder a line.
const GROUPS: &str = "groups";
/// In a run directory: Unix sockets elsewhere that lead into the lab, one path a line.
const SOCKETS: &str = "sockets";

/// Notes a socket outside of the run directory that goes when it goes.
pub(crate) fn note_socket(run_dir: &Path, socket: &Path) -> io::Result<()> {
    let mut notes = OpenOptions::new()
        .create(true)
        .append(true)
        .open(run_dir.join(SOCKETS))?;
    notes.write_all(format!("{}\n", socket.display()).as_bytes())
}

/// Removes a socket that nobody listens on any more. Whatever else is there by now stays.
fn remove_dead_socket(path: &Path) {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    if is_socket
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        // Best effort: the next `forward add` replaces it, too.
        let _ = fs::remove_file(path);
    }
}

/// Removes the run directory of a lab that is gone, its control groups and sockets first.
fn remove(run_dir: &Path) -> io::Result<()> {
    for socket in fs::read_to_string(run_dir.join(SOCKETS))
        .unwrap_or_default()
        .lines()
    {
        remove_dead_socket(Path::new(socket));
    }
    for folder in fs::read_to_string(run_dir.join(GROUPS))
        .unwrap_or_default()
        .lines()
    {
        placemat_host::cgroup::sweep(Path::new(folder));
    }
    fs::remove_dir_all(run_dir)
}

/// Why a run directory could not be made or found.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A file or directory could not be made or read.
    #[error("{act} {path}")]
    Io {
        /// What was being done.
        act: &'static str,
        /// To which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// No lab, or more than one, goes by that name.
    #[error("{0}")]
    Which(String),
}

fn io_error<'a>(act: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> RegistryError + 'a {
    move |source| RegistryError::Io {
        act,
        path: path.to_owned(),
        source,
    }
}

/// Where labs of this user are.
#[derive(Debug, Clone)]
pub struct Registry {
    run_base: PathBuf,
    data_base: PathBuf,
}

impl Registry {
    /// A registry with these directories.
    pub fn new(run_base: PathBuf, data_base: PathBuf) -> Self {
        Self {
            run_base,
            data_base,
        }
    }

    /// Sweeps what dead labs left, then makes and locks a run and a data directory.
    pub fn claim(
        &self,
        name: &str,
        files: Vec<PathBuf>,
        started: String,
    ) -> Result<Claim, RegistryError> {
        make_dir(&self.run_base)?;
        check_owner(&self.run_base)?;
        // Between making a directory and locking it, a sweep must not come.
        let _base_lock = self.base_lock()?;
        self.sweep_locked();
        let card = LabCard {
            id: self.free_id(name, &started),
            name: name.to_owned(),
            files,
            started,
            data_dir: None,
        };
        let run_dir = self.run_base.join(&card.id);
        self.fill(card, &run_dir).inspect_err(|_| {
            // Half a directory is of no use; the failure is what is told.
            let _ = fs::remove_dir_all(&run_dir);
        })
    }

    fn fill(&self, mut card: LabCard, run_dir: &Path) -> Result<Claim, RegistryError> {
        let run_dir = run_dir.to_owned();
        make_dir(&run_dir)?;
        make_dir(&run_dir.join("logs"))?;
        let lock = lock_file(&run_dir.join("lock"))?;
        // Not tried but waited for: whoever lists labs looks at it for an instant.
        lock.lock().map_err(io_error("lock", &run_dir))?;
        let (data_dir, data_lock) = self.data_dir(&card.name)?;
        card.data_dir = Some(data_dir.clone());
        let path = run_dir.join(CARD);
        let text = serde_json::to_vec_pretty(&card).unwrap_or_default();
        fs::write(&path, text).map_err(io_error("write", &path))?;
        Ok(Claim {
            card,
            run_dir,
            data_dir,
            _locks: [lock, data_lock],
        })
    }

    /// Labs that are alive, oldest first. Changes nothing.
    pub fn live(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self
            .run_dirs()
            .into_iter()
            .filter(|dir| is_live(dir))
            .filter_map(|run_dir| {
                let text = fs::read(run_dir.join(CARD)).ok()?;
                Some(Entry {
                    card: serde_json::from_slice(&text).ok()?,
                    run_dir,
                })
            })
            .collect();
        entries.sort_by(|a, b| (&a.card.started, &a.card.id).cmp(&(&b.card.started, &b.card.id)));
        entries
    }

    /// The lab with this id or name; without one, the only live lab.
    pub fn find(&self, wanted: Option<&str>) -> Result<Entry, RegistryError> {
        let mut entries = self.live();
        let candidates = list(&entries);
        if let Some(wanted) = wanted {
            entries.retain(|entry| entry.card.id == wanted || entry.card.name == wanted);
        }
        if entries.len() == 1
            && let Some(entry) = entries.pop()
        {
            return Ok(entry);
        }
        Err(RegistryError::Which(match (wanted, entries.is_empty()) {
            (None, true) => "no lab is running".into(),
            (None, false) => format!("more than one lab is running: {candidates}"),
            (Some(wanted), true) if candidates.is_empty() => {
                format!("no lab `{wanted}` is running, nor any other")
            }
            (Some(wanted), true) => format!("no lab `{wanted}` is running; running: {candidates}"),
            (Some(wanted), false) => {
                format!("more than one lab is called `{wanted}`: {candidates}")
            }
        }))
    }

    /// Removes run directories whose lab is gone; which.
    pub fn sweep(&self) -> Result<Vec<PathBuf>, RegistryError> {
        if !self.run_base.exists() {
            return Ok(Vec::new());
        }
        let _base_lock = self.base_lock()?;
        Ok(self.sweep_locked())
    }

    /// Removes data directories that no live lab has; which.
    pub fn sweep_data(&self) -> Result<Vec<PathBuf>, RegistryError> {
        let Ok(entries) = fs::read_dir(&self.data_base) else {
            return Ok(Vec::new());
        };
        make_dir(&self.run_base)?;
        let _base_lock = self.base_lock()?;
        let dirs = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|dir| dir.join("lock").exists());
        let mut dead: Vec<PathBuf> = dirs.filter(|dir| !is_live(dir)).collect();
        dead.sort();
        for dir in &dead {
            fs::remove_dir_all(dir).map_err(io_error("remove", dir))?;
        }
        Ok(dead)
    }

    fn sweep_locked(&self) -> Vec<PathBuf> {
        // Best effort: what cannot be removed today is there tomorrow.
        let mut dirs = self.run_dirs();
        dirs.sort();
        dirs.retain(|dir| !is_live(dir) && remove(dir).is_ok());
        dirs
    }

    fn base_lock(&self) -> Result<File, RegistryError> {
        let path = self.run_base.join(".lock");
        let lock = lock_file(&path)?;
        lock.lock().map_err(io_error("lock", &path))?;
        Ok(lock)
    }

    fn run_dirs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.run_base) else {
            return Vec::new();
        };
        entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.join("lock").exists() || has_name_of_a_lab(path))
            .collect()
    }

    /// Six hex digits that no other lab has.
    fn free_id(&self, name: &str, started: &str) -> String {
        use sha1::{Digest, Sha1};
        let seed = format!("{name} {started} {}", std::process::id());
        let hash = Sha1::digest(seed.as_bytes());
        let number = u32::from_be_bytes([0, hash[0], hash[1], hash[2]]);
        let mut ids =
            (0_u32..).map(|step| format!("{:06x}", number.wrapping_add(step) & 0x00ff_ffff));
        ids.find(|id| !self.run_base.join(id).exists())
            .unwrap_or_default()
    }

    /// `DATA/NAME`, or with a number behind it when a live lab of the same name has that.
    fn data_dir(&self, name: &str) -> Result<(PathBuf, File), RegistryError> {
        let mut number = 1;
        loop {
            let folder = if number == 1 {
                name.to_owned()
            } else {
                format!("{name}.{number}")
            };
            let dir = self.data_base.join(folder);
            make_dir(&dir)?;
            let lock = lock_file(&dir.join("lock"))?;
            if lock.try_lock().is_ok() {
                return Ok((dir, lock));
            }
            number += 1;
        }
    }
}

fn list(entries: &[Entry]) -> String {
    let words: Vec<String> = entries
        .iter()
        .map(|entry| format!("{} ({})", entry.card.name, entry.card.id))
        .collect();
    words.join(", ")
}

fn make_dir(path: &Path) -> Result<(), RegistryError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io_error("create", path))
}

/// A directory that somebody else could have put there is not trusted: what runs in the lab is
/// steered through it. Root may use anybody's.
fn check_owner(path: &Path) -> Result<(), RegistryError> {
    let user = placemat_host::process::effective_uid();
    let owner = fs::metadata(path).map_err(io_error("look at", path))?.uid();
    if user == 0 || owner == user {
        return Ok(());
    }
    let source = io::Error::other(format!("it belongs to user {owner}, not to you"));
    Err(io_error("use", path)(source))
}

fn lock_file(path: &Path) -> Result<File, RegistryError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(io_error("open", path))
}

/// Whether a directory is called as [`Registry::free_id`] would. One without a lock is of a lab that
/// was killed as it made it, or as it removed it.
fn has_name_of_a_lab(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    name.len() == 6 && name.iter().all(hex) && path.is_dir()
}

/// A lab holds its lock from the moment its directory can be seen.
fn is_live(dir: &Path) -> bool {
    File::open(dir.join("lock")).is_ok_and(|lock| lock.try_lock_shared().is_err())
}

/// Whether the lab of a run directory lives.
pub fn lives(run_dir: &Path) -> bool {
    is_live(run_dir)
}

/// Waits until the lab of a run directory is gone: its lock is free, or the directory away. Blocks
/// for as long as `patience` at most; whether it is gone.
pub fn await_end(run_dir: &Path, patience: Duration) -> bool {
    let Ok(lock) = File::open(run_dir.join("lock")) else {
        return true;
    };
    if lock.try_lock_shared().is_ok() {
        return true;
    }
    // The kernel waits for a lock without a bound. The thread ends with the lab, or with us.
    let (free, freed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // Free when the last process of the lab has let go of it.
        let _ = free.send(lock.lock_shared());
    });
    freed.recv_timeout(patience).is_ok()
}

#[cfg(test)]
mod tests;
