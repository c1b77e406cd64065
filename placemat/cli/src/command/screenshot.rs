//! `placemat screenshot`.

use super::LabArg;
use crate::exit::{self, Code, Failure};
use crate::launch;
use anyhow::Context;
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Arguments of `screenshot`.
#[derive(Debug, clap::Args)]
pub(super) struct Screenshot {
    /// The server.
    target: String,
    /// PNG file to write [default: standard output, where that is no terminal].
    #[arg(short, long, value_name = "FILE.png")]
    output: Option<PathBuf>,
    #[command(flatten)]
    lab: LabArg,
}

impl Screenshot {
    pub(super) fn run(self) -> Result<u8, Failure> {
        if self.output.is_none() && std::io::stdout().is_terminal() {
            let error = anyhow::anyhow!("a PNG picture is nothing for a terminal");
            return Err(Failure::new(exit::USAGE, error).hint("say where it goes: -o FILE.png"));
        }
        let entry = self.lab.find()?;
        let request = Request::Screenshot {
            target: self.target,
        };
        launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await?;
            let file = match client.ask(&request).await? {
                Answer::Screenshot { file } => entry.run_dir.join(file),
                other => return Err(ClientError::Unexpected(Box::new(other)).into()),
            };
            let picture = std::fs::read(&file)
                .with_context(|| format!("read {}", file.display()))
                .code(exit::LAB)?;
            // What cannot be removed goes with the lab.
            let _ = std::fs::remove_file(&file);
            write(self.output.as_deref(), &picture)?;
            Ok(exit::OK)
        })
    }
}

fn write(to: Option<&Path>, picture: &[u8]) -> Result<(), Failure> {
    match to {
        Some(path) => std::fs::write(path, picture)
            .with_context(|| format!("write {}", path.display()))
            .code(exit::HOST),
        None => std::io::stdout()
            .write_all(picture)
            .context("write the picture to standard output")
            .code(exit::HOST),
    }
}
