//! `placemat down`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::launch;
use placemat_lab::control::protocol::Request;
use placemat_lab::control::{Client, ClientError};
use std::path::PathBuf;

/// Arguments of `down`.
#[derive(Debug, clap::Args)]
pub(super) struct Down {
    /// The file that the lab was made from, instead of --lab.
    file: Option<PathBuf>,
    #[command(flatten)]
    lab: LabArg,
}

impl Down {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let lab = match self.file {
            Some(file) => LabArg {
                lab: Some(name_of(&file)?),
            },
            None => self.lab,
        };
        let entry = lab.find()?;
        let run_dir = entry.run_dir.clone();
        let code = launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await.map_err(failed)?;
            client.send(&Request::Down, &[]).await.map_err(failed)?;
            // Its socket closes when the lab has ended.
            let _ = client.answer().await;
            Ok(exit::OK)
        })?;
        placemat_lab::registry::await_end(&run_dir);
        // Best effort: the next `up` sweeps, too.
        let _ = crate::place::registry().sweep();
        Ok(code)
    }
}

/// The id of the one live lab that was made from a file.
fn name_of(file: &std::path::Path) -> Result<String, Failure> {
    let file = std::path::absolute(file).map_err(|error| Failure::new(exit::USAGE, error))?;
    let labs = crate::place::registry().live();
    let mut made: Vec<_> = labs
        .into_iter()
        .filter(|lab| lab.card.files.contains(&file))
        .collect();
    match (made.pop(), made.is_empty()) {
        (Some(lab), true) => Ok(lab.card.id),
        (Some(_), false) => Err(Failure::new(
            exit::USAGE,
            anyhow::anyhow!("more than one lab was made from {}", file.display()),
        )
        .hint("`placemat ls` lists them; name one with --lab")),
        (None, _) => Err(Failure::new(
            exit::USAGE,
            anyhow::anyhow!("no running lab was made from {}", file.display()),
        )
        .hint("`placemat ls` lists running labs")),
    }
}

pub(super) fn failed(error: ClientError) -> Failure {
    match &error {
        ClientError::Refused(_) => Failure::new(exit::LAB, error),
        _ => Failure::new(exit::LAB, error).hint("`placemat ls` lists running labs"),
    }
}
