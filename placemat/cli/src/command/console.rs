//! `placemat console`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::{launch, talk};
use anyhow::Context;
use placemat_host::terminal::RawMode;
use placemat_lab::control::Client;
use placemat_lab::control::protocol::Request;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Ctrl-].
const BRACKET: u8 = 0x1d;
/// Ctrl-q.
const QUIT: u8 = 0x11;
/// Ctrl-x.
const EXIT: u8 = 0x18;

/// What ends a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// Ctrl-], as telnet and virsh have it.
    Telnet,
    /// Ctrl-q Ctrl-x, as placemat v2's picocom had it (Ctrl-q twice types one), and Ctrl-].
    Picocom,
}

impl Escape {
    fn words(self) -> &'static str {
        match self {
            Self::Telnet => "Ctrl-]",
            Self::Picocom => "Ctrl-q Ctrl-x",
        }
    }
}

/// What is typed, without what is meant for us.
#[derive(Debug)]
struct Keys {
    escape: Escape,
    /// A Ctrl-q has come, and what follows has not.
    held: bool,
}

impl Keys {
    fn new(escape: Escape) -> Self {
        let held = false;
        Self { escape, held }
    }

    /// What goes to the server; `None`: the end.
    fn take(&mut self, typed: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(typed.len() + 1);
        for &key in typed {
            if key == BRACKET {
                return None;
            }
            if self.escape == Escape::Telnet {
                out.push(key);
            } else if std::mem::take(&mut self.held) {
                match key {
                    EXIT => return None,
                    QUIT => out.push(QUIT),
                    _ => out.extend([QUIT, key]),
                }
            } else if key == QUIT {
                self.held = true;
            } else {
                out.push(key);
            }
        }
        Some(out)
    }
}

/// Arguments of `console`.
#[derive(Debug, clap::Args)]
pub(super) struct Console {
    /// The server. Ctrl-] ends the console.
    target: String,
    #[command(flatten)]
    lab: LabArg,
}

impl Console {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        attach(&entry.run_dir, self.target, Escape::Telnet)
    }
}

/// Attaches the terminal to the console of a server of the lab with this run directory.
pub(crate) fn attach(run_dir: &Path, target: String, escape: Escape) -> Result<u8, Failure> {
    launch::run(async move {
        let mut client = Client::connect(run_dir).await?;
        client.ask(&Request::Console { target }).await?;
        talk::say(&format!("attached; {} ends it", escape.words()));
        let _raw = RawMode::enter().context("set the terminal to raw mode")?;
        copy(client, Keys::new(escape))
            .await
            .context("copy the console")?;
        Ok(exit::OK)
    })
}

async fn copy(client: Client, mut keys: Keys) -> std::io::Result<()> {
    let (mut from, mut to) = client.into_stream();
    let (mut stdin, mut stdout) = (tokio::io::stdin(), tokio::io::stdout());
    let (mut typed, mut shown) = ([0_u8; 256], [0_u8; 4096]);
    let mut open = true;
    loop {
        tokio::select! {
            got = stdin.read(&mut typed), if open => {
                let got = got?;
                let Some(bytes) = keys.take(&typed[..got]) else {
                    return Ok(());
                };
                // Without a terminal, the end of input leaves the console readable.
                open = got > 0;
                to.write_all(&bytes).await?;
            }
            got = from.read(&mut shown) => match got? {
                0 => return Ok(()),
                got => {
                    stdout.write_all(&shown[..got]).await?;
                    stdout.flush().await?;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_end_a_console() {
        let taken = |escape, parts: &[&[u8]]| -> Vec<Option<Vec<u8>>> {
            let mut keys = Keys::new(escape);
            parts.iter().map(|part| keys.take(part)).collect()
        };
        let some = |bytes: &[u8]| Some(bytes.to_vec());
        assert_eq!(
            taken(Escape::Telnet, &[b"ls\x11\x18", b"a\x1d"]),
            [some(b"ls\x11\x18"), None]
        );
        assert_eq!(
            taken(
                Escape::Picocom,
                &[b"ls\x11", b"\x11a\x11b", b"\x11", b"\x18"]
            ),
            [some(b"ls"), some(b"\x11a\x11b"), some(b""), None]
        );
        assert_eq!(taken(Escape::Picocom, &[b"\x1d"]), [None]);
    }
}
