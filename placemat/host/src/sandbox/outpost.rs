//! The lab's outpost: a process of the lab (it dies with its PID 1) that was born before the lab got
//! a network of its own, and so stays in the host's. It runs one program there at a time, as it is
//! told: the helper that connects the lab with the outside.

use super::{SandboxError, system};
use crate::descriptor;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::{ForkResult, fork};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::io::unix::AsyncFd;

/// Longest message in bytes; command lines are far below.
const LONGEST: usize = 64 * 1024;

/// The lab's end. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Outpost {
    socket: Arc<OwnedFd>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    argv: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    Started,
    Refused { reason: String },
    Ended { exit: i32 },
}

impl Outpost {
    /// Starts a program in the host's network; what it says goes to `log`. One at a time: wait for
    /// [`Outpost::ended`] before the next.
    pub async fn start(&self, argv: &[String], log: OwnedFd) -> io::Result<()> {
        let order = serde_json::to_vec(&Order {
            argv: argv.to_vec(),
        })?;
        descriptor::send(&*self.socket, &order, &[log])?;
        match self.hear().await? {
            Reply::Started => Ok(()),
            Reply::Refused { reason } => Err(io::Error::other(reason)),
            Reply::Ended { .. } => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Waits for the program's end: exit code, or 128 + signal number.
    pub async fn ended(&self) -> io::Result<i32> {
        match self.hear().await? {
            Reply::Ended { exit } => Ok(exit),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    async fn hear(&self) -> io::Result<Reply> {
        // SAFETY: the descriptor stays open and the same for as long as `self` is borrowed.
        let socket = unsafe { AsyncFd::register(self.socket.as_fd()) }?;
        loop {
            let mut guard = socket.readable().await?;
            let mut bytes = vec![0; LONGEST];
            let heard = guard.try_io(|socket| descriptor::receive(socket.get_ref(), &mut bytes));
            match heard {
                Ok(Ok((0, _))) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok((length, _))) => return Ok(serde_json::from_slice(&bytes[..length])?),
                Ok(Err(error)) => return Err(error),
                Err(_) => {}
            }
        }
    }
}

/// Leaves a process behind. Only for a process with a single thread, in the host's network still.
pub(super) fn leave_behind() -> Result<Outpost, SandboxError> {
    let (ours, theirs) = socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .map_err(system("make a socket pair"))?;
    // SAFETY: the process has a single thread (checked in `enter`, inherited through clone), so the
    // child may use everything the parent could.
    match unsafe { fork() }.map_err(system("fork the lab's outpost"))? {
        ForkResult::Child => {
            drop(ours);
            let _ = serve(&theirs);
            // SAFETY: `_exit` takes an integer and does not return.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { .. } => {
            nix::fcntl::fcntl(
                &ours,
                nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK),
            )
            .map_err(system("make a socket pair"))?;
            Ok(Outpost {
                socket: Arc::new(ours),
            })
        }
    }
}

/// Runs what it is told until nobody tells anything any more.
fn serve(socket: &OwnedFd) -> io::Result<()> {
    let_go_of_all_but(socket)?;
    loop {
        let mut bytes = vec![0; LONGEST];
        let (length, mut fds) = descriptor::receive(socket, &mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        let order: Order = serde_json::from_slice(&bytes[..length])?;
        let Some(log) = fds.pop() else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        match start(&order.argv, log) {
            Ok(mut child) => {
                tell(socket, &Reply::Started)?;
                let exit = exit_of(child.wait()?);
                tell(socket, &Reply::Ended { exit })?;
            }
            Err(error) => {
                let reason = error.to_string();
                tell(socket, &Reply::Refused { reason })?;
            }
        }
    }
}

fn start(argv: &[String], log: OwnedFd) -> io::Result<std::process::Child> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

fn exit_of(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    let signal = || status.signal().map(|signal| 128 + signal);
    status.code().or_else(signal).unwrap_or(-1)
}

fn tell(socket: &OwnedFd, reply: &Reply) -> io::Result<()> {
    descriptor::send(socket, &serde_json::to_vec(reply)?, &[]).map(|_| ())
}

/// A lab that detaches must let go of its terminal, and nobody must wait for a pipe that is held
/// here.
fn let_go_of_all_but(socket: &OwnedFd) -> io::Result<()> {
    super::silence()?;
    let kept = libc::c_uint::try_from(socket.as_raw_fd()).unwrap_or(3);
    for (first, last) in [(3, kept.saturating_sub(1)), (kept + 1, libc::c_uint::MAX)] {
        if first <= last {
            // SAFETY: close_range(2) takes integers, and nothing of what it closes is used here:
            // the loop above works on the socket alone.
            unsafe {
                libc::syscall(libc::SYS_close_range, first, last, 0);
            }
        }
    }
    Ok(())
}
