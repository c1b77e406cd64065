//! Scenarios: YAML that breaks a lab and asserts what must hold.
//!
//! ```text
//! scenario files --load--> Suite --run--> RunVerdict
//!                                   \--> EventSink --> events.jsonl, live display --report--> HTML, JUnit
//! ```
//!
//! - [`load`] reads files in two phases: [`load::Draft`] names the data center, and resolves into a
//!   [`model::Suite`] once that is a `Cluster`, or into every problem at once, each with its place.
//! - [`runner`] walks scenarios in order on one lab: steady-state gates, deadlines, scopes that undo
//!   what they did on every way out, evidence at the first failure.
//! - [`step`] and [`condition`] hold the kinds, one file and one table row each; [`schema`] prints JSON
//!   Schema from the rows.
//! - `measure` is arithmetic on what probe flows recorded.
//! - [`port::LabPort`] is the one trait through which all of this sees a lab.
//! - [`event`] is the schema of `events.jsonl`, [`sink`] its only writer, [`report`] its renderings.

pub mod condition;
pub mod context;
pub mod deadline;
mod draw;
pub mod event;
#[cfg(test)]
mod fake;
pub mod load;
mod measure;
pub mod model;
pub mod outcome;
pub mod port;
mod pressure;
pub mod report;
pub mod runner;
pub mod schema;
pub mod sink;
pub mod step;
#[cfg(test)]
#[path = "../../spec/tests/valid/mod.rs"]
mod valid;
mod wait;
mod words;
