//! `placemat exec`.

use super::LabArg;
use super::down::failed;
use crate::exit::{self, Failure};
use crate::launch;
use anyhow::Context;
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError};
use std::io::IsTerminal;
use std::os::fd::{AsFd, OwnedFd};
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `exec`.
#[derive(Debug, clap::Args)]
pub(super) struct Exec {
    /// `router/NAME`, `boot-server/NAME`, `node/NAME`, `hub`, or a bare name where it is unique.
    target: String,
    /// Environment for the command.
    #[arg(long = "env", value_name = "KEY=VALUE")]
    env: Vec<String>,
    #[command(flatten)]
    lab: LabArg,
    /// The command.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl Exec {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let env = self.env.iter().map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        });
        let env: Option<Vec<_>> = env.collect();
        let env =
            env.ok_or_else(|| Failure::new(exit::USAGE, anyhow::anyhow!("--env takes KEY=VALUE")))?;
        let entry = self.lab.find()?;
        let request = Request::Exec {
            target: self.target,
            argv: self.command,
            env,
            terminal: std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
        };
        launch::run(async move {
            let fds = own_descriptors().context("copy the standard descriptors")?;
            let mut client = Client::connect(&entry.run_dir).await.map_err(failed)?;
            client.send(&request, &fds).await.map_err(failed)?;
            drop(fds);
            attend(client).await
        })
    }
}

fn own_descriptors() -> std::io::Result<[OwnedFd; 3]> {
    Ok([
        std::io::stdin().as_fd().try_clone_to_owned()?,
        std::io::stdout().as_fd().try_clone_to_owned()?,
        std::io::stderr().as_fd().try_clone_to_owned()?,
    ])
}

/// Passes signals on until the command has ended.
async fn attend(mut client: Client) -> Result<u8, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for signals")?;
    loop {
        let sent = tokio::select! {
            answer = client.answer() => match answer.map_err(failed)? {
                Answer::Started => continue,
                Answer::Exit { code } => return Ok(u8::try_from(code & 0xff).unwrap_or(exit::INTERNAL)),
                other => return Err(failed(ClientError::Unexpected(Box::new(other)))),
            },
            _ = interrupt.recv() => 2,
            _ = terminate.recv() => 15,
        };
        client.signal(sent).await.map_err(failed)?;
    }
}
