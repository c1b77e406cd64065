//! What passes between the lab and a container's init: one JSON object a packet, descriptors beside.

use nix::cmsg_space;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

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
    let raw: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control: &[ControlMessage<'_>] = if raw.is_empty() { &[] } else { &rights };
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(&bytes)],
        control,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?;
    Ok(())
}

/// `None` at end of file.
pub(super) fn receive<T: DeserializeOwned>(
    socket: &OwnedFd,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; LONGEST];
    let mut space = cmsg_space!([RawFd; 3]);
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut slices,
        Some(&mut space),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    let length = message.bytes;
    let mut fds = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = control {
            // SAFETY: the kernel has just made these descriptors for us, and nobody else knows them.
            fds.extend(
                raw.into_iter()
                    .map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }),
            );
        }
    }
    if length == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&bytes[..length])?, fds)))
}
