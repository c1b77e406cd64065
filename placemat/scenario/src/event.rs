//! `events.jsonl`: the one record of a run, one JSON object a line. The HTML report, JUnit and the
//! terminal are renderings of it, so any of them can be made again from the file alone.

use placemat_spec::event::LabEvent;
use serde::{Deserialize, Serialize};

/// Version of a line's schema.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// [`VERSION`] at the time of writing.
    pub v: u32,
    /// Milliseconds since the run began, monotonic.
    pub t_ms: f64,
    /// Wall clock, RFC 3339.
    pub wall: String,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// A place in a scenario file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Loc {
    /// File as the user gave it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// How a step, scenario or run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All held.
    Pass,
    /// Its needs were not met, or an earlier failure made it pointless.
    Skip,
    /// Passed on a retry.
    Flaky,
    /// The host was too busy or broken to judge.
    Inconclusive,
    /// Nothing was tested: counts as a failure.
    Vacuous,
    /// Something did not hold.
    Fail,
}

/// A lane of the timeline: one rack, node, router or boot server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// `node/rack1-cs1`.
    pub object: String,
    /// Rack label, when it has one.
    pub rack: Option<String>,
    /// Role label, when it has one.
    pub role: Option<String>,
    /// Tier of a node.
    pub tier: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// The run began.
    RunStart {
        /// Id of the run.
        run: String,
        /// Name of the suite.
        suite: String,
        /// Data center file.
        dc: String,
        /// Whether it was given for this run (`--dc`), rather than by the suite.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dc_given: bool,
        /// The scenario files and folders that were asked for, as they were written.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        paths: Vec<String>,
        /// Seed of every random choice.
        seed: u64,
        /// placemat's version.
        version: String,
        /// Machine in words: cores, memory, kernel, accelerator.
        host: Vec<(String, String)>,
        /// Lanes of the timeline, in display order.
        lanes: Vec<Lane>,
        /// Names of the scenarios to come, in order.
        scenarios: Vec<String>,
    },
    /// Something happened in the lab. `lab.t_ms` is on the lab's own clock; the line's `t_ms` counts.
    Lab {
        /// The event.
        lab: LabEvent,
    },
    /// A scenario began.
    ScenarioStart {
        /// Its name.
        scenario: String,
        /// Where it is.
        loc: Loc,
    },
    /// A step began. `path` is `1`, `1.2`, ... ; gates are `before`, `after-heal-N`, `end`.
    StepStart {
        /// Its scenario.
        scenario: String,
        /// Its place in the tree.
        path: String,
        /// Step kind (`eventually`, ...; `steady-state` for gates).
        kind: String,
        /// Its `name:`, or words made from what it does.
        name: String,
        /// Where it is.
        loc: Loc,
        /// Its effective deadline in milliseconds.
        deadline_ms: f64,
    },
    /// The last seen value of a waiting step changed.
    StepValue {
        /// Its scenario.
        scenario: String,
        /// Its place in the tree.
        path: String,
        /// In words.
        value: String,
    },
    /// A step ended.
    StepEnd {
        /// Its scenario.
        scenario: String,
        /// Its place in the tree.
        path: String,
        /// How.
        verdict: Verdict,
        /// Why, when it did not pass: one line a target.
        message: Option<String>,
        /// How often it probed.
        tries: u32,
        /// For a failed `eventually` that came true while watched on: how long after its start.
        late_ms: Option<f64>,
    },
    /// A fault was applied.
    FaultApplied {
        /// Its scenario.
        scenario: String,
        /// Path of its step.
        path: String,
        /// Fault kind, as in the file.
        kind: String,
        /// What it broke.
        targets: Vec<String>,
    },
    /// A fault was seen to be in effect.
    FaultObserved {
        /// Its scenario.
        scenario: String,
        /// Path of its step.
        path: String,
    },
    /// A fault was undone.
    FaultHealed {
        /// Its scenario.
        scenario: String,
        /// Path of its step.
        path: String,
    },
    /// A `measure` step has its numbers.
    Measured {
        /// Its scenario.
        scenario: String,
        /// Path of its step.
        path: String,
        /// The numbers.
        measurement: Measurement,
    },
    /// Evidence was taken: a log, a table, an output.
    Evidence {
        /// Its scenario.
        scenario: String,
        /// Path of its step.
        path: String,
        /// What it is.
        title: String,
        /// The text, cut to 64 KiB.
        text: String,
    },
    /// A scenario ended.
    ScenarioEnd {
        /// Its name.
        scenario: String,
        /// How.
        verdict: Verdict,
        /// Why, when it did not pass.
        message: Option<String>,
    },
    /// The run ended.
    RunEnd {
        /// The worst verdict of its scenarios.
        verdict: Verdict,
    },
}

/// Numbers of one `measure` step. All times in milliseconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Measurement {
    /// Interval between packets of a flow.
    pub every_ms: f64,
    /// What they should cross, when the step said it.
    pub through: Option<String>,
    /// One entry a flow.
    pub flows: Vec<FlowMeasurement>,
    /// Share of flows that crossed `through` before the fault, 0 to 1.
    pub exposed: Option<f64>,
    /// Longest silence of any flow.
    pub max_gap_ms: f64,
    /// Packets lost, share of all sent, 0 to 1.
    pub loss: f64,
    /// From the fault to the last change of a route elsewhere before it was undone, the slowest of
    /// the faults; absent where none was asked for or no route changed.
    #[serde(default)]
    pub convergence_ms: Option<f64>,
    /// Share of the time in which work on the host waited for a processor, 0 to 1.
    #[serde(default)]
    pub host_waited: Option<f64>,
    /// Each budget with its verdict.
    pub budgets: Vec<Budget>,
}

/// One flow's numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FlowMeasurement {
    /// `node/a -> node/b :40001`.
    pub name: String,
    /// Whether link counters showed it to cross the target before the fault.
    pub exposed: Option<bool>,
    /// Packets sent.
    pub sent: u64,
    /// Packets lost.
    pub lost: u64,
    /// Longest silence.
    pub max_gap_ms: f64,
    /// When that silence began, on the run's clock.
    pub gap_start_ms: Option<f64>,
}

/// A budget and what was measured against it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Budget {
    /// `max-gap`, `max-loss`, `max-convergence`, `min-exposed`.
    pub name: String,
    /// What was allowed, with unit.
    pub limit: String,
    /// What was measured, with unit.
    pub measured: String,
    /// Whether it held.
    pub ok: bool,
}
