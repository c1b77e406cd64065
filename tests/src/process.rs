//! The processes of a lab, seen from the host: who descends from whom, and in which namespaces.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// One process for ever: a process id that comes again has another start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Process id in the host's namespace.
    pub pid: i32,
    /// When it started, in clock ticks since the host booted.
    pub start: u64,
}

/// One line of the process table.
#[derive(Debug, Clone)]
struct Row {
    parent: i32,
    start: u64,
    zombie: bool,
    name: String,
}

/// Everything seen of a lab so far.
#[derive(Debug, Clone, Default)]
pub struct Track {
    processes: BTreeSet<Process>,
    namespaces: BTreeSet<String>,
    struck: Option<u64>,
}

/// Kinds of namespaces that a lab makes. The user's is shared with nobody when there is one.
const KINDS: [&str; 6] = ["mnt", "pid", "net", "uts", "ipc", "user"];

impl Track {
    /// Notes the descendants of a process, itself included, and their namespaces but the host's.
    pub fn observe(&mut self, root: i32) {
        let own = namespaces_of("self");
        for process in descendants(root) {
            self.processes.insert(process);
            let theirs = namespaces_of(&process.pid.to_string());
            self.namespaces.extend(theirs.difference(&own).cloned());
        }
    }

    /// Notes that the lab is killed now. The kernel gives numbers of namespaces that are gone to
    /// new ones: from now on, who begins in one of ours is somebody else.
    pub fn strike(&mut self) {
        let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
        // `12.34 56.78`: seconds, with hundredths, which are the ticks of start times.
        let ticks = uptime
            .split_whitespace()
            .next()
            .map(|text| text.replace('.', ""));
        self.struck = ticks.and_then(|ticks| ticks.parse().ok());
    }

    /// What is left of it, in words: processes seen before, others in its namespaces, and those
    /// that carry `mark` (a path) in their environment.
    pub fn left(&self, mark: &Path) -> Vec<String> {
        let table = table();
        let mut left = BTreeSet::new();
        for (pid, row) in &table {
            let process = Process {
                pid: *pid,
                start: row.start,
            };
            // A zombie is dead, and whoever has become its parent reaps it when it likes.
            let why = if row.zombie {
                // Dead; whoever has become its parent reaps it when it likes.
                continue;
            } else if self.processes.contains(&process) {
                "seen before"
            } else if self.struck.is_none_or(|tick| row.start <= tick)
                && !namespaces_of(&pid.to_string()).is_disjoint(&self.namespaces)
            {
                "in a namespace of the lab"
            } else if carries(*pid, mark) {
                "has its run directory in the environment"
            } else {
                continue;
            };
            left.insert(format!("process {pid} ({}), {why}", row.name));
        }
        left.into_iter().collect()
    }
}

/// Children of a process.
pub fn children(parent: i32) -> Vec<i32> {
    let table = table();
    let of = table.iter().filter(|(_, row)| row.parent == parent);
    of.map(|(pid, _)| *pid).collect()
}

/// A process and all that descend from it.
pub fn descendants(root: i32) -> Vec<Process> {
    let table = table();
    let mut found: Vec<Process> = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        let Some(row) = table.get(&pid) else { continue };
        found.push(Process {
            pid,
            start: row.start,
        });
        next.extend(
            table
                .iter()
                .filter(|(_, row)| row.parent == pid)
                .map(|(pid, _)| *pid),
        );
    }
    found
}

/// Whether it still is there, also as a zombie.
pub fn is_there(process: Process) -> bool {
    row(process.pid).is_some_and(|row| row.start == process.start)
}

/// The process with this id as it is now.
pub fn find(pid: i32) -> Option<Process> {
    row(pid).map(|row| Process {
        pid,
        start: row.start,
    })
}

/// Descendants of `root` whose command's name is `name`.
pub fn named(root: i32, name: &str) -> Vec<i32> {
    let all = descendants(root).into_iter().map(|process| process.pid);
    all.filter(|pid| row(*pid).is_some_and(|row| row.name == name))
        .collect()
}

/// Processes with a path in their environment.
pub fn carrying(mark: &Path) -> Vec<i32> {
    table()
        .into_keys()
        .filter(|pid| carries(*pid, mark))
        .collect()
}

fn carries(pid: i32, mark: &Path) -> bool {
    let mark = mark.as_os_str().as_bytes();
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|text| text.windows(mark.len()).any(|window| window == mark))
}

fn namespaces_of(pid: &str) -> BTreeSet<String> {
    let links = KINDS.iter().filter_map(|kind| {
        let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?;
        Some(link.to_string_lossy().into_owned())
    });
    links.collect()
}

fn table() -> HashMap<i32, Row> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((pid, row(pid)?))).collect()
}

fn row(pid: i32) -> Option<Row> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold any character.
    let (head, tail) = text.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split_whitespace().collect();
    Some(Row {
        parent: fields.get(1)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        name,
    })
}
