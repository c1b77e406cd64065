//! `placemat status`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::table::Table;
use crate::{launch, talk};
use anyhow::Context;
use placemat_lab::control::protocol::{Answer, ObjectStatus, Request, Status as LabStatus};
use placemat_lab::control::{Client, ClientError};
use placemat_lab::registry::Entry;
use placemat_spec::event::BootPhase;
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
                talk::json(&status)?;
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
/// On a terminal, time is seen to go on where nothing happens.
const TICK: Duration = Duration::from_secs(1);

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
        let news = events.answer();
        let news = if in_place {
            tokio::time::timeout(TICK, news).await
        } else {
            Ok(news.await)
        };
        match news {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Ok(exit::OK),
            Err(_) => continue,
        }
        let more = async { while events.answer().await.is_ok() {} };
        let _ = tokio::time::timeout(LULL, more).await;
    }
}

/// The phase of a server; of one that is still on its way, for how long.
fn phase(object: &ObjectStatus) -> String {
    let Some(phase) = object.phase else {
        return String::new();
    };
    let word = talk::word(&phase);
    let on_its_way = phase != BootPhase::Off && phase < BootPhase::Agent;
    // A mock has power, and that is all.
    match object.phase_ms {
        Some(ms) if on_its_way && object.tier.as_deref() != Some("mock") => {
            format!("{word} for {:.0} s", ms / 1000.0)
        }
        _ => word,
    }
}

fn table(status: &LabStatus) -> String {
    let heading = ["OBJECT", "TIER", "POWER", "PHASE", "BOOTS", "BMC", "IMAGE"];
    let mut table = Table::new(&heading);
    for object in &status.objects {
        table.row([
            object.target.clone(),
            object.tier.clone().unwrap_or_default(),
            if object.power { "on" } else { "off" }.into(),
            phase(object),
            object.boots.to_string(),
            object.bmc.clone().unwrap_or_default(),
            object.image.clone().unwrap_or_default(),
        ]);
    }
    // A lab without VMs needs no accelerator.
    let accel = match status.accel.as_str() {
        "" => String::new(),
        accel => format!("accelerator: {accel}\n"),
    };
    let told = status.objects.iter().filter_map(|object| {
        let problem = object.problem.as_ref()?;
        Some(format!("{}: {problem}\n", object.target))
    });
    let problems: String = told.collect();
    format!(
        "lab {} ({}): {} for {:.0} s\n{accel}{}",
        status.name,
        status.id,
        talk::word(&status.phase),
        status.uptime_ms / 1000.0,
        table.text()
    ) + &problems
}
