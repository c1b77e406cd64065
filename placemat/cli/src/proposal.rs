//! New files for a live lab, on their way there.

use crate::exit::{self, Failure};
use crate::expansion;
use crate::input::Loaded;
use anyhow::Context;
use placemat_lab::change::Changes;
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError, Proposal, ProposedSource};
use placemat_lab::registry::Entry;
use placemat_menu::neco;
use placemat_spec::Source;
use std::path::{Path, PathBuf};

/// A proposal of what was loaded from files that the user named. What a rack spec expands to is proposed as if it lay where
/// it will, in the lab's data directory.
pub(crate) fn of(
    files: &[PathBuf],
    specs: &[Source],
    loaded: &Loaded,
    entry: &Entry,
    cache_dir: PathBuf,
) -> Result<Proposal, Failure> {
    let files = files
        .iter()
        .map(std::path::absolute)
        .collect::<Result<_, _>>()
        .context("find the current directory")?;
    let mut proposal = Proposal {
        sources: loaded.cluster.sources.iter().map(proposed).collect(),
        files,
        cache_dir,
        contents: Vec::new(),
        agreed: None,
    };
    let Some(dir) = folder(specs, entry)? else {
        return Ok(proposal);
    };
    for file in &loaded.files {
        let path = dir.join(&file.path);
        if file.path == Path::new("cluster.yml") {
            let mut source = Source::file(&path, file.contents.as_str());
            source.dir.clone_from(&dir);
            proposal.sources = vec![proposed(&source)];
        }
        proposal.contents.push((path, file.contents.clone()));
    }
    Ok(proposal)
}

/// Writes what a rack spec expands to where the lab will look for it.
pub(crate) fn settle(specs: &[Source], loaded: &Loaded, entry: &Entry) -> Result<(), Failure> {
    match folder(specs, entry)? {
        Some(dir) => expansion::put_all(&loaded.files, &dir),
        None => Ok(()),
    }
}

/// The folder that the expansion of a rack spec is in; none where there is no rack spec.
fn folder(specs: &[Source], entry: &Entry) -> Result<Option<PathBuf>, Failure> {
    let [spec] = specs else { return Ok(None) };
    if neco::is_menu(spec) {
        // Its files name each other by the folder that they were written to.
        let error = anyhow::anyhow!("a live lab cannot be changed to a menu of Neco's");
        return Err(Failure::new(exit::USAGE, error)
            .hint("write it out with `placemat menu`, and apply its cluster.yml"));
    }
    if !placemat_menu::is_rack_spec(spec) {
        return Ok(None);
    }
    let data = entry.card.data_dir.as_ref().ok_or_else(|| {
        let error = anyhow::anyhow!("the lab does not tell where its data directory is");
        Failure::new(exit::LAB, error).hint("an older placemat started it")
    })?;
    Ok(Some(data.join("dc")))
}

fn proposed(source: &Source) -> ProposedSource {
    ProposedSource {
        name: source.name.clone(),
        // The lab may be elsewhere.
        dir: std::path::absolute(&source.dir).unwrap_or_else(|_| source.dir.clone()),
        text: source.text.to_string(),
    }
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
