//! Terminals: raw mode for consoles, and pseudo-terminals for commands that want one of their own.

use nix::sys::termios::{self, SetArg, Termios};
use std::io::{self, IsTerminal};
use std::os::fd::{AsRawFd, OwnedFd};

/// Standard input in raw mode; as it was again when dropped.
#[derive(Debug)]
pub struct RawMode {
    before: Option<Termios>,
}

impl RawMode {
    /// Enters raw mode, if standard input is a terminal.
    pub fn enter() -> io::Result<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(Self { before: None });
        }
        let before = termios::tcgetattr(&stdin)?;
        let mut raw = before.clone();
        termios::cfmakeraw(&mut raw);
        termios::tcsetattr(&stdin, SetArg::TCSANOW, &raw)?;
        Ok(Self {
            before: Some(before),
        })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // There is nobody to tell.
            let _ = termios::tcsetattr(io::stdin(), SetArg::TCSANOW, before);
        }
    }
}

/// A pseudo-terminal (pty(7)): a command in another session cannot have the caller's own.
#[derive(Debug)]
pub struct Pty {
    /// The end that shows and types.
    pub near: OwnedFd,
    /// The end that the command has.
    pub far: OwnedFd,
}

impl Pty {
    /// One of the size of the caller's terminal.
    pub fn open() -> io::Result<Self> {
        let pair = nix::pty::openpty(None, None)?;
        for fd in [&pair.master, &pair.slave] {
            nix::fcntl::fcntl(
                fd,
                nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC),
            )?;
        }
        resize(&pair.master);
        Ok(Self {
            near: pair.master,
            far: pair.slave,
        })
    }
}

/// Gives a pseudo-terminal the size of the terminal that stderr is.
pub fn resize(near: &OwnedFd) {
    if let Some((columns, rows)) = crate::process::terminal_size() {
        let size = libc::winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the descriptor is open, and TIOCSWINSZ reads one `winsize`. A size that is refused
        // stays what it was.
        unsafe {
            libc::ioctl(near.as_raw_fd(), libc::TIOCSWINSZ, &raw const size);
        }
    }
}
