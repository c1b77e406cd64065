//! A machine's TPM: a swtpm for each life. Its state is in the lab's data folder, so that what a
//! guest sealed is there after power-off, and after the lab.

use super::spec::Tpm;
use placemat_host::inherit::inherit;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long swtpm may take to end once its machine has: it writes state as it changes, so there is
/// nothing left to do.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running swtpm.
#[derive(Debug)]
pub(super) struct TpmProcess {
    child: Child,
}

impl TpmProcess {
    /// Starts swtpm; the descriptor is the end of its control channel that QEMU is to have.
    pub(super) fn start(tpm: &Tpm) -> io::Result<(Self, OwnedFd)> {
        fs::create_dir_all(&tpm.state)?;
        // Keys are in it.
        fs::set_permissions(&tpm.state, fs::Permissions::from_mode(0o700))?;
        let (ours, its) = UnixStream::pair()?;
        let its = OwnedFd::from(its);
        let log = fs::File::create(&tpm.log)?;
        let mut command = Command::new(&tpm.program);
        command
            .args(["socket", "--tpm2", "--terminate", "--ctrl"])
            .arg(format!("type=unixio,clientfd={}", its.as_raw_fd()))
            // Its options have no escape for commas.
            .env("TPM_PATH", &tpm.state)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        inherit(&mut command, vec![its]);
        let child = command.spawn()?;
        Ok((Self { child }, ours.into()))
    }

    /// Waits until it ends by itself. Cancel safe.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Sees it off after its machine has ended: the state is free for the next life then.
    pub(super) async fn finish(mut self) {
        if timeout(PATIENCE, self.child.wait()).await.is_err() {
            // It fails only where it has ended.
            let _ = self.child.kill().await;
        }
    }
}
