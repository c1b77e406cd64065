//! `placemat console`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::{launch, talk};
use anyhow::Context;
use placemat_host::terminal::RawMode;
use placemat_lab::control::Client;
use placemat_lab::control::protocol::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Ctrl-], as telnet and virsh have it.
const ESCAPE: u8 = 0x1d;

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
        launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await?;
            client
                .ask(&Request::Console {
                    target: self.target,
                })
                .await?;
            talk::say("attached; Ctrl-] ends it");
            let _raw = RawMode::enter().context("set the terminal to raw mode")?;
            copy(client).await.context("copy the console")?;
            Ok(exit::OK)
        })
    }
}

async fn copy(client: Client) -> std::io::Result<()> {
    let (mut from, mut to) = client.into_stream();
    let (mut stdin, mut stdout) = (tokio::io::stdin(), tokio::io::stdout());
    let (mut typed, mut shown) = ([0_u8; 256], [0_u8; 4096]);
    let mut open = true;
    loop {
        tokio::select! {
            got = stdin.read(&mut typed), if open => {
                let got = got?;
                let bytes = &typed[..got];
                if bytes.contains(&ESCAPE) {
                    return Ok(());
                }
                // Without a terminal, the end of input leaves the console readable.
                open = got > 0;
                to.write_all(bytes).await?;
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
