//! `placemat image`.

use crate::exit::{self, Failure};
use crate::progress::size;
use crate::{fetch, input, place, talk};
use anyhow::Context;
use clap::Subcommand;
use placemat_lab::image::{Entry, Store, Wanted};
use placemat_spec::resource::ImageSource;
use placemat_spec::value::parse_duration;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `image`.
#[derive(Debug, clap::Args)]
pub(super) struct ImageVerb {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List the images in the cache.
    Ls {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        cache: place::CacheArg,
    },
    /// Fetch the images and data files of cluster files, and start nothing.
    Pull {
        /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        cache: place::CacheArg,
    },
    /// Remove images that no running lab uses, and downloads that were cut off.
    Prune {
        /// Only those that were not used for so long, such as `30d`.
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        unused_for: Option<Duration>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        cache: place::CacheArg,
    },
}

impl ImageVerb {
    pub(super) fn run(self) -> Result<u8, Failure> {
        match self.act {
            Act::Ls { json, cache } => ls(json, &cache),
            Act::Pull { files, json, cache } => pull(&files, json, &cache),
            Act::Prune {
                unused_for,
                json,
                cache,
            } => prune(unused_for.unwrap_or_default(), json, &cache),
        }
    }
}

fn ls(json: bool, cache: &place::CacheArg) -> Result<u8, Failure> {
    let cache = cache.path();
    let entries = Store::new(&cache)
        .list()
        .map_err(|error| fetch::failure(&error))?;
    if entries.is_empty() && !json {
        talk::say("the cache has no image");
        return Ok(exit::OK);
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    if !json {
        let _ = writeln!(text, "{:<7} {:<10} {:<12} SOURCE", "SIZE", "USED", "SHA256");
    }
    for entry in entries {
        let _ = if json {
            writeln!(text, "{}", as_json(&entry, &cache))
        } else {
            writeln!(
                text,
                "{:<7} {:<10} {:<12} {}",
                size(entry.size),
                day(entry.used),
                &entry.sha256.get(..12).unwrap_or_default(),
                entry.source
            )
        };
    }
    talk::data(&text)?;
    Ok(exit::OK)
}

fn as_json(entry: &Entry, cache: &std::path::Path) -> serde_json::Value {
    json!({
        "source": entry.source,
        "compression": entry.compression,
        "sha256": entry.sha256,
        "size": entry.size,
        "path": entry.file.as_ref().map(|file| cache.join("images").join(file)),
        "fetched": time(entry.fetched),
        "used": time(entry.used),
    })
}

fn time(seconds: u64) -> Option<String> {
    let seconds = i64::try_from(seconds).ok()?;
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.to_string())
}

/// Its date, in UTC.
fn day(seconds: u64) -> String {
    let time = time(seconds).unwrap_or_default();
    time.get(..10).unwrap_or_default().to_owned()
}

fn pull(files: &[PathBuf], json: bool, cache: &place::CacheArg) -> Result<u8, Failure> {
    let loaded = input::cluster(&input::read(files)?)?;
    loaded.warn();
    let images = fetch::images(&loaded.cluster, &cache.path(), Wanted::All)?;
    let mut text = String::new();
    for image in loaded.cluster.images.values() {
        let path = match &image.source {
            ImageSource::Bundle(path) => path.as_path(),
            ImageSource::File(_) | ImageSource::Url(_) => match images.disk(&image.name) {
                Some(path) => path,
                None => continue,
            },
        };
        // Writing to a string does not fail.
        let _ = if json {
            writeln!(text, "{}", json!({"image": image.name, "path": path}))
        } else {
            writeln!(text, "{:<20} {}", image.name, path.display())
        };
    }
    talk::data(&text)?;
    Ok(exit::OK)
}

fn prune(unused_for: Duration, json: bool, cache: &place::CacheArg) -> Result<u8, Failure> {
    let mut pruned = Store::new(&cache.path())
        .prune(unused_for)
        .map_err(|error| fetch::failure(&error))?;
    let unpacked = placemat_lab::oci::Store::new(&cache.path())
        .prune(unused_for)
        .context("prune OCI images")?;
    pruned.files += unpacked.files;
    pruned.bytes += unpacked.bytes;
    pruned.kept += unpacked.kept;
    if json {
        let (files, bytes, kept) = (pruned.files, pruned.bytes, pruned.kept);
        talk::data(&format!(
            "{}\n",
            json!({"files": files, "bytes": bytes, "kept": kept})
        ))?;
        return Ok(exit::OK);
    }
    let files = talk::count(pruned.files, "file", "files");
    let in_use = match pruned.kept {
        0 => String::new(),
        kept => format!("; {kept} in use"),
    };
    talk::say(&format!("removed {files}, {}{in_use}", size(pruned.bytes)));
    Ok(exit::OK)
}
