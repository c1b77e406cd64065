//! The lab's control socket, `control.sock` in its run directory: what `status`, `exec`, `console`,
//! `power` and `down` speak.
//!
//! A client sends one JSON line, with descriptors beside it where the request says so. The lab
//! answers with JSON lines; what follows the first answer depends on the request. Killing a client
//! ends what it asked for and nothing else.

pub mod client;
mod exec;
mod proposal;
pub mod protocol;
mod serial;
mod server;
pub mod v2;

pub use client::{Client, ClientError};
pub use proposal::{Proposal, ProposedSource};
pub use serial::Sockets;
pub use server::{Served, serve};

/// Name of the socket in the run directory.
pub const SOCKET: &str = "control.sock";
