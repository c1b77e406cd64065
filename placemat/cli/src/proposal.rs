//! New files for a live lab, on their way there.

use crate::exit::{self, Failure};
use crate::input::Loaded;
use anyhow::Context;
use placemat_lab::change::Changes;
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError, Proposal, ProposedSource};
use placemat_lab::registry::Entry;
use std::path::{Path, PathBuf};

/// A proposal of what was loaded from files that the user named.
pub(crate) fn of(
    files: &[PathBuf],
    loaded: &Loaded,
    cache_dir: PathBuf,
) -> Result<Proposal, Failure> {
    let files = files
        .iter()
        .map(|file| std::path::absolute(file))
        .collect::<Result<_, _>>()
        .context("find the current directory")?;
    let source = |source: &placemat_spec::Source| ProposedSource {
        name: source.name.clone(),
        // The lab may be elsewhere.
        dir: std::path::absolute(&source.dir).unwrap_or_else(|_| source.dir.clone()),
        text: source.text.to_string(),
    };
    Ok(Proposal {
        sources: loaded.sources.iter().map(source).collect(),
        files,
        cache_dir,
        agreed: None,
    })
}

/// What a lab says of a proposal.
pub(crate) struct Seen {
    /// All that differs.
    pub(crate) changes: Changes,
    /// What cannot be done live, in words; empty where all can.
    pub(crate) refused: String,
}

/// Asks a lab what a proposal would change.
pub(crate) async fn compare(entry: &Entry, proposal: &Proposal) -> Result<Seen, Failure> {
    let mut client = send(&entry.run_dir, &Request::Plan, proposal).await?;
    match client.answer().await? {
        Answer::Plan { changes, refused } => Ok(Seen { changes, refused }),
        other => Err(ClientError::Unexpected(Box::new(other)).into()),
    }
}

/// Sends a request with a proposal beside it.
pub(crate) async fn send(
    run_dir: &Path,
    request: &Request,
    proposal: &Proposal,
) -> Result<Client, Failure> {
    let file = proposal.seal().context("write the proposal")?;
    let mut client = Client::connect(run_dir).await?;
    client.send(request, &[file]).await?;
    Ok(client)
}

/// The failure that something cannot be done on a live lab.
pub(crate) fn refused(text: &str) -> Failure {
    let text = text.trim_end();
    Failure::new(exit::SPEC, anyhow::anyhow!("{text}\nnothing was changed"))
}
