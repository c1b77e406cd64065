//! The lab's outpost: a process of the lab (it dies with its PID 1) that was born before the lab got
//! a network of its own, and so stays in the host's. It runs one program there at a time, as it is
//! told: the helper that connects the lab with the outside.
//!
//! Nobody in the lab could make another one in the host's network. So it is two processes: a worker
//! that does that, and a keeper that only waits for it, and makes another one when it was killed.
//! Each worker has a socket of its own, whose end tells the lab that whoever knew of its order is
//! gone; the lab gets the next one's from the keeper.

use super::{SandboxError, system};
use crate::descriptor;
use nix::sys::signal::{Signal, killpg};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, fork, setpgid};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::sync::Mutex;

/// Longest message in bytes; command lines are far below.
const LONGEST: usize = 64 * 1024;

/// The lab's end. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Outpost {
    ends: Arc<Mutex<Ends>>,
}

#[derive(Debug)]
struct Ends {
    keeper: OwnedFd,
    /// Nobody before the first is asked for, and after one was killed.
    worker: Option<OwnedFd>,
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

/// What a keeper says of a worker, whose socket comes along.
#[derive(Debug, Serialize, Deserialize)]
struct Successor {
    /// What the one before ended with: 128 + signal number.
    exit: i32,
}

impl Outpost {
    /// Starts a program in the host's network; what it says goes to `log`. One at a time: wait for
    /// [`Outpost::ended`] before the next.
    pub async fn start(&self, argv: &[String], log: OwnedFd) -> io::Result<()> {
        let mut ends = self.ends.lock().await;
        let order = serde_json::to_vec(&Order {
            argv: argv.to_vec(),
        })?;
        let log = [log];
        loop {
            if ends.worker.is_none() {
                ends.succeed().await?;
            }
            let Some(worker) = &ends.worker else { continue };
            match descriptor::send(worker, &order, &log) {
                Ok(_) => break,
                // It was killed before it could hear of this.
                Err(error) if is_gone(&error) => ends.worker = None,
                Err(error) => return Err(error),
            }
        }
        match ends.answer().await? {
            Some(Reply::Started) => Ok(()),
            Some(Reply::Refused { reason }) => Err(io::Error::other(reason)),
            Some(Reply::Ended { .. }) => Err(io::ErrorKind::InvalidData.into()),
            None => Err(io::Error::other("who was to start it was killed")),
        }
    }

    /// Waits for the program's end: exit code, or 128 + signal number. When its worker is killed it
    /// is killed, too.
    pub async fn ended(&self) -> io::Result<i32> {
        let mut ends = self.ends.lock().await;
        match ends.answer().await? {
            Some(Reply::Ended { exit }) => Ok(exit),
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
            None => ends.succeed().await,
        }
    }
}

impl Ends {
    /// Waits for the next worker; what the one before ended with.
    async fn succeed(&mut self) -> io::Result<i32> {
        let (said, mut fds) = hear(&self.keeper).await?;
        if said.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let successor: Successor = serde_json::from_slice(&said)?;
        self.worker = fds.pop();
        Ok(successor.exit)
    }

    /// What the worker says; `None` when it was killed.
    async fn answer(&mut self) -> io::Result<Option<Reply>> {
        let Some(worker) = &self.worker else {
            return Ok(None);
        };
        match hear(worker).await {
            Ok((said, _)) if !said.is_empty() => Ok(Some(serde_json::from_slice(&said)?)),
            Err(error) if !is_gone(&error) => Err(error),
            _ => {
                self.worker = None;
                Ok(None)
            }
        }
    }
}

/// Whether the other end of a socket is closed; it may have left something unread.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

/// One message; an empty one when the other end is closed.
async fn hear(socket: &OwnedFd) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    // SAFETY: the descriptor stays open and the same for as long as `socket` is borrowed.
    let socket = unsafe { AsyncFd::register(socket.as_fd()) }?;
    loop {
        let mut guard = socket.readable().await?;
        let mut bytes = vec![0; LONGEST];
        let heard = guard.try_io(|socket| descriptor::receive(socket.get_ref(), &mut bytes));
        if let Ok(heard) = heard {
            let (length, fds) = heard?;
            bytes.truncate(length);
            return Ok((bytes, fds));
        }
    }
}

/// The lab's end of a socket, which never blocks, and the other.
fn pair() -> nix::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    let never_blocks = nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK);
    nix::fcntl::fcntl(&ours, never_blocks)?;
    Ok((ours, theirs))
}

/// Leaves a process behind. Only for a process with a single thread, in the host's network still.
pub(super) fn leave_behind() -> Result<Outpost, SandboxError> {
    let (ours, theirs) = pair().map_err(system("make a socket pair"))?;
    // SAFETY: the process has a single thread (checked in `enter`, inherited through clone), so the
    // child may use everything the parent could.
    match unsafe { fork() }.map_err(system("fork the lab's outpost"))? {
        ForkResult::Child => {
            drop(ours);
            let _ = keep(theirs);
            // SAFETY: `_exit` takes an integer and does not return.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { .. } => Ok(Outpost {
            ends: Arc::new(Mutex::new(Ends {
                keeper: ours,
                worker: None,
            })),
        }),
    }
}

/// Sees to it that there is a worker, until one ends by itself: then nobody tells it anything any more.
fn keep(lab: OwnedFd) -> io::Result<()> {
    let_go_of_all_but(&lab)?;
    let mut exit = 0;
    loop {
        let (ours, theirs) = pair()?;
        // SAFETY: the process is a fork of one with a single thread, and made no other.
        let worker = match unsafe { fork() }? {
            ForkResult::Child => {
                drop((lab, ours));
                // A group of its own, by which what it has started can be found without it.
                let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
                let _ = serve(&theirs);
                // SAFETY: `_exit` takes an integer and does not return.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => child,
        };
        drop(theirs);
        descriptor::send(&lab, &serde_json::to_vec(&Successor { exit })?, &[ours])?;
        // Its number stays its own until it is waited for below.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        let ended = waitid(Id::Pid(worker), flags)?;
        // Nobody waits any more for the program that it ran, if there is one.
        let _ = killpg(worker, Signal::SIGKILL);
        waitpid(worker, None)?;
        match ended {
            WaitStatus::Signaled(_, signal, _) => exit = 128 + signal as i32,
            _ => return Ok(()),
        }
    }
}

/// Runs what it is told until nobody tells anything any more.
fn serve(socket: &OwnedFd) -> io::Result<()> {
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
