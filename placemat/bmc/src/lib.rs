//! Virtual BMC.
pub mod boot;
pub mod chassis;
pub mod fault;
pub mod hardware;
pub mod identity;
pub mod rmcp;
pub mod user;
mod bmc;
pub use bmc::*;
