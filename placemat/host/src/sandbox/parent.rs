//! The host side of a sandbox: relays signals to the lab and its exit status to the caller.

use super::{SandboxError, Side, system};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::Read;
use std::os::fd::OwnedFd;

/// Signals that mean something to the lab.
pub(super) fn relayed_signals() -> SigSet {
    let mut set = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGWINCH,
    ] {
        set.add(signal);
    }
    set
}

fn relayed_and_child() -> SigSet {
    let mut set = relayed_signals();
    set.add(Signal::SIGCHLD);
    set
}

pub(super) fn block_relayed_signals() -> nix::Result<()> {
    relayed_and_child().thread_block()
}

pub(super) fn unblock_relayed_signals() -> nix::Result<()> {
    relayed_and_child().thread_unblock()
}

/// Waits for a child that is about to end by itself.
pub(super) fn reap(child: Pid) {
    let _ = waitpid(child, None);
}

/// Attends the lab until it has ended or, with `detach`, says that it is ready.
pub(super) fn attend(init: Pid, ready: OwnedFd, detach: bool) -> Result<Side, SandboxError> {
    if detach {
        // While it starts the lab cannot be interrupted from the terminal but by its control
        // socket; end of file without a word means that it ended.
        unblock_relayed_signals().map_err(system("unblock signals"))?;
        return await_ready(init, ready);
    }
    let set = relayed_and_child();
    let code = loop {
        match set.wait().map_err(system("wait for signals"))? {
            Signal::SIGCHLD => {
                if let Some(code) = exit_code(init) {
                    break code;
                }
            }
            signal => {
                let _ = kill(init, signal);
            }
        }
    };
    unblock_relayed_signals().map_err(system("unblock signals"))?;
    report(code, &read_all(ready))
}

fn await_ready(init: Pid, ready: OwnedFd) -> Result<Side, SandboxError> {
    // Init holds the other end for as long as it lives: one byte tells.
    let mut ready = std::fs::File::from(ready);
    let mut text = vec![0_u8; 1];
    let got = ready.read(&mut text).unwrap_or(0);
    if got == 1 && text == b"R" {
        return Ok(Side::Parent { code: 0 });
    }
    text.truncate(got);
    let _ = ready.read_to_end(&mut text);
    let code = match waitpid(init, None) {
        Ok(status) => code_of(status).unwrap_or(1),
        Err(_) => 1,
    };
    report(code, &text)
}

/// What init could not print itself comes through the pipe, marked with an `E`.
fn report(code: u8, text: &[u8]) -> Result<Side, SandboxError> {
    match text.strip_prefix(b"E") {
        Some(error) => Err(SandboxError::Inside(
            String::from_utf8_lossy(error).into_owned(),
        )),
        None => Ok(Side::Parent { code }),
    }
}

fn read_all(fd: OwnedFd) -> Vec<u8> {
    let mut text = Vec::new();
    let _ = std::fs::File::from(fd).read_to_end(&mut text);
    text
}

fn exit_code(init: Pid) -> Option<u8> {
    match waitpid(init, Some(WaitPidFlag::WNOHANG)) {
        Ok(status) => code_of(status),
        Err(_) => Some(1),
    }
}

fn code_of(status: WaitStatus) -> Option<u8> {
    match status {
        WaitStatus::Exited(_, code) => Some(u8::try_from(code & 0xff).unwrap_or(1)),
        WaitStatus::Signaled(_, signal, _) => {
            Some(128_u8.saturating_add(u8::try_from(signal as i32).unwrap_or(0)))
        }
        _ => None,
    }
}
