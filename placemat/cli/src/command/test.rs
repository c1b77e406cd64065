//! `placemat test`.

use crate::exit::{self, Code, Failure};
use crate::live::{self, Ended, Live};
use crate::port::LivePort;
use crate::{bundle, fetch, input, launch, place, talk};
use anyhow::Context;
use placemat_host::sandbox::LabSide;
use placemat_lab::image::Wanted;
use placemat_lab::lab::LabOptions;
use placemat_scenario::load::{self, Draft};
use placemat_scenario::model::Suite;
use placemat_scenario::report;
use placemat_scenario::report::terminal::{self, Terminal};
use placemat_scenario::runner::{self, RunInfo, RunOptions, RunVerdict};
use placemat_scenario::sink::{self, EventSink};
use placemat_spec::Cluster;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// Scenario files, or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Write the HTML report here.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the JUnit report here.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the events here, one JSON object a line; the reports are made from them.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// When a scenario does not pass: put reports, logs, consoles and what the lab was made from here.
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Seed of every random choice [default: drawn, and shown].
    #[arg(long)]
    seed: Option<u64>,
    /// Data center to run on, instead of the one that the suite names.
    #[arg(long, value_name = "FILE")]
    dc: Option<PathBuf>,
    #[command(flatten)]
    cache: place::CacheArg,
}

/// Where reports go, with the ones not asked for in a folder of our own.
#[derive(Debug, Clone)]
struct Outputs {
    events: PathBuf,
    html: Option<PathBuf>,
    junit: Option<PathBuf>,
    bundle: Option<PathBuf>,
}

impl Test {
    pub(super) fn run(self) -> Result<u8, Failure> {
        for (flag, path) in [
            ("--html", &self.html),
            ("--junit", &self.junit),
            ("--events", &self.events),
            ("--bundle", &self.bundle),
        ] {
            if let Some(path) = path {
                input::check_visible(path, flag, exit::USAGE, "give a path elsewhere")?;
            }
        }
        let inputs = load::read(&self.paths).code(exit::SPEC)?;
        let draft = Draft::parse(inputs)?;
        let dc = self.dc.clone().unwrap_or_else(|| draft.dc().to_owned());
        // A first look at everything, before anything is written.
        let sources = input::read(std::slice::from_ref(&dc))?;
        let looked_at = input::cluster(&sources)?;
        draft.resolve(&looked_at.cluster)?;
        input::check_host(&looked_at.cluster)?;
        let started = jiff::Timestamp::now().to_string();
        let name = place::lab_name(&dc);
        let file = std::path::absolute(&dc).context("find the current directory")?;
        let cache = self.cache.path();
        let images = fetch::images(&looked_at.cluster, &cache, Wanted::Used)?;
        let claim = place::claim(&name, vec![file], started, None)?;
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let outputs = Outputs {
            events: match &self.events {
                Some(path) => absolute(path),
                None => claim.run_dir.join("run.jsonl"),
            },
            html: self.html.as_ref().map(absolute),
            junit: self.junit.as_ref().map(absolute),
            bundle: self.bundle.as_ref().map(absolute),
        };
        let (loaded, suite, events, provisions) = launch::prepare(&claim, || {
            let loaded = looked_at.settle(&sources, &claim.data_dir.join("dc"))?;
            let suite = draft.resolve(&loaded.cluster)?;
            live::keep(&claim.run_dir, &loaded.cluster)?;
            loaded.warn();
            input::check_space(&loaded.cluster, &claim.data_dir, Some(&images))?;
            // Opened here: inside, the run directory has another name, and an error should come early.
            let events = File::create(&outputs.events)
                .with_context(|| format!("create {}", outputs.events.display()))
                .code(exit::HOST)?;
            let provisions = crate::provision::make(&loaded.cluster, &claim, &cache)?;
            Ok((loaded, suite, events, provisions))
        })?;
        let options = live::options(&claim, cache, images, provisions);
        let seed = self.seed.unwrap_or_else(drawn_seed);
        let run = claim.card.id.clone();
        let stack = launch::prepare(&claim, || crate::network::stack(&loaded.cluster))?;
        let ways = launch::Ways {
            outpost: stack.is_some(),
            host_netns: false,
        };
        launch::in_sandbox(&claim, false, ways, |side| {
            let mut options = options;
            options.outside = crate::network::exit(stack, &side);
            run_suite(
                side,
                suite,
                loaded.cluster,
                options,
                Plan {
                    seed,
                    run,
                    events,
                    outputs,
                    paths: self.paths.iter().map(|path| written(path)).collect(),
                    dc: self.dc.as_deref().map(written),
                },
            )
        })
    }
}

struct Plan {
    seed: u64,
    run: String,
    events: File,
    outputs: Outputs,
    paths: Vec<String>,
    dc: Option<String>,
}

fn written(path: &Path) -> String {
    path.display().to_string()
}

fn drawn_seed() -> u64 {
    let now = jiff::Timestamp::now().as_nanosecond();
    // The low digits change most, and short seeds are easy to type.
    u64::try_from(now / 1000).unwrap_or(1) % 1_000_000
}

async fn run_suite(
    _side: LabSide,
    suite: Suite,
    cluster: Cluster,
    options: LabOptions,
    plan: Plan,
) -> Result<u8, Failure> {
    let run_dir = options.run_dir.clone();
    let sink = EventSink::new(Some(Box::new(std::io::BufWriter::new(plan.events))));
    let mut background = JoinSet::new();
    let display = {
        let terminal = Terminal::new(std::io::stderr(), crate::color::display());
        let events = sink.subscribe();
        let mut display = JoinSet::new();
        // A terminal that is gone must not end the run.
        display.spawn(async move { drop(terminal::show_run(terminal, events).await) });
        display
    };
    let kept = sink.subscribe();
    let mut live = Live::create(cluster, options).await?;
    let info = RunInfo {
        run: plan.run,
        seed: plan.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: crate::machine::describe(&live.lab),
        paths: plan.paths,
        dc: plan.dc,
    };
    runner::announce(&suite, &live.lab.cluster(), info, &sink);
    let copied = CancellationToken::new();
    let bus = live.lab.bus().subscribe_first();
    background.spawn(sink::forward(bus, sink.clone(), copied.clone()));
    let outcome = match live.start().await {
        Ended::Running => {
            let cancel = CancellationToken::new();
            let run = RunOptions {
                seed: plan.seed,
                slowness: live.lab.waiting_factor(),
                cancel: cancel.clone(),
                sink: sink.clone(),
            };
            let port = Arc::new(LivePort::new(live.lab.clone()));
            attend(&mut live, runner::run(suite, port, run), cancel).await
        }
        ended => Err(ended),
    };
    let (ended, verdict) = match outcome {
        Ok((verdict, ended)) => (ended, Some(verdict)),
        Err(ended) => (ended, None),
    };
    let finished = live.finish(ended).await;
    // The last of what happened in the lab, too.
    copied.cancel();
    background.join_all().await;
    let written = sink.finish().context("write the events").code(exit::HOST);
    display.join_all().await;
    render(kept, &plan.outputs)?;
    let passed = verdict
        .as_ref()
        .is_some_and(|verdict| verdict.exit_code() == exit::OK);
    if let (false, Some(dir)) = (passed, &plan.outputs.bundle) {
        bundle::collect(
            dir,
            &run_dir,
            [&plan.outputs.html, &plan.outputs.junit],
            &plan.outputs.events,
        )?;
    }
    written?;
    let code = finished?;
    Ok(match verdict {
        Some(verdict) if !verdict.interrupted => verdict.exit_code(),
        _ => code,
    })
}

/// Runs scenarios until they end. A signal or `down` cancels them, and they unwind in order.
async fn attend(
    live: &mut Live,
    run: impl Future<Output = RunVerdict>,
    cancel: CancellationToken,
) -> Result<(RunVerdict, Ended), Ended> {
    tokio::pin!(run);
    let ended = tokio::select! {
        verdict = &mut run => return Ok((verdict, Ended::Running)),
        ended = live.wait() => ended,
    };
    cancel.cancel();
    tokio::select! {
        verdict = &mut run => Ok((verdict, ended)),
        // A second signal does not wait for the unwinding.
        again = live.wait() => Err(again),
    }
}

/// Makes the reports from the events.
fn render(
    mut kept: tokio::sync::mpsc::UnboundedReceiver<placemat_scenario::event::Event>,
    outputs: &Outputs,
) -> Result<(), Failure> {
    let mut events = Vec::new();
    while let Ok(event) = kept.try_recv() {
        events.push(event);
    }
    let write = |path: &Option<PathBuf>,
                 text: fn(&[placemat_scenario::event::Event]) -> String,
                 what: &str| {
        let Some(path) = path else { return Ok(()) };
        write_report(path, &text(&events))?;
        talk::say(&format!("{what}: {}", path.display()));
        Ok::<(), Failure>(())
    };
    write(&outputs.junit, report::render_junit, "JUnit report")?;
    write(&outputs.html, report::render_html, "HTML report")
}

fn write_report(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .with_context(|| format!("write {}", path.display()))
        .code(exit::HOST)
}
