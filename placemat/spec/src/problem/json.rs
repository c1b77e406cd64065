//! Problems as data, for editors and other programs.

use super::{Place, Problem, Problems, Severity, Source};
use serde::Serialize;
use std::fmt;

/// A problem as JSON has it: flat where editors look, and every place with its words.
#[derive(Debug, Clone, Serialize)]
pub struct ProblemJson {
    /// Error or warning.
    pub severity: Severity,
    /// Its code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Its main place.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub at: Option<Spot>,
    /// Every place, the main one first, each with the words that stand under its caret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A place in a file.
#[derive(Debug, Clone, Serialize)]
pub struct Spot {
    /// The file, as it was given.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
}

impl Spot {
    /// A place in one of these sources.
    pub fn of(place: Place, sources: &[Source]) -> Self {
        let source = sources.get(place.source);
        Self {
            file: source.map_or_else(String::new, |source| source.name.clone()),
            line: place.line,
            column: place.column,
        }
    }
}

/// `dc.yml:16:9`.
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A place and what is said of it.
#[derive(Debug, Clone, Serialize)]
pub struct Label {
    /// Where.
    #[serde(flatten)]
    pub at: Spot,
    /// A few words.
    pub text: String,
}

impl ProblemJson {
    fn of(problem: &Problem, sources: &[Source], severity: Severity) -> Self {
        let spot = |place: &Place| Spot::of(*place, sources);
        let labels = problem.labels.iter();
        Self {
            severity,
            code: problem.code.to_owned(),
            message: problem.message.clone(),
            at: problem.labels.first().map(|(place, _)| spot(place)),
            labels: labels
                .map(|(place, text)| Label {
                    at: spot(place),
                    text: text.clone(),
                })
                .collect(),
            help: problem.help.clone(),
        }
    }
}

impl Problems {
    /// All of them as `severity`, in order of place.
    pub fn to_json(&self, severity: Severity) -> Vec<ProblemJson> {
        let all = self.list.iter();
        all.map(|problem| ProblemJson::of(problem, &self.sources, severity))
            .collect()
    }
}
