//! `placemat shell`.

use super::LabArg;
use super::exec;
use crate::exit::{self, Failure};
use crate::launch;
use anyhow::anyhow;
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError};
use placemat_lab::registry::Entry;

/// The best shell that is there.
const SHELL: &str = "command -v bash > /dev/null && exec bash; exec sh";

/// Arguments of `shell`.
#[derive(Debug, clap::Args)]
pub(super) struct Shell {
    /// `router/NAME`, `boot-server/NAME`, `node/NAME` of tier netns, `hub`, or a bare name where it is unique.
    target: String,
    #[command(flatten)]
    lab: LabArg,
}

impl Shell {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        launch::run(refuse_machines(&entry, &self.target))?;
        let command = ["sh", "-c", SHELL].map(str::to_owned).to_vec();
        exec::run_in(&entry, self.target, command, Vec::new())
    }
}

/// A guest agent runs commands to their end: no terminal leads through it.
async fn refuse_machines(entry: &Entry, target: &str) -> Result<u8, Failure> {
    let mut client = Client::connect(&entry.run_dir).await?;
    let answer = client.ask(&Request::Status).await?;
    let Answer::Status { status } = answer else {
        return Err(ClientError::Unexpected(Box::new(answer)).into());
    };
    let machine = status.objects.iter().find(|object| {
        let name = object.target.split_once('/').map(|(_, name)| name);
        let vm = matches!(object.tier.as_deref(), Some("full" | "kernel"));
        vm && (object.target == target || name == Some(target))
    });
    match machine {
        None => Ok(exit::OK),
        Some(machine) => {
            let name = &machine.target;
            let error = anyhow!("{name} is a machine: its guest agent has no terminal");
            Err(Failure::new(exit::USAGE, error).hint(format!(
                "`placemat console {name}` is its serial console, `placemat ssh {name}` logs in, `placemat exec {name} -- COMMAND` runs one command"
            )))
        }
    }
}
