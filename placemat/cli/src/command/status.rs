//! `placemat status`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::{launch, talk};
use anyhow::Context;
use placemat_lab::control::protocol::{Answer, Request, Status as LabStatus};
use placemat_lab::control::{Client, ClientError};
use placemat_lab::registry::Entry;
use std::io::IsTerminal;
use std::time::Duration;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// As JSON; with --watch an object a line.
    #[arg(long)]
    json: bool,
    /// Show it again whenever something happens, until the lab ends.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    lab: LabArg,
}

impl Status {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        launch::run(async move {
            if self.watch {
                return watch(&entry, self.json).await;
            }
            let status = ask(&entry).await?;
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

/// Asks a lab how it is.
pub(super) async fn ask(entry: &Entry) -> Result<LabStatus, Failure> {
    let mut client = Client::connect(&entry.run_dir).await?;
    match client.ask(&Request::Status).await? {
        Answer::Status { status } => Ok(status),
        answer => Err(ClientError::Unexpected(Box::new(answer)).into()),
    }
}

/// What happens at once is shown at once, but no more often than this.
const LULL: Duration = Duration::from_millis(100);

/// Shows the lab after everything that happens: on a terminal in place, else one after the other.
async fn watch(entry: &Entry, json: bool) -> Result<u8, Failure> {
    let mut events = Client::connect(&entry.run_dir).await?;
    events.ask(&Request::Events).await?;
    let in_place = !json && std::io::stdout().is_terminal();
    loop {
        // A lab that ends meanwhile is no failure: the end was waited for.
        let Ok(status) = ask(entry).await else {
            return Ok(exit::OK);
        };
        let text = if json {
            serde_json::to_string(&status).context("write JSON")? + "\n"
        } else if in_place {
            // Home, the text line by line, and nothing below (ECMA-48 CUP, EL, ED).
            let lines = table(&status).replace('\n', "\x1b[K\n");
            format!("\x1b[H{lines}\x1b[J")
        } else {
            table(&status) + "\n"
        };
        talk::data(&text)?;
        if events.answer().await.is_err() {
            return Ok(exit::OK);
        }
        let more = async { while events.answer().await.is_ok() {} };
        let _ = tokio::time::timeout(LULL, more).await;
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
        talk::word(&status.phase),
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
                .map_or_else(|| "-".to_owned(), |phase| talk::word(&phase)),
            object.boots,
            object.bmc.as_deref().unwrap_or("-"),
            object.image.as_deref().unwrap_or("-"),
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for object in &status.objects {
        if let Some(problem) = &object.problem {
            let _ = writeln!(text, "{}: {problem}", object.target);
        }
    }
    text
}
