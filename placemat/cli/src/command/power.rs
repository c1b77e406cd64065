//! `placemat power`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::launch;
use placemat_lab::control::Client;
use placemat_lab::control::protocol::Request;
use placemat_spec::power::PowerAction;

/// Arguments of `power`.
#[derive(Debug, clap::Args)]
pub(super) struct Power {
    /// `node/NAME`, `router/NAME`, `boot-server/NAME`, or a bare name where it is unique.
    target: String,
    /// What to do.
    action: Action,
    #[command(flatten)]
    lab: LabArg,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Action {
    /// Power on.
    On,
    /// Power off at once, as if the plug were pulled.
    Off,
    /// Ask the guest to shut down (ACPI).
    Soft,
    /// Hard reset.
    Reset,
    /// Off, a pause, on.
    Cycle,
    /// Ask the guest to restart.
    Restart,
}

impl Power {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        let action = match self.action {
            Action::On => PowerAction::On,
            Action::Off => PowerAction::ForceOff,
            Action::Soft => PowerAction::GracefulShutdown,
            Action::Reset => PowerAction::ForceRestart,
            Action::Cycle => PowerAction::PowerCycle,
            Action::Restart => PowerAction::GracefulRestart,
        };
        let request = Request::Power {
            target: self.target,
            action,
        };
        launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await?;
            client.ask(&request).await?;
            Ok(exit::OK)
        })
    }
}
