//! A command with its output collected.

use super::{Lab, Output};
use crate::error::ActError;
use placemat_host::agent::AgentCommand;
use placemat_host::container::Program;
use placemat_spec::selector::Target;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;

/// Longest run of a command in a VM; callers bound it tighter.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Most output kept of each stream, in bytes.
const MOST: u64 = 4 << 20;

pub(super) async fn run(
    lab: &Lab,
    target: &Target,
    argv: Vec<String>,
    env: Vec<(String, String)>,
    stdin: Vec<u8>,
) -> Result<Output, ActError> {
    if let Some(machine) = lab.machine(target) {
        let command = AgentCommand { argv, env, stdin };
        let output = machine
            .exec(&command, PATIENCE)
            .await
            .map_err(|error| ActError::failed(crate::error::chain(&error)))?;
        return Ok(Output {
            exit: output.exit,
            stdout: output.stdout,
            stderr: output.stderr,
        });
    }
    let failed = |error: std::io::Error| format!("run a command on {target}: {error}");
    let (in_write, in_read) = pipe::pipe().map_err(failed)?;
    let (out_write, out_read) = pipe::pipe().map_err(failed)?;
    let (err_write, err_read) = pipe::pipe().map_err(failed)?;
    let stdio: [OwnedFd; 3] = [
        in_read.into_blocking_fd().map_err(failed)?,
        out_write.into_blocking_fd().map_err(failed)?,
        err_write.into_blocking_fd().map_err(failed)?,
    ];
    let (container, process) = lab
        .spawn(
            target,
            Program {
                argv,
                env,
                stdio,
                terminal: false,
            },
        )
        .await?;
    // Dropped before it has ended: a deadline fired. The command must not live on.
    let guard = Guard {
        container,
        id: process.id(),
        lab: lab.clone(),
        armed: true,
    };
    let feed = async move {
        let mut to = in_write;
        // A command that does not read its input is no error.
        let _ = to.write_all(&stdin).await;
    };
    let ((), stdout, stderr, exit) =
        tokio::join!(feed, read(out_read), read(err_read), process.exit);
    guard.disarm();
    let exit = exit.map_err(|_| format!("{target} lost power"))?;
    Ok(Output {
        exit,
        stdout: stdout.map_err(failed)?,
        stderr: stderr.map_err(failed)?,
    })
}

async fn read(from: pipe::Receiver) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

struct Guard {
    container: placemat_host::container::Container,
    id: u64,
    lab: Lab,
    armed: bool,
}

impl Guard {
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.armed {
            let (container, id) = (self.container.clone(), self.id);
            self.lab
                .tasks()
                .spawn(async move { container.signal_id(id, 9).await });
        }
    }
}
