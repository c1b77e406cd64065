//! Text to [`Cluster`]: reads the YAML of a data center, checks all of it, and reports every
//! problem with its place, before anything is started.
//!
//! ```text
//! Source(s) --document--> raw documents with spans --resource/<kind>--> Cluster (checked, immutable)
//! ```
//!
//! No I/O here: callers hand in text and ask [`Cluster::files`] which files must exist.

pub mod cluster;
pub mod document;
pub mod event;
pub mod problem;
pub mod resource;
pub mod selector;
pub mod value;

pub use cluster::Cluster;
pub use problem::{Place, Problem, Problems, Source};
