//! `placemat connect`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::launch;
use anyhow::Context;
use placemat_lab::control::Client;
use placemat_lab::control::protocol::Request;
use placemat_lab::forward::Destination;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Arguments of `connect`.
#[derive(Debug, clap::Args)]
pub(super) struct Connect {
    /// `TARGET:PORT`, `TARGET:ADDRESS:PORT` (from the target's namespace) or `TARGET:unix:/PATH`.
    to: Destination,
    #[command(flatten)]
    lab: LabArg,
}

impl Connect {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await?;
            let to = self.to.to_string();
            client.ask(&Request::Connect { to }).await?;
            let (mut from, mut to) = client.into_stream();
            let (mut stdin, mut stdout) = (tokio::io::stdin(), tokio::io::stdout());
            let passed = async {
                let there = async {
                    pass(&mut stdin, &mut to).await?;
                    to.shutdown().await
                };
                let back = pass(&mut from, &mut stdout);
                tokio::pin!(there);
                tokio::pin!(back);
                // The far side's end is the end; ours alone may leave it something to say.
                tokio::select! {
                    done = &mut back => done,
                    done = &mut there => {
                        done?;
                        back.await
                    }
                }
            };
            passed.await.context("pass bytes on")?;
            Ok(exit::OK)
        })
    }
}

/// Copies to the end, and holds nothing back.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> std::io::Result<()> {
    let mut chunk = vec![0_u8; 16 << 10];
    loop {
        match from.read(&mut chunk).await? {
            0 => return Ok(()),
            length => {
                to.write_all(&chunk[..length]).await?;
                to.flush().await?;
            }
        }
    }
}
