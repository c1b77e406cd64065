//! Running a program to its end, with patience.

use std::fs;
use std::io::{Read, Seek};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// What a program said, and how it ended.
#[derive(Debug, Clone)]
pub struct Said {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Standard output, then standard error.
    pub fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Itself, when it ended well.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the assertion is what counts"
    )]
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.text());
        self
    }
}

/// Runs a command to its end. What it says goes through files, so that a daemon that keeps the
/// descriptors keeps nobody waiting.
///
/// # Panics
///
/// When it cannot be started, or does not end in time; then it is killed.
pub fn run(mut command: Command, patience: Duration) -> Said {
    let (mut out, mut err) = (file(), file());
    let copy = |file: &fs::File| file.try_clone().expect("copy a descriptor");
    command.stdout(copy(&out)).stderr(copy(&err));
    let mut child = command.spawn().expect("start the program");
    let ended: Option<ExitStatus> =
        crate::poll(patience, || child.try_wait().expect("wait for the program"));
    if ended.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let said = Said {
        code: ended.and_then(|status| status.code()),
        out: text(&mut out),
        err: text(&mut err),
    };
    assert!(
        ended.is_some(),
        "{command:?} did not end in {patience:?}: {}",
        said.text()
    );
    said
}

/// A command without standard input.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

fn file() -> fs::File {
    tempfile::tempfile().expect("make a temporary file")
}

fn text(file: &mut fs::File) -> String {
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.read_to_end(&mut bytes))
        .expect("read what was said");
    String::from_utf8_lossy(&bytes).into_owned()
}
