//! What a change of the menu changes: first by meaning (machines, links, addresses, sessions, DHCP,
//! power), then line by line in the files.

mod facts;

use crate::render::File;
use crate::verify::site;
use indexmap::IndexMap;
use similar::TextDiff;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What differs between two outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// By meaning; empty where the two mean the same.
    pub meaning: Vec<Section>,
    /// Why the older output cannot be compared by meaning.
    pub unreadable: Option<String>,
    /// File by file, as `diff -u` writes it; empty where the files are the same.
    pub text: String,
}

/// What differs in one respect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// `machines`, `links`, ...
    pub name: &'static str,
    /// One line each.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added(String),
    /// It is gone.
    Removed(String),
    /// It is another: what it is about, what was, what is.
    Changed(String, String, String),
}

/// Things of one kind by key, each with what is said of it.
type Facts = IndexMap<String, String>;

impl Difference {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for section in &self.meaning {
            let count = |wanted: fn(&Change) -> bool| {
                section.changes.iter().filter(|it| wanted(it)).count()
            };
            let counts = [
                (count(|it| matches!(it, Change::Added(_))), "added"),
                (count(|it| matches!(it, Change::Removed(_))), "removed"),
                (count(|it| matches!(it, Change::Changed(..))), "changed"),
            ];
            let counts = counts.iter().filter(|(count, _)| *count > 0);
            let counts: Vec<_> = counts
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            writeln!(f, "{}: {}", section.name, counts.join(", "))?;
            for change in &section.changes {
                match change {
                    Change::Added(what) => writeln!(f, "  + {what}")?,
                    Change::Removed(what) => writeln!(f, "  - {what}")?,
                    Change::Changed(what, old, new) => writeln!(f, "  ~ {what}: {old} -> {new}")?,
                }
            }
        }
        if !self.meaning.is_empty() && !self.text.is_empty() {
            writeln!(f)?;
        }
        f.write_str(&self.text)
    }
}

/// What differs between an older output and a newer one.
pub fn diff(old: &[File], new: &[File]) -> Difference {
    let (before, after) = (site::read(old), site::read(new));
    let unreadable = before.as_ref().err().map(|problems| {
        let first = problems
            .list
            .first()
            .map(|problem| problem.message.as_str());
        first.unwrap_or("it is empty").to_owned()
    });
    let meaning = match (&before, &after) {
        (Ok((before, _)), Ok((after, _))) => meaning(before, after),
        _ => Vec::new(),
    };
    Difference {
        meaning,
        unreadable,
        text: text(old, new),
    }
}

fn meaning(before: &site::Site, after: &site::Site) -> Vec<Section> {
    let (before, after) = (facts::of(before), facts::of(after));
    let sections = before
        .into_iter()
        .zip(after)
        .map(|((name, old), (_, new))| Section {
            name,
            changes: changes(&old, &new),
        });
    sections
        .filter(|section| !section.changes.is_empty())
        .collect()
}

/// Removed ones in their old order, then the rest in the new one.
fn changes(old: &Facts, new: &Facts) -> Vec<Change> {
    let line = |key: &str, said: &str| match said {
        "" => key.to_owned(),
        said => format!("{key}: {said}"),
    };
    let gone = old.iter().filter(|(key, _)| !new.contains_key(*key));
    let gone = gone.map(|(key, said)| Change::Removed(line(key, said)));
    let rest = new.iter().filter_map(|(key, said)| match old.get(key) {
        None => Some(Change::Added(line(key, said))),
        Some(was) if was == said => None,
        Some(was) => Some(Change::Changed(key.clone(), was.clone(), said.clone())),
    });
    gone.chain(rest).collect()
}

fn text(old: &[File], new: &[File]) -> String {
    let index = |files: &[File]| -> IndexMap<PathBuf, String> {
        files
            .iter()
            .map(|it| (it.path.clone(), it.contents.clone()))
            .collect()
    };
    let (old, new) = (index(old), index(new));
    let paths: BTreeSet<&PathBuf> = old.keys().chain(new.keys()).collect();
    let mut text = String::new();
    for path in paths {
        let (was, is) = (old.get(path), new.get(path));
        if was == is {
            continue;
        }
        let name = |side: &str, there: bool| {
            if there {
                format!("{side}/{}", path.display())
            } else {
                "/dev/null".to_owned()
            }
        };
        let (was_there, is_there) = (was.is_some(), is.is_some());
        let (was, is) = (
            was.map_or("", String::as_str),
            is.map_or("", String::as_str),
        );
        let lines = TextDiff::from_lines(was, is);
        let mut hunks = lines.unified_diff();
        let hunks = hunks.header(&name("a", was_there), &name("b", is_there));
        // Writing to a string never fails.
        let _ = write!(text, "{hunks}");
    }
    text
}
