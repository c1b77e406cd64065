//! What readers ask for, noted as they do.

use crate::problem::Findings;
use crate::{Source, load};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Which keys are asked for, and what their values may be: `Node.interfaces[].mac` is `text that
/// may be bad-mac`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked(BTreeMap<String, BTreeSet<String>>);

impl Asked {
    pub(crate) fn key(&mut self, path: &str) {
        self.0.entry(path.to_owned()).or_default();
    }

    pub(crate) fn fact(&mut self, path: &str, fact: &str) {
        self.0
            .entry(path.to_owned())
            .or_default()
            .insert(fact.to_owned());
    }

    pub(crate) fn forget(&mut self, path: &str) {
        self.0.remove(path);
    }

    /// Keys of this that no reader asked for, though the map around them was read.
    #[must_use]
    pub fn unasked(&self, seen: &Self) -> Self {
        let keys = self.0.iter().filter(|(path, _)| {
            let key = !path.ends_with("[]") && !path.ends_with(".*");
            key && !seen.0.contains_key(*path) && seen.has_map(path)
        });
        Self(
            keys.map(|(path, facts)| (path.clone(), facts.clone()))
                .collect(),
        )
    }

    /// Whether the map that a key is in was asked for.
    fn has_map(&self, path: &str) -> bool {
        let around = path.rsplit_once('.').map_or("", |(around, _)| around);
        !around.contains('.')
            || self
                .0
                .get(around)
                .is_some_and(|facts| facts.contains("map"))
    }

    /// What is in this and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = Self::default();
        for (path, facts) in &self.0 {
            match other.0.get(path) {
                None => {
                    rest.0.insert(path.clone(), facts.clone());
                }
                Some(others) => {
                    for fact in facts.difference(others) {
                        rest.fact(path, fact);
                    }
                }
            }
        }
        rest
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, facts) in &self.0 {
            let facts: Vec<&str> = facts.iter().map(String::as_str).collect();
            writeln!(f, "{path}: {}", facts.join(", or "))?;
        }
        Ok(())
    }
}

pub(super) fn integer(low: u64, high: u64) -> String {
    format!("integer from {low} to {high}")
}

pub(super) fn decimal(low: f64, high: f64) -> String {
    format!("number from {low} to {high}")
}

pub(super) fn choice(words: &[&str]) -> String {
    format!("one of {}", words.join(" "))
}

impl Asked {
    /// Notes that a whole number is asked for.
    pub(crate) fn integer(&mut self, path: &str, low: u64, high: u64) {
        self.fact(path, &integer(low, high));
    }

    /// Notes that a number is asked for.
    pub(crate) fn decimal(&mut self, path: &str, low: f64, high: f64) {
        self.fact(path, &decimal(low, high));
    }

    /// Notes that one of these words is asked for.
    pub(crate) fn choice(&mut self, path: &str, words: &[&str]) {
        self.fact(path, &choice(words));
    }
}

/// What readers ask of these sources, well-formed or not.
pub fn asked(sources: &[Source]) -> Asked {
    asked_by(|findings| {
        load::read_all(sources, findings);
    })
}

/// What a reader asks for that reports to the findings it is given.
pub fn asked_by(read: impl FnOnce(&Findings)) -> Asked {
    let findings = Findings::noting();
    read(&findings);
    findings.into_asked()
}
