//! `placemat apply`: makes of a live lab what other files say, and leaves the rest of it alone.

use super::LabArg;
use crate::exit::{self, Code, Failure};
use crate::{fetch, input, launch, place, proposal, provision, talk};
use anyhow::Context;
use placemat_lab::control::Proposal;
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::image::Wanted;
use placemat_lab::registry::Entry;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

/// Arguments of `apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    lab: LabArg,
    /// Do not ask. Needed where standard input is no terminal.
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    cache: place::CacheArg,
}

impl Apply {
    pub(super) fn run(self) -> Result<u8, Failure> {
        if !self.yes && !std::io::stdin().is_terminal() {
            let error = anyhow::anyhow!(
                "apply asks before it changes a lab, and standard input is no terminal"
            );
            let hint = "`--yes` goes ahead; `placemat plan --lab LAB FILE` shows what would change";
            return Err(Failure::new(exit::USAGE, error).hint(hint));
        }
        let entry = self.lab.find()?;
        let sources = input::read(&self.files)?;
        // All that can be known is known before the lab is asked; images come from outside of it.
        let loaded = input::cluster(&sources)?;
        loaded.warn();
        input::check_host(&loaded.cluster)?;
        let cache = self.cache.path();
        let images = fetch::images(&loaded.cluster, &cache, Wanted::Used)?;
        provision::images(&loaded.cluster, &cache)?;
        if let Some(data_dir) = &entry.card.data_dir {
            input::check_space(&loaded.cluster, data_dir, Some(&images))?;
        }
        let mut proposal = proposal::of(&self.files, &sources, &loaded, &entry, cache)?;
        let seen = launch::run(proposal::compare(&entry, &proposal))?;
        if !seen.refused.is_empty() {
            return Err(proposal::refused(&seen.refused));
        }
        if seen.changes.is_empty() {
            talk::say("nothing to do: the lab is what the files say");
            return Ok(exit::OK);
        }
        talk::data(&seen.changes.to_string())?;
        if !self.yes && !agreed(&entry)? {
            talk::say("nothing was changed");
            return Ok(exit::OK);
        }
        proposal.agreed = Some(seen.changes.objects);
        proposal::settle(&sources, &loaded, &entry)?;
        let failures = launch::run(change(&entry, &proposal))?;
        // Held until the lab holds them itself.
        drop(images);
        if failures.is_empty() {
            return Ok(exit::OK);
        }
        let count = talk::count(failures.len(), "object", "objects");
        let error = anyhow::anyhow!("{count} could not be changed: {}", failures.join("; "));
        Err(Failure::new(exit::LAB, error)
            .hint("`placemat plan --lab LAB FILE` shows what is left; apply it again"))
    }
}

fn agreed(entry: &Entry) -> Result<bool, Failure> {
    let mut stderr = std::io::stderr();
    write!(
        stderr,
        "\nchange lab {} ({})? [y/N] ",
        entry.card.name, entry.card.id
    )
    .and_then(|()| stderr.flush())
    .context("ask")
    .code(exit::HOST)?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("read the answer")
        .code(exit::HOST)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Has the lab changed, and shows each step; what failed.
async fn change(entry: &Entry, proposal: &Proposal) -> Result<Vec<String>, Failure> {
    let mut client = proposal::send(&entry.run_dir, &Request::Apply, proposal).await?;
    loop {
        match client.answer().await? {
            Answer::Step {
                object,
                text,
                failed,
            } => {
                let failed = if failed { "failed: " } else { "" };
                talk::say(&format!("{object}: {failed}{text}"));
            }
            Answer::Applied { failures } => return Ok(failures),
            other => {
                let error = placemat_lab::control::ClientError::Unexpected(Box::new(other));
                return Err(error.into());
            }
        }
    }
}
