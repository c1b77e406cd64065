//! This process.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Effective user id.
pub fn effective_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Home directory of a user, as the system's user database has it.
pub fn home_of(user: &str) -> Option<PathBuf> {
    let entry = nix::unistd::User::from_name(user).ok().flatten()?;
    Some(entry.dir)
}

/// Keeps descriptors that the caller's shell or test runner left open from everything that this
/// process starts: a lab must not hold somebody else's pipe.
pub fn keep_inherited_to_ourselves() {
    close_range(libc::CLOSE_RANGE_CLOEXEC.cast_signed());
}

/// Closes every descriptor but the standard ones, for a process that outlives its caller. Only where
/// nothing has been opened yet that is still needed: no runtime, no claim.
pub fn close_inherited() {
    close_range(0);
}

fn close_range(flags: libc::c_int) {
    // SAFETY: close_range(2) takes integers. The callers see to it that nobody uses what it closes.
    // A kernel without it (before 5.9) leaves things as they are.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flags);
    }
}

/// Columns and rows of the terminal that stderr is, if it is one.
pub fn terminal_size() -> Option<(u16, u16)> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCGWINSZ writes one `winsize`.
    let done = unsafe { libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (done == 0 && size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Sends standard output and error to a file and takes input from nowhere: for a process that
/// lives on without its terminal.
pub fn detach_output(log: &Path) -> io::Result<()> {
    let null = File::open("/dev/null")?;
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&log)?;
    nix::unistd::dup2_stderr(&log)?;
    Ok(())
}
