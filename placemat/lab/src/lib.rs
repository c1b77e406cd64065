//! Makes a checked cluster live and takes it down.
//!
//! ```text
//! Cluster --image--> disk images, ready for use (before the sandbox)
//! Cluster --plan--> Plan --wiring--> links --unit, machine, boot--> Lab (live handles, events)
//! ```

pub mod attach;
pub mod birdc;
pub mod blueprint;
pub mod boot;
pub mod change;
pub mod control;
pub mod error;
pub mod event;
pub mod fault;
pub mod forward;
pub mod image;
pub mod lab;
pub mod limits;
pub mod log;
pub mod machine;
pub mod oci;
pub mod outside;
pub mod plan;
pub mod preflight;
pub mod probe;
pub mod registry;
pub mod server;
pub mod space;
pub mod ssh;
pub mod unit;
pub mod wiring;
