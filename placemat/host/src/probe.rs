//! What this host can do: which accelerator really works, where the firmware is, which programs
//! are there and which package brings those that are not.

pub mod accel;
pub mod firmware;
pub mod limit;
pub mod mtu;
pub mod outside;
pub mod program;
pub mod vhost;
