//! Selectors: how scenarios and power feeds name what they mean.
//!
//! `type/name-glob` or `type/key=value+key!=value`: `node/*`, `node/rack=1+role=cs`,
//! `router/role=spine`, `boot-server/*`, `feed/*`, `pdu/*`, `rack/1` (every machine labelled `rack: "1"`),
//! `hub`, or a bare name where that is unique. In names and values `*` stands for any text and `?`
//! for one character. Keys are labels, and the fields `name`, `kind`, `tier`, `type` and `image` of
//! the kinds that have them.

mod index;
mod parse;
mod resolve;

pub(crate) use index::Index;

use crate::document::{At, Item};
use crate::problem::Problem;
use std::fmt;
use std::ops::Range;
use thiserror::Error;

/// The type part of a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// Servers.
    Node,
    /// Routers and network namespaces.
    Router,
    /// Boot servers.
    BootServer,
    /// Networks.
    Network,
    /// Power feeds.
    Feed,
    /// Power distribution units.
    Pdu,
    /// The namespace that holds the bridges.
    Hub,
}

/// One thing in the lab, as `node/rack1-cs1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Its kind.
    pub kind: TargetKind,
    /// Its name; empty for the hub.
    pub name: String,
}

impl TargetKind {
    /// Whether it is a machine: something that runs programs and can lose power.
    pub fn is_machine(self) -> bool {
        matches!(self, Self::Node | Self::Router | Self::BootServer)
    }
}

impl Target {
    /// The thing called `name`.
    pub fn new(kind: TargetKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Router => "router",
            Self::BootServer => "boot-server",
            Self::Network => "network",
            Self::Feed => "feed",
            Self::Pdu => "pdu",
            Self::Hub => "hub",
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == TargetKind::Hub {
            return f.write_str("hub");
        }
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// A parsed selector, not yet matched against a cluster. [`Selector::parse`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// As written.
    pub text: String,
    form: Form,
}

/// What a selector asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// `hub`.
    Hub,
    /// A bare name.
    Bare,
    /// `rack/GLOB`: machines by their label `rack`.
    Rack(String),
    /// `type/GLOB`.
    Named(TargetKind, String),
    /// `type/key=value+...`: all conditions must hold.
    Where(TargetKind, Vec<Condition>),
}

/// `key=GLOB` or `key!=GLOB`. What lacks the key differs from every value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    key: String,
    equal: bool,
    value: String,
}

/// Why a selector cannot be read, or matches nothing. Displays with its hint on one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} ({hint})")]
pub struct SelectorError {
    /// Stable code: `bad-selector`, `no-match`, `ambiguous-name`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The part of the selector that is wrong, in bytes.
    pub range: Range<usize>,
    /// What to write instead, or what exists.
    pub hint: String,
}

impl SelectorError {
    /// The problem with the selector `text` that stands at the place of `at`.
    pub fn problem(&self, at: &At<impl AsRef<str>>) -> Problem {
        let label = match self.code {
            "no-match" => "matches nothing",
            "ambiguous-name" => "ambiguous",
            _ => "bad selector",
        };
        Problem::new(self.code, self.message.clone())
            .at(at.place.part(at.value.as_ref(), self.range.clone()), label)
            .help(self.hint.clone())
    }
}

impl AsRef<str> for Selector {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Selector {
    /// Reads a selector out of a document, reporting what is wrong with it at its place.
    pub fn read(item: &Item<'_>) -> Option<At<Self>> {
        let text = item.string()?;
        match Self::parse(&text) {
            Ok(selector) => Some(At::new(selector, text.place)),
            Err(error) => {
                item.findings().error(error.problem(&text));
                None
            }
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
