//! A live sandbox as another process of its host sees it: how to end one that no longer listens.

use crate::pidfd;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

/// A live sandbox. What it names stays the same, whatever numbers the kernel gives away again.
#[derive(Debug)]
pub struct Outside {
    init: OwnedFd,
    pid: i32,
    /// The process that relays for a sandbox that is not detached.
    parent: Option<OwnedFd>,
}

impl Outside {
    /// The sandbox that a process is in, by the process's number on this host.
    pub fn of(member: i32) -> io::Result<Self> {
        let mut pid = member;
        // The lab itself is init's child; anything else in there descends from it.
        while innermost(pid)? != 1 {
            pid = parent_of(pid)?;
        }
        if pid == std::process::id().cast_signed() || depth(pid)? <= depth_of_ours()? {
            let message = format!("process {member} is in no sandbox");
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        let init = pidfd::open(pid)?;
        // Looked at again, now that its number cannot be given away unseen.
        if innermost(pid)? != 1 {
            return Err(io::ErrorKind::NotFound.into());
        }
        let parent = parent_of(pid)?;
        let relays = program(parent).is_some_and(|theirs| Some(theirs) == program(pid));
        let parent = if relays {
            pidfd::open(parent).ok()
        } else {
            None
        };
        Ok(Self { init, pid, parent })
    }

    /// Number of its PID 1 on this host.
    pub fn init(&self) -> i32 {
        self.pid
    }

    /// Kills its PID 1, with which the kernel ends everything inside, stopped or not.
    pub fn kill(&self) -> io::Result<()> {
        match pidfd::signal(&self.init, libc::SIGKILL) {
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            done => done,
        }
    }

    /// Lets a parent that was stopped go on, so that it sees the end of its sandbox.
    pub fn wake_parent(&self) {
        if let Some(parent) = &self.parent {
            // One that has gone needs no waking.
            let _ = pidfd::signal(parent, libc::SIGCONT);
        }
    }

    /// Waits until its PID 1 has ended, and with it everything inside; whether it has, in time.
    pub fn ended(&self, patience: Duration) -> bool {
        let millis = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        let mut fds = [PollFd::new(self.init.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
        poll(&mut fds, timeout).is_ok_and(|ready| ready > 0)
    }
}

/// A process's number in the innermost of its PID namespaces.
fn innermost(pid: i32) -> io::Result<i32> {
    numbers(&pid.to_string())?
        .last()
        .copied()
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// In how many PID namespaces that this one sees a process is.
fn depth(pid: i32) -> io::Result<usize> {
    Ok(numbers(&pid.to_string())?.len())
}

fn depth_of_ours() -> io::Result<usize> {
    Ok(numbers("self")?.len())
}

fn numbers(process: &str) -> io::Result<Vec<i32>> {
    let numbers = field(process, "NSpid:")?;
    Ok(numbers.split_whitespace().flat_map(str::parse).collect())
}

fn parent_of(pid: i32) -> io::Result<i32> {
    let parent = field(&pid.to_string(), "PPid:")?;
    match parent.trim().parse() {
        Ok(0) | Err(_) => Err(io::ErrorKind::NotFound.into()),
        Ok(parent) => Ok(parent),
    }
}

fn field(process: &str, name: &str) -> io::Result<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.map(str::to_owned)
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn program(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_no_sandbox_is_not_mistaken_for_one() {
        let own = std::process::id().cast_signed();
        assert!(Outside::of(own).is_err());
        // Ours ends before a number that no process has.
        assert!(Outside::of(i32::MAX).is_err());
    }
}
