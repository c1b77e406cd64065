//! YAML documents with places: text -> [`Tree`]s, and the readers that take typed values out of
//! them. Cluster files, rack specs and scenarios are all read through here, so they all report the
//! same way: every problem of every document at once, each with line, column and a hint.
//!
//! Reading goes in two steps, because a deserializer stops at its first error. [`load`] parses text
//! into [`Document`]s, each a tree of maps, lists and scalars that keep their text and place. Then
//! [`Fields`] takes keys out of a map and [`Item`] turns each into a typed value; what does not fit
//! is reported to [`Findings`] and reads as `None`, and reading goes on.
//!
//! ```
//! use placemat_spec::{Source, document};
//! use placemat_spec::problem::Findings;
//!
//! let sources = [Source::inline("rack.yml", "
//! name: small
//! kind: Rack
//! timeout: 1m30s
//! servers:
//!   - {name: cs1, memory: 512M}
//!   - {name: cs2, memroy: 1G}
//! ")];
//! let findings = Findings::new();
//! for document in document::load(&sources, &findings) {
//!     let Some(mut fields) = document.fields(&findings) else { continue };
//!     let Some("Rack") = fields.kind(&["Rack", "Menu"]) else { continue };
//!     let name = fields.name();                                   // required; messages then say: Rack `small`
//!     let timeout = fields.opt("timeout").and_then(|it| it.duration());
//!     assert_eq!(timeout.unwrap().value.as_secs(), 90);
//!     for server in fields.req("servers").and_then(|it| it.list()).unwrap_or_default() {
//!         let Some(mut server) = server.fields() else { continue };
//!         let name = server.req("name").and_then(|it| it.string());
//!         let memory = server.opt("memory").and_then(|it| it.size());
//!         server.finish();                                        // reports the keys that nobody asked for
//!     }
//!     fields.finish();
//! }
//! let problems = findings.finish(&sources).unwrap_err();
//! assert!(problems.to_string().contains("rack.yml:7:17"));
//! assert!(problems.to_string().contains("did you mean `memory`?"));
//! ```
//!
//! YAML 1.2's core schema: `true` and `false` are the booleans; `on`, `yes` and `no` are strings.
//! A plain scalar keeps its text, so `1.10` is a fine string. Merge keys (`<<`) work. Duplicate
//! keys, unknown tags, unknown aliases, alias bombs and deep nesting are errors.

mod dialect;
mod fields;
mod item;
mod parse;
mod tree;

pub use dialect::Dialect;
pub use fields::Fields;
pub use item::Item;
pub use tree::{At, Entry, Map, Scalar, Tree, Value};

use crate::Source;
use crate::problem::{Findings, Problem};

/// Largest text that is read, in bytes. A thousand racks of 28 servers take a sixth of it.
pub const LARGEST: usize = 64 << 20;

/// One document of a source.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its content.
    pub root: Tree,
}

/// All documents of all sources, in order. Empty ones are left out; a document that is not YAML is
/// reported, and reading goes on at the next `---`.
pub fn load(sources: &[Source], findings: &Findings) -> Vec<Document> {
    let mut documents = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        if source.text.len() > LARGEST {
            findings.error(
                Problem::new(
                    "too-large",
                    format!("{} is larger than {} MiB", source.name, LARGEST >> 20),
                )
                .help("give the data center in several files"),
            );
            continue;
        }
        parse::parse(index, &source.text, findings, &mut documents);
    }
    documents
}

impl Document {
    /// The keys of its top level, which must be a map.
    pub fn fields<'a>(&'a self, findings: &'a Findings) -> Option<Fields<'a>> {
        if let Value::Map(map) = &self.root.value {
            return Some(Fields::document(map, self.root.place, findings));
        }
        findings.error(
            Problem::new(
                "wrong-type",
                format!("a document must be a map of keys, not {}", self.root.kind()),
            )
            .at(self.root.place, "expected `kind: ...`")
            .help("each document describes one thing: `kind: ...`, `name: ...`, and so on"),
        );
        None
    }
}
