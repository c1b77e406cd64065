//! How control groups are laid out on this host, read from `/proc/self`.

use super::{Limits, PERIOD, named};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One hierarchy of control groups, at a folder of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hierarchy {
    pub(super) folder: PathBuf,
    /// Which of `memory`, `cpu`, `pids` are used of it.
    pub(super) controllers: Vec<&'static str>,
    /// It is v2's.
    pub(super) unified: bool,
}

/// Controllers that limits are made of.
pub(super) const WANTED: [&str; 3] = ["memory", "cpu", "pids"];

impl Hierarchy {
    pub(super) fn below(&self, name: &str) -> Self {
        Self {
            folder: self.folder.join(name),
            ..self.clone()
        }
    }

    /// Files and what is written to them, in order.
    pub(super) fn settings(&self, limits: Limits) -> Vec<(&'static str, String)> {
        let mut settings = Vec::new();
        let has = |controller: &str| self.controllers.contains(&controller);
        if let Some(bytes) = limits.memory.filter(|_| has("memory")) {
            let file = if self.unified {
                "memory.max"
            } else {
                "memory.limit_in_bytes"
            };
            settings.push((file, bytes.to_string()));
        }
        if let Some(milli) = limits.cpu_milli.filter(|_| has("cpu")) {
            let quota = u64::from(milli) * PERIOD / 1000;
            if self.unified {
                settings.push(("cpu.max", format!("{quota} {PERIOD}")));
            } else {
                settings.push(("cpu.cfs_period_us", PERIOD.to_string()));
                settings.push(("cpu.cfs_quota_us", quota.to_string()));
            }
        }
        if let Some(pids) = limits.pids.filter(|_| has("pids")) {
            settings.push(("pids.max", pids.to_string()));
        }
        settings
    }

    /// Lets the folders below have the controllers.
    pub(super) fn enable(&self) -> io::Result<()> {
        let path = self.folder.join("cgroup.subtree_control");
        let words: Vec<String> = self.controllers.iter().map(|it| format!("+{it}")).collect();
        fs::write(&path, words.join(" ")).map_err(named("write", &path))
    }

    /// v2: moves this process into a leaf and enables the controllers for its siblings.
    pub(super) fn make_room(&self, leaf: &str) -> io::Result<PathBuf> {
        let leaf = self.folder.join(leaf);
        fs::create_dir_all(&leaf).map_err(named("create", &leaf))?;
        let path = leaf.join("cgroup.procs");
        fs::write(&path, "0").map_err(named("write", &path))?;
        self.enable()?;
        Ok(leaf)
    }
}

/// Every hierarchy with a controller that limits are made of, at the folder of this process.
pub(super) fn hierarchies(mountinfo: &str, own: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for mount in mountinfo.lines().filter_map(mount) {
        let unified = mount.kind == "cgroup2";
        let controllers: Vec<&'static str> = WANTED
            .into_iter()
            .filter(|wanted| unified || mount.options.split(',').any(|option| option == *wanted))
            .filter(|wanted| !found.iter().any(|one| one.controllers.contains(wanted)))
            .collect();
        if controllers.is_empty() {
            continue;
        }
        let is_ours = |names: &str| {
            if unified {
                names.is_empty()
            } else {
                names.split(',').any(|name| controllers.contains(&name))
            }
        };
        let path = own.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (names, path) = rest.split_once(':')?;
            is_ours(names).then_some(path)
        });
        // In a container the mount shows a part of the hierarchy only.
        let Some(path) = path.and_then(|path| Path::new(path).strip_prefix(mount.root).ok()) else {
            continue;
        };
        let hierarchy = Hierarchy {
            folder: Path::new(mount.point).join(path),
            controllers,
            unified,
        };
        if unified {
            // What v1 has, v2 does not have.
            found.push(hierarchy);
        } else {
            found.insert(0, hierarchy);
        }
    }
    found
}

struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

/// A line of mountinfo (proc(5)): ID PARENT DEV ROOT POINT OPTIONS [FIELD]... - TYPE SOURCE SUPER.
fn mount(line: &str) -> Option<Mount<'_>> {
    let (left, right) = line.split_once(" - ")?;
    let left: Vec<&str> = left.split(' ').collect();
    let right: Vec<&str> = right.split(' ').collect();
    let kind = *right.first()?;
    (kind == "cgroup" || kind == "cgroup2").then_some(Mount {
        root: left.get(3)?,
        point: left.get(4)?,
        kind,
        options: right.get(2)?,
    })
}

/// A counter of a flat keyed file: lines of `KEY VALUE`.
pub(super) fn counter(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == key).then(|| value.trim().parse().ok()).flatten()
    })
}
