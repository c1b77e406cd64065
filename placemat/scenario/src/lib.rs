//! Scenarios: YAML that breaks a lab and asserts what must hold.

pub mod event;
pub mod port;
pub mod report;
