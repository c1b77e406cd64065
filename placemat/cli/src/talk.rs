//! What the command says: talk on stderr, data on stdout. A reader that went away is no failure of
//! ours: `placemat status | head` ends as it should.

use crate::exit::{self, Code, Failure};
use anyhow::Context;
use std::io::{ErrorKind, Write};

/// Talk goes to stderr: stdout is data.
pub(crate) fn say(text: &str) {
    // A terminal that is gone must not end a lab.
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}

/// Writes a verb's data to stdout.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("write to stdout").code(exit::HOST),
    }
}

/// Writes a verb's data to stdout as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).context("write JSON")?;
    data(&(text + "\n"))
}

/// The word that a value is in JSON: `boot-servers`.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// `1 problem`, `2 problems`.
pub(crate) fn count(number: usize, noun: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { noun } else { plural })
}
