//! Scenario files to a checked [`Suite`](crate::model::Suite). In two phases, since the files name
//! the data center that their selectors are checked against:
//!
//! ```text
//! paths --read--> inputs --Draft::parse--> Draft --dc()--> (the caller makes a Cluster of it)
//!                                            \--resolve(&Cluster)--> Suite, or every problem at once
//! ```
//!
//! Variables, loops and library uses are unfolded here, on the typed tree and never on text, so
//! what runs has no names left to look up but outputs of earlier commands.

mod draft;
mod files;
mod library;
mod reader;
mod scalars;
mod steps;
mod substitute;
mod targets;

pub(crate) use draft::DOCUMENTS;
pub use draft::Draft;
pub use files::{Input, ReadError, read};
pub use reader::{Fields, Reader, Value};
pub(crate) use steps::{GATE_KEYS, STEP_KEYS};
pub(crate) use targets::{
    BOOT_SERVERS, Destination, Destinations, EXEC, FLOWS, NODES, POWERED, ROUTING, Targets, source,
};

/// One kind of step or condition: what tables, documentation and parsing are made from.
pub struct Row<P> {
    /// Its name in files.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Its keys. A single one without a name stands for a value that is not a map.
    pub keys: &'static [Key],
    pub(crate) parse: P,
}

/// One key of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As written; empty where the value itself is meant.
    pub name: &'static str,
    /// What it takes: `SELECTOR`, `DURATION`, words to choose from.
    pub form: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Whether it must be there.
    pub required: bool,
}

impl Key {
    pub(crate) const fn required(
        name: &'static str,
        form: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            form,
            doc,
            required: true,
        }
    }

    pub(crate) const fn optional(
        name: &'static str,
        form: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            form,
            doc,
            required: false,
        }
    }

    /// The value itself.
    pub(crate) const fn item(form: &'static str, doc: &'static str) -> Self {
        Self {
            name: "",
            form,
            doc,
            required: true,
        }
    }
}

/// The language in short, as text: every step and condition with its keys.
pub fn reference() -> String {
    let mut text = String::from("Steps\n");
    for row in crate::step::STEPS {
        describe(&mut text, row);
    }
    text.push_str("\nConditions\n");
    for row in crate::condition::CONDITIONS {
        describe(&mut text, row);
    }
    text
}

fn describe<P>(text: &mut String, row: &Row<P>) {
    use std::fmt::Write;
    let _ = writeln!(text, "  {}: {}", row.name, row.doc);
    for key in row.keys {
        let mark = if key.required { " (required)" } else { "" };
        let colon = if key.name.is_empty() { "" } else { ": " };
        let _ = writeln!(
            text,
            "      {}{colon}{}{mark}  {}",
            key.name, key.form, key.doc
        );
    }
}

#[cfg(test)]
mod tests;
