//! `placemat logs`.

mod follow;

use super::LabArg;
use crate::exit::{self, Code, Failure};
use anyhow::{Context, anyhow};
use follow::{Follower, Output};
use placemat_lab::log;
use placemat_lab::registry::Entry;
use placemat_spec::Cluster;
use placemat_spec::selector::{Selector, Target};
use placemat_spec::value::parse_duration;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Arguments of `logs`.
#[derive(Debug, clap::Args)]
pub(super) struct Logs {
    /// `router/x`, `node/x`, ...: everything that runs there; `router/x/bird`: one program; without
    /// it placemat's own log.
    #[arg(value_name = "TARGET[/APP]")]
    target: Option<String>,
    /// Go on with what comes, also after a restart, until the lab ends.
    #[arg(short, long)]
    follow: bool,
    /// Only what was said since: `5m` ago, or a time as `2026-11-21T09:30:00Z`. Exact to a second.
    #[arg(long, value_name = "AGE|TIME", value_parser = parse_since)]
    since: Option<SystemTime>,
    /// Only so many last lines of each program.
    #[arg(short = 'n', long = "lines", value_name = "N")]
    lines: Option<usize>,
    #[command(flatten)]
    lab: LabArg,
}

/// A log file, and what its lines are marked with where there are several.
#[derive(Debug)]
struct Source {
    /// Relative to the log directory.
    name: PathBuf,
    mark: String,
}

impl Logs {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        let Some(target) = &self.target else {
            // It has no place in the log directory, nor sizes by time.
            if self.since.is_some() {
                return Err(Failure::new(
                    exit::USAGE,
                    anyhow!("--since is for programs: lines of placemat's own log have their time"),
                ));
            }
            let own = vec![(entry.run_dir.join("placemat.log"), String::new(), 0)];
            return self.show(&entry, None, own);
        };
        let (target, app) = resolve(&entry, target)?;
        let logs = entry.run_dir.join(log::DIR);
        let folder = logs.join(log::folder(&target.kind.to_string(), &target.name));
        let sources = sources(&logs, &folder, app.as_deref());
        if sources.is_empty() && !self.follow {
            return Err(nothing(&folder, &target, app.as_deref()));
        }
        let several = sources.len() > 1 || (self.follow && app.is_none());
        let files = sources
            .iter()
            .map(|source| self.file(&logs, source, several));
        let files = files.collect();
        let watched = (folder.as_path(), app.as_deref());
        self.show(&entry, Some(watched), files)
    }

    fn file(&self, logs: &Path, source: &Source, several: bool) -> (PathBuf, String, u64) {
        let start = self
            .since
            .map_or(0, |since| log::size_at(logs, &source.name, since));
        let mark = if several {
            source.mark.clone()
        } else {
            String::new()
        };
        (logs.join(&source.name), mark, start)
    }

    /// Prints files from where they are to start, and follows them if asked.
    fn show(
        &self,
        entry: &Entry,
        watched: Option<(&Path, Option<&str>)>,
        files: Vec<(PathBuf, String, u64)>,
    ) -> Result<u8, Failure> {
        let mut output = Output::new();
        let mut follower = Follower::new(files, self.since.is_some(), self.lines);
        let shown = follower.catch_up(&mut output, !self.follow);
        if !shown.context("read the log").code(exit::HOST)? {
            return Ok(exit::OK);
        }
        if self.follow {
            let ended = follower.follow(&mut output, &entry.run_dir, watched);
            ended.context("follow the log").code(exit::HOST)?;
        }
        Ok(exit::OK)
    }
}

/// `5m`, or a time.
fn parse_since(text: &str) -> Result<SystemTime, String> {
    if let Ok(age) = parse_duration(text) {
        return SystemTime::now()
            .checked_sub(age)
            .ok_or_else(|| "that is before time began".into());
    }
    text.parse::<jiff::Timestamp>()
        .map(SystemTime::from)
        .map_err(|_| {
            "expected an age such as `90s`, `5m`, `1h30m`, or a time such as `2026-11-21T09:30:00Z`"
                .into()
        })
}

/// What is meant, by the lab's own copy of its cluster file: its socket is not needed for reading.
fn resolve(entry: &Entry, text: &str) -> Result<(Target, Option<String>), Failure> {
    let path = entry.run_dir.join("cluster.yml");
    let source = crate::input::source(&path)?;
    let (cluster, _) = Cluster::load(vec![source])?;
    let one = |text: &str| -> Result<Target, String> {
        let found = Selector::parse(text).and_then(|it| it.resolve(&cluster));
        let found = found.map_err(|error| format!("{}; {}", error.message, error.hint))?;
        match <[Target; 1]>::try_from(found) {
            Ok([target]) => Ok(target),
            Err(many) => Err(format!("{text} means {} objects; name one", many.len())),
        }
    };
    let whole = match one(text) {
        Ok(target) => return Ok((target, None)),
        Err(error) => error,
    };
    if let Some((target, app)) = text.rsplit_once('/')
        && let Ok(target) = one(target)
    {
        return Ok((target, Some(app.to_owned())));
    }
    Err(Failure::new(exit::USAGE, anyhow!("{whole}"))
        .hint("targets are `router/NAME`, `node/NAME`, ..., with `/APP` behind it for one program"))
}

/// Log files of an object, of one program of it if asked, by name.
fn sources(logs: &Path, folder: &Path, app: Option<&str>) -> Vec<Source> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut sources: Vec<Source> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let mark = path.file_stem()?.to_str()?.to_owned();
            let wanted =
                path.extension().is_some_and(|it| it == "log") && app.is_none_or(|app| app == mark);
            wanted.then(|| Source {
                name: path.strip_prefix(logs).unwrap_or(&path).to_owned(),
                mark,
            })
        })
        .collect();
    sources.sort_by(|a, b| a.mark.cmp(&b.mark));
    sources
}

fn nothing(folder: &Path, target: &Target, app: Option<&str>) -> Failure {
    let all = sources(folder, folder, None);
    let names: Vec<&str> = all.iter().map(|source| source.mark.as_str()).collect();
    match app {
        Some(app) if !names.is_empty() => {
            Failure::new(exit::USAGE, anyhow!("{target} has no program `{app}`"))
                .hint(format!("its programs are {}", names.join(", ")))
        }
        _ => Failure::new(exit::LAB, anyhow!("{target} has said nothing yet"))
            .hint("-f waits for what comes"),
    }
}
