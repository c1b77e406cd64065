//! PID 1 of the lab: reaps orphans, forwards signals to the lab process, and ends with it.
//!
//! It is its own process, small and single-threaded, so that reaping orphans cannot race with the
//! lab's own waiting for its children.

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::os::fd::BorrowedFd;

/// From the lab: the parent may go. A signal that nobody else sends, and that is ignored by default.
pub(super) const READY: Signal = Signal::SIGURG;

/// Never returns: leaves the process when `lab` has ended, with its status. `parent` hears when the
/// lab is ready.
pub(super) fn run(lab: Pid, parent: BorrowedFd<'_>) -> ! {
    let mut set = super::parent::relayed_signals();
    set.add(Signal::SIGCHLD);
    set.add(READY);
    let _ = set.thread_block();
    loop {
        match set.wait() {
            Ok(Signal::SIGCHLD) => {
                if let Some(code) = reap(lab) {
                    leave(code);
                }
            }
            Ok(READY) => {
                if let_go(parent).is_err() {
                    leave(1);
                }
            }
            Ok(signal) => {
                let _ = kill(lab, signal);
            }
            Err(_) => leave(1),
        }
    }
}

/// Outlives the parent from now on: nothing of its terminal is held, and it is told to go. A parent
/// that went before it heard takes the lab with it.
fn let_go(parent: BorrowedFd<'_>) -> std::io::Result<()> {
    super::silence()?;
    nix::sys::prctl::set_pdeathsig(None)?;
    nix::unistd::write(parent, b"R")?;
    Ok(())
}

/// Reaps all that is dead; the lab's exit code once it is among them.
fn reap(lab: Pid) -> Option<u8> {
    let mut ended = None;
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == lab => {
                ended = Some(u8::try_from(code & 0xff).unwrap_or(1));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == lab => {
                ended = Some(128_u8.saturating_add(u8::try_from(signal as i32).unwrap_or(0)));
            }
            Ok(WaitStatus::StillAlive) | Err(_) => return ended,
            Ok(_) => {}
        }
    }
}

/// `_exit`: what the parent set up to run at exit is the parent's.
fn leave(code: u8) -> ! {
    // SAFETY: `_exit` takes an integer and does not return.
    unsafe { libc::_exit(i32::from(code)) }
}
