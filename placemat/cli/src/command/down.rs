//! `placemat down`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::{launch, place, talk};
use anyhow::anyhow;
use placemat_host::sandbox::Outside;
use placemat_lab::control::Client;
use placemat_lab::control::protocol::Request;
use placemat_lab::registry::{self, Entry};
use placemat_spec::value::{format_duration, parse_duration};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the kernel is given for ending processes that were killed.
const KERNEL: Duration = Duration::from_secs(30);

/// Arguments of `down`.
#[derive(Debug, clap::Args)]
pub(super) struct Down {
    /// The file that the lab was made from, instead of --lab.
    file: Option<PathBuf>,
    /// A lab that has not shut down in order by then is killed.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    grace: Duration,
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
        let grace = self.grace;
        launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await?;
            // Found while it certainly lives.
            let outside = client.lab_pid().and_then(|pid| Outside::of(pid).ok());
            client.send(&Request::Down, &[]).await?;
            // Its socket closes when the lab has ended.
            let ended = tokio::time::timeout(grace, client.answer()).await.is_ok();
            // The waits below block, and nothing else runs here.
            end(&entry, outside, ended, grace)
        })
    }
}

/// Sees to it that nothing of a lab is left which was told to end; `ended`: it did.
fn end(
    entry: &Entry,
    outside: Option<Outside>,
    ended: bool,
    grace: Duration,
) -> Result<u8, Failure> {
    let name = format!("lab {} ({})", entry.card.name, entry.card.id);
    if ended && registry::await_end(&entry.run_dir, grace) {
        return Ok(swept());
    }
    let waited = format_duration(grace);
    let stuck = |what: &str| {
        Failure::new(exit::LAB, anyhow!("{name} {what}")).hint(
            "`ps` shows its processes; the kernel ends all of them with the one that has PID 1 inside",
        )
    };
    let Some(outside) = outside else {
        return Err(stuck(&format!(
            "did not end within {waited}, and its processes could not be found"
        )));
    };
    if !outside.ended(Duration::ZERO) {
        let init = outside.init();
        outside.kill().map_err(|error| {
            Failure::new(exit::LAB, anyhow!("kill process {init} of {name}: {error}"))
        })?;
        if !outside.ended(KERNEL) {
            return Err(stuck(&format!(
                "was killed (process {init}), but did not end"
            )));
        }
        talk::say(&format!(
            "warning: {name} did not shut down within {waited}: killed (its first process, {init}); the kernel has removed the rest"
        ));
    }
    if !registry::await_end(&entry.run_dir, Duration::ZERO) {
        outside.wake_parent();
        if !registry::await_end(&entry.run_dir, KERNEL) {
            return Err(stuck(
                "has ended, but a process still holds its run directory",
            ));
        }
    }
    Ok(swept())
}

/// Best effort: the next `up` sweeps, too.
fn swept() -> u8 {
    let _ = place::registry().sweep();
    exit::OK
}

/// The id of the one live lab that was made from a file.
fn name_of(file: &Path) -> Result<String, Failure> {
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
