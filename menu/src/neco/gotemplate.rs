//! Go's text templates, as far as cloud-init seeds use them: fields, variables, `if`, `range`,
//! `with`, pipelines, comparisons, `printf`, `index`, `len`, trim markers and comments. What is
//! not understood is refused with its place, never passed over.
//!
//! ```text
//! text --lex--> pieces --parse--> nodes --eval(data)--> text
//! ```

mod eval;
mod function;
mod lex;
mod parse;
mod printf;
mod value;

pub(super) use value::Value;

use std::ops::Range;

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Error {
    /// Bytes of the template.
    pub(super) range: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
    /// A few words under the caret.
    pub(super) label: String,
    /// What to do about it.
    pub(super) help: Option<String>,
}

impl Error {
    fn new(range: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            range,
            message: message.into(),
            label: label.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A parsed template.
#[derive(Debug)]
pub(super) struct Template(Vec<parse::Node>);

impl Template {
    /// Parses a template; its first error, if it has one.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        parse::parse(text, &lex::lex(text)?).map(Self)
    }

    /// What it says of `data`.
    pub(super) fn render(&self, data: &Value) -> Result<String, Error> {
        eval::render(&self.0, data)
    }
}

#[cfg(test)]
mod tests;
