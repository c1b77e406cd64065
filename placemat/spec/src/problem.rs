//! What is wrong with an input, and where: every problem carries its place, what was expected, and
//! a hint, and all problems of all files are reported at once.

use std::path::PathBuf;
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

/// A stretch of an input text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Index into the sources that were given to the loader.
    pub source: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// Byte offset in the source.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
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

/// All problems of an input, with the texts they point into. Displays as carets under source lines.
#[derive(Debug, Clone)]
pub struct Problems {
    /// The texts.
    pub sources: Vec<Source>,
    /// What is wrong with them, in order of place.
    pub list: Vec<Problem>,
}
