//! Limits of memory, processor time and number of processes, by control groups: whichever layout
//! this host has.
//!
//! - v2: a subtree that was delegated to us (`systemd-run --user --scope -p Delegate=yes`). Our own
//!   process moves into a leaf of it first, as only leaves may have processes.
//! - v1 and hybrid: folders below our own in each controller's hierarchy, which takes root.
//!
//! The folders are the only thing of a lab that the kernel does not take away with it. A killed lab
//! leaves them empty; they are written down in its run directory, and [`sweep`] removes them.

mod layout;
mod probe;

pub use probe::{Support, Unsupported, probe};

use layout::Hierarchy;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The most that the processes of a group may use together. What is absent is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes.
    pub memory: Option<u64>,
    /// Thousandths of a core.
    pub cpu_milli: Option<u32>,
    /// Processes and threads.
    pub pids: Option<u32>,
}

/// Microseconds over which processor time is counted.
const PERIOD: u64 = 100_000;

/// The folders of one lab.
#[derive(Debug, Clone)]
pub struct Tree {
    hierarchies: Vec<Hierarchy>,
    /// v2: the leaf that the lab itself is in.
    leaf: Option<PathBuf>,
}

/// The folders of one group of processes. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Group {
    folders: Vec<PathBuf>,
}

impl Tree {
    /// Makes a lab's folders, called `placemat-ID`. Call it before the lab's namespaces are made,
    /// while this process is the only one of its.
    pub fn create(support: &Support, id: &str) -> io::Result<Self> {
        let hierarchies = support
            .hierarchies
            .iter()
            .map(|hierarchy| hierarchy.below(&format!("placemat-{id}")))
            .collect::<Vec<_>>();
        let unified = support.hierarchies.iter().find(|each| each.unified);
        let leaf = unified
            .map(|unified| unified.make_room(&format!("placemat-{id}.self")))
            .transpose()?;
        let tree = Self { hierarchies, leaf };
        for hierarchy in &tree.hierarchies {
            fs::create_dir(&hierarchy.folder).map_err(named("create", &hierarchy.folder))?;
            if hierarchy.unified {
                hierarchy.enable()?;
            }
        }
        Ok(tree)
    }

    /// What is to be swept when the lab is gone, without having had the time to.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        let groups = self.hierarchies.iter().map(|each| each.folder.as_path());
        groups.chain(self.leaf.as_deref())
    }

    /// Makes a group with these limits. `name` is a file name.
    pub fn group(&self, name: &str, limits: Limits) -> io::Result<Group> {
        let mut group = Group {
            folders: Vec::new(),
        };
        for hierarchy in &self.hierarchies {
            let settings = hierarchy.settings(limits);
            if settings.is_empty() {
                continue;
            }
            let folder = hierarchy.folder.join(name);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(named("create", &folder))?,
            }
            group.folders.push(folder.clone());
            for (file, value) in settings {
                let path = folder.join(file);
                fs::write(&path, value).map_err(named("write", &path))?;
            }
        }
        Ok(group)
    }
}

impl Group {
    /// The files through which a process joins.
    pub(crate) fn open(&self) -> io::Result<Vec<File>> {
        self.folders
            .iter()
            .map(|folder| {
                let path = folder.join("cgroup.procs");
                OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .map_err(named("open", &path))
            })
            .collect()
    }

    /// How often the kernel has killed one of its processes because its memory was out.
    pub fn memory_kills(&self) -> u64 {
        self.count(&[
            ("memory.events", "oom_kill"),
            ("memory.oom_control", "oom_kill"),
        ])
    }

    /// How often it was refused a further process.
    pub fn process_refusals(&self) -> u64 {
        self.count(&[("pids.events", "max")])
    }

    fn count(&self, counters: &[(&str, &str)]) -> u64 {
        let of = |folder: &PathBuf| {
            counters.iter().find_map(|(file, key)| {
                let text = fs::read_to_string(folder.join(file)).ok()?;
                layout::counter(&text, key)
            })
        };
        self.folders.iter().filter_map(of).max().unwrap_or_default()
    }
}

/// Moves the calling process into groups. Between fork and exec: nothing but system calls.
pub(crate) fn join(groups: &[File]) -> io::Result<()> {
    for mut group in groups {
        // 0 is whoever writes.
        let _ = group.write(b"0")?;
    }
    Ok(())
}

/// Removes what a killed lab left: folders without processes, and the folders in them. Anything but
/// an empty control group of ours is left alone.
pub fn sweep(folder: &Path) {
    let ours = folder
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"placemat-"));
    if ours && folder.join("cgroup.procs").exists() {
        remove_empty(folder);
    }
}

fn remove_empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    // A group with processes in it cannot be removed, and must not be.
    let _ = fs::remove_dir(folder);
}

fn named<'a>(act: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> io::Error + 'a {
    move |error| io::Error::new(error.kind(), format!("{act} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
