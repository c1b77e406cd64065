//! Text to [`Cluster`]: reads the YAML of a data center, checks all of it, and reports every
//! problem with its place, before anything is started.
//!
//! ```text
//! Source(s) --document--> trees with places --resource/<kind>/read--> draft --check--> Cluster
//! ```
//!
//! - [`Cluster::load`] is the way in. It gives a cluster and warnings, or all errors at once.
//! - [`document`] reads YAML with places; the scenario and menu crates read through it too.
//! - [`Problems`] render as rustc's messages do: code, place, source lines with carets, help.
//! - [`Cluster::to_yaml`] prints one, defaults and all; what it prints reads as the same again.
//! - [`explain`] says where every value comes from.
//! - [`selector`] says how scenarios and power feeds name what they mean.
//! - [`schema`] has what every kind may say: JSON Schema and the reference are printed from it.
//! - A new kind of resource is a module in `resource` and a row in `load`; what must hold between
//!   resources is a file in `check`, working on the ledger of `draft`.
//!
//! No I/O here: callers hand in text and ask [`Cluster::files`] which files must exist.

mod check;
pub mod cluster;
pub mod document;
mod draft;
pub mod event;
pub mod explain;
pub mod graph;
mod load;
pub mod power;
mod print;
pub mod problem;
pub mod resource;
pub mod schema;
pub mod selector;
pub mod session;
pub mod supply;
pub mod value;

pub use cluster::Cluster;
pub use problem::{Place, Problem, Problems, Severity, Source};
