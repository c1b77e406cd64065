//! What passes between the lab and a container's init: one JSON object a packet, descriptors beside.

use crate::descriptor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::OwnedFd;

/// Longest packet in bytes; argument lists are far below.
const LONGEST: usize = 128 * 1024;

/// To init.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Start a program; three descriptors come with it.
    Spawn {
        id: u64,
        argv: Vec<String>,
        env: Vec<(String, String)>,
        terminal: bool,
    },
    /// Signal a program's process group.
    Signal { id: u64, signal: i32 },
}

/// From init.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The container is set up.
    Ready,
    /// It could not be set up.
    Broken { reason: String },
    /// The program was executed.
    Started { id: u64 },
    /// It was not.
    Refused { id: u64, reason: String },
    /// It has ended.
    Ended { id: u64, exit: i32 },
}

pub(super) fn send(socket: &OwnedFd, message: &impl Serialize, fds: &[OwnedFd]) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "arguments are too long",
        ));
    }
    descriptor::send(socket, &bytes, fds).map(|_| ())
}

/// `None` at end of file.
pub(super) fn receive<T: DeserializeOwned>(
    socket: &OwnedFd,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; LONGEST];
    let (length, fds) = descriptor::receive(socket, &mut bytes)?;
    if length == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&bytes[..length])?, fds)))
}
