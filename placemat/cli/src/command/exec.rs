//! `placemat exec`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::launch;
use anyhow::Context;
use placemat_host::terminal::{Pty, RawMode, resize};
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError};
use placemat_lab::registry::Entry;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

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
        run_in(&self.lab.find()?, self.target, self.command, env)
    }
}

/// Runs a command in a lab's target with this process's terminal, or what it has instead.
pub(super) fn run_in(
    entry: &Entry,
    target: String,
    argv: Vec<String>,
    env: Vec<(String, String)>,
) -> Result<u8, Failure> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let request = Request::Exec {
        target,
        argv,
        env,
        terminal,
    };
    launch::run(async move {
        let mut client = Client::connect(&entry.run_dir).await?;
        if terminal {
            return on_terminal(client, request).await;
        }
        let fds = own_descriptors().context("copy the standard descriptors")?;
        client.send(&request, &fds).await?;
        drop(fds);
        attend(client, None).await
    })
}

/// What still comes after the command has ended is waited for this long: something that it left
/// running may hold the terminal.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Runs the command on a pseudo-terminal, with the caller's in raw mode between.
async fn on_terminal(mut client: Client, mut request: Request) -> Result<u8, Failure> {
    let pty = Pty::open().context("open a pseudo-terminal")?;
    let copies = || {
        Ok([
            pty.far.try_clone()?,
            pty.far.try_clone()?,
            pty.far.try_clone()?,
        ])
    };
    let fds: [OwnedFd; 3] = copies().map_err(|error: std::io::Error| {
        Failure::from(anyhow::Error::new(error).context("copy the pseudo-terminal"))
    })?;
    if let Request::Exec { env, .. } = &mut request
        && let Ok(term) = std::env::var("TERM")
    {
        env.insert(0, ("TERM".to_owned(), term));
    }
    client.send(&request, &fds).await?;
    drop((fds, pty.far));
    let near = || pty.near.try_clone().context("copy the pseudo-terminal");
    let (typed, shown) = (File::from(near()?), File::from(near()?));
    let raw = RawMode::enter().context("set the terminal to raw mode")?;
    // Blocks until the process ends: nobody types the end of a terminal.
    std::thread::spawn(move || std::io::copy(&mut std::io::stdin(), &mut &typed));
    let (done, finished) = oneshot::channel();
    std::thread::spawn(move || {
        // Fails when nobody has the other end any more: that is its end.
        let _ = std::io::copy(&mut &shown, &mut Unbuffered);
        let _ = done.send(());
    });
    let code = attend(client, Some(&pty.near)).await;
    let _ = tokio::time::timeout(LAST_WORDS, finished).await;
    drop(raw);
    code
}

/// Standard output without waiting for the end of a line: prompts have none.
struct Unbuffered;

impl Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn own_descriptors() -> std::io::Result<[OwnedFd; 3]> {
    Ok([
        std::io::stdin().as_fd().try_clone_to_owned()?,
        std::io::stdout().as_fd().try_clone_to_owned()?,
        std::io::stderr().as_fd().try_clone_to_owned()?,
    ])
}

/// Passes signals on, and the size of the terminal, until the command has ended.
async fn attend(mut client: Client, terminal: Option<&OwnedFd>) -> Result<u8, Failure> {
    let listen = |kind| signal(kind).context("listen for signals");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut resized = listen(SignalKind::window_change())?;
    loop {
        let sent = tokio::select! {
            answer = client.answer() => match answer? {
                Answer::Started => continue,
                Answer::Exit { code } => return Ok(u8::try_from(code & 0xff).unwrap_or(exit::INTERNAL)),
                other => return Err(ClientError::Unexpected(Box::new(other)).into()),
            },
            _ = interrupt.recv() => 2,
            _ = terminate.recv() => 15,
            _ = resized.recv() => {
                terminal.map(resize);
                continue;
            }
        };
        client.signal(sent).await?;
    }
}
