//! Reports: renderings of `events.jsonl`, and of nothing else.
//!
//! ```text
//! events.jsonl --read_events--> [Event] --Timeline--> Run --+--> html      one self-contained file
//!                                                           +--> junit     for CI
//!                                                           +--> terminal  live, then a summary
//! ```
//!
//! [`timeline`] folds events into a [`Run`]; it is the only reader of events. The renderings read
//! the [`Run`], so a killed run, a replayed file and a live one all look the same to them.

use crate::event::{Event, VERSION};
use std::io::BufRead;

mod failure;
mod html;
mod junit;
pub mod terminal;
pub mod timeline;
mod words;

pub use terminal::{Options, Terminal};
pub use timeline::{Run, Timeline};

/// Why an `events.jsonl` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The reader failed.
    #[error("cannot read line {line} of the events")]
    Read {
        /// Line, from 1.
        line: usize,
        /// What the reader said.
        #[source]
        source: std::io::Error,
    },
    /// A line is no event.
    #[error("line {line} of the events is not an event")]
    Parse {
        /// Line, from 1.
        line: usize,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// A line was written by a newer placemat.
    #[error(
        "line {line} of the events has schema version {found}, this placemat reads up to {VERSION}"
    )]
    Version {
        /// Line, from 1.
        line: usize,
        /// Its version.
        found: u32,
    },
}

/// Reads an `events.jsonl`. Empty lines are skipped. A last line without its newline that does not
/// parse is what a killed run leaves behind, and is dropped.
pub fn read_events(mut reader: impl BufRead) -> Result<Vec<Event>, ReadError> {
    let mut events = Vec::new();
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let read = reader.read_until(b'\n', &mut text);
        if read.map_err(|source| ReadError::Read { line, source })? == 0 {
            break;
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice::<Event>(text.trim_ascii_end()) {
            Ok(event) if event.v > VERSION => {
                let found = event.v;
                return Err(ReadError::Version { line, found });
            }
            Ok(event) => events.push(event),
            Err(_) if !text.ends_with(b"\n") => break,
            Err(source) => return Err(newer_or_broken(&text, line, source)),
        }
    }
    Ok(events)
}

/// A newer schema may not even parse: say that rather than what the parser stumbled over.
fn newer_or_broken(text: &[u8], line: usize, source: serde_json::Error) -> ReadError {
    let version = serde_json::from_slice::<serde_json::Value>(text)
        .ok()
        .and_then(|value| value.get("v")?.as_u64())
        .and_then(|v| u32::try_from(v).ok());
    match version {
        Some(found) if found > VERSION => ReadError::Version { line, found },
        _ => ReadError::Parse { line, source },
    }
}

/// The HTML report: one file, no network, readable without scripts.
pub fn render_html(events: &[Event]) -> String {
    html::render(&Timeline::of(events).into_run())
}

/// The JUnit report.
pub fn render_junit(events: &[Event]) -> String {
    junit::render(&Timeline::of(events).into_run())
}
