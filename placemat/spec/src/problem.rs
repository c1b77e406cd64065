//! What is wrong with an input, and where: every problem carries its place, what was expected, and
//! a hint, and all problems of all files are reported at once.
//!
//! ```text
//! error[unknown-key]: unknown key `adresses` in `interfaces[0]` of Router `spine-1`
//!   --> cluster.yml:6:5
//!    |
//!  6 |     adresses: [10.72.1.1/31]
//!    |     ^^^^^^^^ not a key of `interfaces[0]`
//!    |
//!    = help: did you mean `addresses`? Keys are: `network`, `addresses`, `name`, `mac`
//! ```

mod clip;
mod findings;
mod json;
mod nearest;
mod place;
mod render;

pub use findings::Findings;
pub use json::{ProblemJson, Spot};
pub use nearest::{nearest, suggestion};
pub use place::Place;

use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One input text. `dir` is what relative paths in it resolve against.
#[derive(Debug, Clone)]
pub struct Source {
    /// How messages call it: the path as the user gave it.
    pub name: String,
    /// Folder that relative paths resolve against.
    pub dir: PathBuf,
    /// The whole text.
    pub text: Arc<str>,
}

impl Source {
    /// The text of the file at `path`; relative paths in it resolve against its folder.
    pub fn file(path: &Path, text: impl Into<Arc<str>>) -> Self {
        Self {
            name: path.display().to_string(),
            dir: path.parent().unwrap_or(Path::new("")).to_path_buf(),
            text: text.into(),
        }
    }

    /// A text that is no file; relative paths in it stay as they are.
    pub fn inline(name: &str, text: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.to_owned(),
            dir: PathBuf::new(),
            text: text.into(),
        }
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The input cannot be used.
    Error,
    /// The input can be used, but probably does not say what was meant.
    Warning,
}

/// One problem with the input.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Stable code, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong, naming the object.
    pub message: String,
    /// Where, each with a few words under its caret. The first is the main one.
    pub labels: Vec<(Place, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without a place yet.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Adds a place; the first one added is the main one.
    #[must_use]
    pub fn at(mut self, place: Place, label: impl Into<String>) -> Self {
        self.labels.push((place, label.into()));
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Its main place.
    pub fn place(&self) -> Option<Place> {
        self.labels.first().map(|(place, _)| *place)
    }
}

/// All problems of an input, with the texts they point into. Displays as carets under source lines.
#[derive(Debug, Clone)]
pub struct Problems {
    /// The texts.
    pub sources: Vec<Source>,
    /// What is wrong with them, in order of place.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Puts problems into the order of their places; those without a place come first.
    pub fn new(sources: Vec<Source>, mut list: Vec<Problem>) -> Self {
        list.iter_mut().for_each(clip::clip);
        list.sort_by_key(|problem| problem.place().map(|place| (place.source, place.offset)));
        Self { sources, list }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All problems as errors, with source lines and carets; with ANSI colours if asked.
    pub fn render(&self, color: bool) -> String {
        self.render_as(Severity::Error, color)
    }

    /// All problems as `severity`, with source lines and carets; with ANSI colours if asked.
    pub fn render_as(&self, severity: Severity, color: bool) -> String {
        render::render(&self.sources, &self.list, severity, color)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}
