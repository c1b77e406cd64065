//! The host side of a sandbox: relays signals to the lab and its exit status to the caller.

use super::{SandboxError, Side, system};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

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

/// Attends the lab until it has ended or, with `detach`, says that it is ready. Signals are relayed
/// for as long.
pub(super) fn attend(init: Pid, ready: OwnedFd, detach: bool) -> Result<Side, SandboxError> {
    let signals = SignalFd::with_flags(&relayed_and_child(), SfdFlags::SFD_CLOEXEC)
        .map_err(system("wait for signals"))?;
    let mut told = Vec::new();
    let code = loop {
        let mut fds = [
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(ready.as_fd(), PollFlags::POLLIN),
        ];
        // Attached, the pipe says nothing that cannot wait for the end.
        let watched = if detach && told.is_empty() { 2 } else { 1 };
        match poll(&mut fds[..watched], PollTimeout::NONE) {
            Ok(_) => {}
            Err(nix::Error::EINTR) => continue,
            Err(errno) => return Err(system("wait for signals")(errno)),
        }
        let [signal, news] = fds.map(|fd| fd.any().unwrap_or(false));
        if watched == 2 && news {
            let mut word = [0_u8; 1];
            let got = nix::unistd::read(&ready, &mut word).unwrap_or(0);
            if word == *b"R" {
                return Ok(Side::Parent { code: 0 });
            }
            // An error begins, or the pipe has ended because init has.
            told.extend_from_slice(&word[..got]);
            if got == 0 {
                break waitpid(init, None).ok().and_then(code_of).unwrap_or(1);
            }
        }
        if !signal {
            continue;
        }
        if let Ok(Some(info)) = signals.read_signal() {
            let number = i32::try_from(info.ssi_signo).unwrap_or(0);
            match Signal::try_from(number) {
                Ok(Signal::SIGCHLD) => {
                    if let Some(code) = exit_code(init) {
                        break code;
                    }
                }
                Ok(signal) => {
                    let _ = kill(init, signal);
                }
                Err(_) => {}
            }
        }
    };
    unblock_relayed_signals().map_err(system("unblock signals"))?;
    told.extend(read_all(ready));
    report(code, &told)
}

/// What init could not print itself comes through the pipe, marked with an `E`.
fn report(code: u8, text: &[u8]) -> Result<Side, SandboxError> {
    match text.strip_prefix(b"E") {
        Some(error) => Err(SandboxError::Told(
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
