//! Probe endpoints: sockets in the lab's namespaces. What the samples mean is `scenario::measure`'s.

pub mod flow;
pub mod route;

pub use flow::{Flow, FlowRecord, Flows};
pub use route::RouteChanges;
