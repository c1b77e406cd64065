//! `placemat status`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::{launch, talk};
use anyhow::Context;
use placemat_lab::control::protocol::{Answer, Request, Status as LabStatus};
use placemat_lab::control::{Client, ClientError};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lab: LabArg,
}

impl Status {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await?;
            let answer = client.ask(&Request::Status).await?;
            let Answer::Status { status } = answer else {
                return Err(ClientError::Unexpected(Box::new(answer)).into());
            };
            if self.json {
                let text = serde_json::to_string_pretty(&status).context("write JSON")?;
                talk::data(&(text + "\n"))?;
            } else {
                talk::data(&table(&status))?;
            }
            Ok(exit::OK)
        })
    }
}

fn table(status: &LabStatus) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "lab {} ({}): {} for {:.0} s",
        status.name,
        status.id,
        word(&status.phase),
        status.uptime_ms / 1000.0
    );
    // A lab without VMs needs no accelerator.
    let accel = Some(&status.accel).filter(|accel| !accel.is_empty());
    let _ = writeln!(
        text,
        "{}",
        accel.map(|accel| format!("; {accel}")).unwrap_or_default()
    );
    let _ = writeln!(
        text,
        "{:<28} {:<6} {:<6} {:<10} {:<6} {:<16} IMAGE",
        "OBJECT", "TIER", "POWER", "PHASE", "BOOTS", "BMC"
    );
    for object in &status.objects {
        let line = format!(
            "{:<28} {:<6} {:<6} {:<10} {:<6} {:<16} {}",
            object.target,
            object.tier.as_deref().unwrap_or("-"),
            if object.power { "on" } else { "off" },
            object
                .phase
                .map_or_else(|| "-".to_owned(), |phase| word(&phase)),
            object.boots,
            object.bmc.as_deref().unwrap_or("-"),
            object.image.as_deref().unwrap_or("-"),
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
