//! Descriptors that a child program is to have under the numbers they have here: taps, socket pairs
//! and the like, named on its command line.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use tokio::process::Command;

/// Lets the program that `command` starts inherit `fds`, each under the number it has here. They
/// live as long as `command` does: drop it after the start, so that the child holds the only copies.
pub fn inherit(command: &mut Command, fds: Vec<OwnedFd>) {
    let clear = move || {
        for fd in &fds {
            // Only the child's copy of the descriptor table changes; other children started at the
            // same time inherit nothing.
            nix::fcntl::fcntl(
                fd.as_fd(),
                nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()),
            )?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes only `fcntl` calls, which are
    // async-signal-safe, and allocates nothing.
    unsafe {
        command.pre_exec(clear);
    }
}

/// The numbers of `fds`, for a command line.
pub fn numbers(fds: &[OwnedFd]) -> Vec<i32> {
    fds.iter().map(AsRawFd::as_raw_fd).collect()
}
