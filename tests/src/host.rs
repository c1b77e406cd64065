//! The host as it is: links, namespaces, mounts, routes, rules and sysctls, to be compared.

use crate::run;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A picture of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostState {
    lines: BTreeSet<String>,
}

/// What changes by itself, or by looking.
const RESTLESS: &[&str] = &[
    "fs/dentry-state",
    "fs/file-nr",
    "fs/inode-nr",
    "fs/inode-state",
    "fs/aio-nr",
    "fs/quota",
    "kernel/ns_last_pid",
    "kernel/perf_",
    "kernel/pty/nr",
    "kernel/random",
    "net/netfilter/nf_conntrack_count",
];

impl HostState {
    /// The host as it is now.
    pub fn now() -> Self {
        let mut lines = BTreeSet::new();
        for (what, program, arguments) in [
            ("link", "ip", &["-o", "link"][..]),
            ("address", "ip", &["-o", "address"]),
            ("route", "ip", &["route", "show", "table", "all"]),
            ("route", "ip", &["-6", "route", "show", "table", "all"]),
            ("rule", "ip", &["rule"]),
            ("rule", "ip", &["-6", "rule"]),
            ("nft", "nft", &["list", "ruleset"]),
        ] {
            lines.extend(said(program, arguments).map(|line| format!("{what}: {line}")));
        }
        for dir in ["/run/netns", "/var/run/netns"] {
            let names = fs::read_dir(dir).into_iter().flatten().flatten();
            lines.extend(names.map(|entry| format!("netns: {}", entry.path().display())));
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        lines.extend(mounts.lines().map(|line| {
            // Ids differ for nothing; place, options and device are what counts.
            let fields: Vec<&str> = line.split_whitespace().skip(3).collect();
            format!("mount: {}", fields.join(" "))
        }));
        for tree in ["net", "kernel", "fs", "vm", "user"] {
            sysctls(
                Path::new("/proc/sys"),
                &Path::new("/proc/sys").join(tree),
                &mut lines,
            );
        }
        Self { lines }
    }

    /// What differs in `later`, one line each.
    pub fn changes(&self, later: &Self) -> Vec<String> {
        let gone = self.lines.difference(&later.lines);
        let new = later.lines.difference(&self.lines);
        gone.map(|line| format!("- {line}"))
            .chain(new.map(|line| format!("+ {line}")))
            .collect()
    }
}

fn said(program: &str, arguments: &[&str]) -> impl Iterator<Item = String> {
    let mut command = run::command(program);
    command.args(arguments);
    // A program that is not there would make the comparison see nothing.
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("run {program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            // Life times count down.
            let words = line.split_whitespace();
            words
                .filter(|word| !word.ends_with("sec"))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    lines.into_iter()
}

fn sysctls(base: &Path, dir: &Path, lines: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path
            .strip_prefix(base)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        if RESTLESS.iter().any(|restless| name.starts_with(restless)) {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            sysctls(base, &path, lines);
        } else {
            let value = fs::read_to_string(&path).unwrap_or_else(|_| "?".into());
            lines.insert(format!("sysctl: {name} = {}", value.trim()));
        }
    }
}

/// Waits until the host is as it was.
///
/// # Panics
///
/// When it is not, with what differs.
pub fn assert_unchanged(before: &HostState) {
    let same = crate::poll(Duration::from_secs(10), || {
        (*before == HostState::now()).then_some(())
    });
    if same.is_none() {
        let changes = before.changes(&HostState::now());
        assert!(
            changes.is_empty(),
            "the host changed:\n{}",
            changes.join("\n")
        );
    }
}
