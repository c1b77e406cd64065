//! Runs a suite: scenarios in file order on one lab, each behind its steady-state gate.

mod evidence;
mod gate;
mod steps;

pub(crate) use evidence::take as take_evidence;
pub(crate) use gate::after_heal;
pub(crate) use steps::{run_from, run_step, run_steps};

use gate::hold;

use crate::context::{Case, Context, Run};
use crate::deadline::Deadline;
use crate::event::{Lane, Verdict, What};
use crate::model::{Scenario, Suite};
use crate::outcome::Outcome;
use crate::port::LabPort;
use crate::sink::EventSink;
use placemat_spec::Cluster;
use placemat_spec::selector::{Target, TargetKind};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The most that waiting deadlines are stretched. A host may compute thirty times slower, but most
/// of what is waited for is timers, which run as fast as everywhere; and a failure must be told
/// before its reader has gone home.
pub const MOST_STRETCH: f64 = 3.0;

/// How a run is to go.
pub struct RunOptions {
    /// Seed of every random choice.
    pub seed: u64,
    /// How much slower this host is than one with KVM, from the host probe. Waiting deadlines are
    /// stretched by it, at least 1 and at most [`MOST_STRETCH`]; budgets never are.
    pub slowness: f64,
    /// Cancelling it ends the run in order: scopes unwind, faults are healed.
    pub cancel: CancellationToken,
    /// Where events go.
    pub sink: EventSink,
}

/// What is known of a run before the lab is up; the first event.
#[derive(Debug, Clone, Default)]
pub struct RunInfo {
    /// Id of the run.
    pub run: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// placemat's version.
    pub version: String,
    /// Machine in words: cores, memory, kernel, accelerator.
    pub host: Vec<(String, String)>,
    /// The scenario files and folders that were asked for, as they were written.
    pub paths: Vec<String>,
    /// The data center, where it is another than the suite's.
    pub dc: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunVerdict {
    /// The worst of its scenarios.
    pub verdict: Verdict,
    /// Each scenario, in order.
    pub scenarios: Vec<ScenarioVerdict>,
    /// Whether it was cancelled from outside.
    pub interrupted: bool,
}

/// How a scenario ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioVerdict {
    /// Its name.
    pub scenario: String,
    /// How.
    pub verdict: Verdict,
    /// Why, when it did not pass.
    pub message: Option<String>,
}

impl RunVerdict {
    /// The exit code: 0 passed, 4 could not be judged, 6 failed or tested nothing. What to
    /// exit with after ^C is for the caller to say; see [`Self::interrupted`].
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Pass | Verdict::Skip | Verdict::Flaky => 0,
            Verdict::Inconclusive => 4,
            Verdict::Vacuous | Verdict::Fail => 6,
        }
    }
}

/// Writes the event with which a run begins, so that the lab's start can be recorded after it.
pub fn announce(suite: &Suite, cluster: &Cluster, info: RunInfo, sink: &EventSink) {
    sink.emit(What::RunStart {
        run: info.run,
        suite: suite.name.clone(),
        dc_given: info.dc.is_some(),
        dc: info.dc.unwrap_or_else(|| suite.dc.clone()),
        paths: info.paths,
        seed: info.seed,
        version: info.version,
        host: info.host,
        lanes: lanes(cluster),
        scenarios: suite
            .scenarios
            .iter()
            .map(|scenario| scenario.name.clone())
            .collect(),
    });
}

/// Lanes of the timeline: what has no rack first, then rack by rack, each in file order.
fn lanes(cluster: &Cluster) -> Vec<Lane> {
    let lane = |kind: TargetKind, name: &str, labels: &placemat_spec::resource::Labels| Lane {
        object: Target {
            kind,
            name: name.to_owned(),
        }
        .to_string(),
        rack: labels.get("rack").cloned(),
        role: labels.get("role").cloned(),
        tier: None,
    };
    let mut lanes: Vec<Lane> = Vec::new();
    lanes.extend(
        cluster
            .routers
            .values()
            .map(|r| lane(TargetKind::Router, &r.name, &r.labels)),
    );
    lanes.extend(
        cluster
            .boot_servers
            .values()
            .map(|b| lane(TargetKind::BootServer, &b.name, &b.labels)),
    );
    lanes.extend(cluster.nodes.values().map(|node| Lane {
        tier: Some(tier(node.tier).to_owned()),
        ..lane(TargetKind::Node, &node.name, &node.labels)
    }));
    let number = |lane: &Lane| {
        lane.rack
            .as_ref()
            .map(|rack| (rack.parse().unwrap_or(u64::MAX), rack.clone()))
    };
    lanes.sort_by_key(number);
    lanes
}

/// A tier as files write it.
pub(crate) fn tier(tier: placemat_spec::resource::Tier) -> &'static str {
    use placemat_spec::resource::Tier;
    match tier {
        Tier::Full => "full",
        Tier::Kernel => "kernel",
        Tier::Netns => "netns",
        Tier::Mock => "mock",
    }
}

/// Runs every scenario of the suite. Await it to the end even after cancelling: dropping it would
/// leave faults unhealed.
pub async fn run(suite: Suite, port: Arc<dyn LabPort>, options: RunOptions) -> RunVerdict {
    let RunOptions {
        seed,
        slowness,
        cancel,
        sink,
    } = options;
    let run = Arc::new(Run {
        port,
        sink: sink.clone(),
        seed,
        slowness: slowness.clamp(1.0, MOST_STRETCH),
    });
    let deadline = Deadline::starting_now(&suite.timeout, run.slowness, "the suite");
    let mut scenarios: Vec<ScenarioVerdict> = Vec::new();
    for scenario in suite.scenarios {
        let name = scenario.name.clone();
        sink.emit(What::ScenarioStart {
            scenario: name.clone(),
            loc: scenario.loc.clone(),
        });
        let broken = scenarios
            .iter()
            .find(|earlier| earlier.verdict > Verdict::Flaky)
            .map(|earlier| earlier.scenario.clone());
        let ended = if cancel.is_cancelled() {
            Outcome::interrupted()
        } else {
            run_scenario(scenario, &run, &deadline, &cancel, broken.as_deref()).await
        };
        let (verdict, message) = (ended.verdict, ended.message);
        sink.emit(What::ScenarioEnd {
            scenario: name.clone(),
            verdict,
            message: message.clone(),
        });
        scenarios.push(ScenarioVerdict {
            scenario: name,
            verdict,
            message,
        });
    }
    let interrupted = cancel.is_cancelled();
    let worst = scenarios.iter().map(|scenario| scenario.verdict).max();
    let verdict = match worst {
        None => Verdict::Vacuous,
        // What was cut short has not been judged.
        Some(verdict) if interrupted => verdict.max(Verdict::Inconclusive),
        Some(verdict) => verdict,
    };
    sink.emit(What::RunEnd { verdict });
    RunVerdict {
        verdict,
        scenarios,
        interrupted,
    }
}

async fn run_scenario(
    scenario: Scenario,
    run: &Arc<Run>,
    deadline: &Deadline,
    cancel: &CancellationToken,
    broken: Option<&str>,
) -> Outcome {
    let Scenario {
        name,
        timeout,
        gate,
        steps,
        ..
    } = scenario;
    let gate = gate.map(Arc::new);
    let boots = boots(run.port.as_ref()).await;
    let cx = Context {
        run: run.clone(),
        case: Arc::new(Case::new(&name, gate.clone(), boots)),
        path: String::new(),
        deadline: Deadline::starting_now(&timeout, run.slowness, "the scenario").within(deadline),
        cancel: cancel.clone(),
    };
    if let Some(gate) = &gate {
        // After an earlier failure a lab that is not steady proves nothing about this scenario.
        let before = hold(gate, &cx, "before", broken.is_none()).await;
        match broken {
            Some(earlier) if !before.is_good() && !before.interrupted => {
                let why = before.message.unwrap_or_default();
                return Outcome::of(
                    Verdict::Skip,
                    format!("the lab is not steady since `{earlier}` failed\n{why}"),
                );
            }
            _ if !before.is_good() => return told(before, &cx),
            _ => {}
        }
    } else if let Some(earlier) = broken {
        return Outcome::of(
            Verdict::Skip,
            format!(
                "`{earlier}` failed, and without `steady-state` nothing tells whether the lab is fit"
            ),
        );
    }
    let mut ended = run_steps(&steps, &cx).await;
    if ended.is_good()
        && let Some(gate) = &gate
    {
        ended = ended.and(hold(gate, &cx, "end", true).await);
    }
    told(ended, &cx)
}

/// The outcome of a scenario with the words of all its failures.
fn told(ended: Outcome, cx: &Context) -> Outcome {
    if ended.is_good() {
        if cx.case.performed.load(Ordering::SeqCst) == 0 {
            return Outcome::vacuous("every step was skipped by its `if`");
        }
        return Outcome {
            verdict: ended.verdict.min(Verdict::Pass),
            message: None,
            ..ended
        };
    }
    let failures = cx
        .case
        .failures
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let message = match (failures.is_empty(), ended.interrupted) {
        (false, _) => Some(failures.join("\n\n")),
        (true, true) => Some("interrupted".to_owned()),
        (true, false) => ended.message,
    };
    Outcome { message, ..ended }
}

/// Boots of every server so far, as far as the lab can say.
async fn boots(port: &dyn LabPort) -> HashMap<Target, u32> {
    let nodes: Vec<Target> = port
        .cluster()
        .nodes
        .keys()
        .map(|name| Target {
            kind: TargetKind::Node,
            name: name.clone(),
        })
        .collect();
    let mut boots = HashMap::new();
    for node in nodes {
        let asked = tokio::time::timeout(Duration::from_secs(10), port.boot_status(&node)).await;
        if let Ok(Ok(status)) = asked {
            boots.insert(node, status.boots);
        }
    }
    boots
}

#[cfg(test)]
mod tests;
