//! The runner against a lab in memory, on a paused clock.

mod fault;
mod measure;
mod schema;

use super::*;
use crate::event::Event;
use crate::fake::{self, FakeLab};
use crate::load::{Draft, Input};
use placemat_spec::Source;
use std::fmt::Write;

const SUITE: &str = "
kind: Suite
name: tests
dc: dc.yml
---
kind: Library
name: lib
conditions:
  steady:
    all:
      - bgp: {of: router/*}
      - reachable: {from: router/*, to: router/*}
";

fn suite(text: &str) -> Suite {
    let input = |name: &str, text: &str| Input {
        source: Source::inline(name, text),
        asked: true,
    };
    let loaded = Draft::parse(vec![input("suite.yml", SUITE), input("t.yml", text)])
        .and_then(|draft| draft.resolve(&fake::cluster()));
    schema::takes(text);
    loaded.unwrap_or_else(|problems| panic!("{problems}"))
}

/// A run that nobody watches, on a host this slow.
fn options(slowness: f64) -> RunOptions {
    RunOptions {
        seed: 7,
        slowness,
        cancel: CancellationToken::new(),
        sink: EventSink::new(None),
    }
}

fn target(name: &str) -> Target {
    let (kind, name) = name.split_once('/').unwrap();
    let kind = match kind {
        "node" => TargetKind::Node,
        _ => TargetKind::Router,
    };
    Target {
        kind,
        name: name.to_owned(),
    }
}

/// Runs the suite; the outcome and the steps as text.
async fn told(lab: FakeLab, text: &str) -> String {
    told_until(lab, text, CancellationToken::new()).await
}

async fn told_until(lab: FakeLab, text: &str, cancel: CancellationToken) -> String {
    let sink = EventSink::new(None);
    let mut live = sink.subscribe();
    let lab = Arc::new(lab);
    let options = RunOptions {
        seed: 7,
        slowness: 1.0,
        cancel,
        sink: sink.clone(),
    };
    let verdict = run(suite(text), lab.clone(), options).await;
    sink.finish().unwrap();
    let mut all = String::new();
    while let Some(event) = live.recv().await {
        tell(&mut all, &event);
    }
    let log = lab.log();
    let code = verdict.exit_code();
    let interrupted = if verdict.interrupted {
        ", interrupted"
    } else {
        ""
    };
    let _ = writeln!(all, "= {:?}, exit {code}{interrupted}", verdict.verdict);
    if !log.is_empty() {
        let _ = writeln!(all, "lab:\n{log}");
    }
    all
}

fn tell(all: &mut String, event: &Event) {
    let _ = match &event.what {
        What::ScenarioStart { scenario, .. } => writeln!(all, "scenario {scenario}"),
        What::StepStart {
            path,
            kind,
            name,
            deadline_ms,
            ..
        } => {
            let left = crate::words::span_ms(*deadline_ms);
            writeln!(all, "{path} {kind}: {name} (within {left})")
        }
        What::StepValue { path, value, .. } => writeln!(all, "{path}   {value}"),
        What::StepEnd {
            path,
            verdict,
            message,
            late_ms,
            ..
        } => {
            let late = late_ms.map_or(String::new(), |ms| format!(", late {ms:.0} ms"));
            let message = message.as_ref().map_or(String::new(), |m| format!("\n{m}"));
            writeln!(all, "{path} {verdict:?}{late}{message}")
        }
        What::FaultApplied {
            path,
            kind,
            targets,
            ..
        } => {
            writeln!(all, "{path} applied {kind} {}", targets.join(" "))
        }
        What::FaultObserved { path, .. } => writeln!(all, "{path} observed"),
        What::FaultHealed { path, .. } => writeln!(all, "{path} healed"),
        What::Measured {
            path, measurement, ..
        } => {
            let budgets: Vec<String> = measurement
                .budgets
                .iter()
                .map(|b| format!("{} {} of {} {}", b.name, b.measured, b.limit, b.ok))
                .collect();
            writeln!(
                all,
                "{path} measured {} flows; {}",
                measurement.flows.len(),
                budgets.join("; ")
            )
        }
        What::Evidence { path, title, .. } => writeln!(all, "{path} evidence: {title}"),
        What::ScenarioEnd {
            scenario,
            verdict,
            message,
        } => {
            let message = message.as_ref().map_or(String::new(), |m| format!("\n{m}"));
            writeln!(all, "{scenario} {verdict:?}{message}")
        }
        What::RunEnd { verdict } => writeln!(all, "run {verdict:?}"),
        What::RunStart { .. } | What::Lab { .. } => Ok(()),
    };
}

#[tokio::test(start_paused = true)]
async fn a_scenario_passes_behind_its_gates() {
    let text = "
kind: Scenario
name: passes
steady-state: {that: {use: lib.steady}, timeout: 30s, stable-for: 1s}
steps:
  - check: {that: {power: {of: node/*, is: On}}}
  - exec: {at: router/spine-1, argv: [echo, $(node/rack1-cs1.bmc)], expect: {stdout: {equals: 10.72.17.11}}}
  - fault:
      kind: carrier-down
      of: router/spine-1
      during:
        - eventually: {that: {not: {bgp: {of: router/spine-1}}}, timeout: 5s}
        - check: {that: {link: {of: router/spine-1, carrier: false}}}
";
    insta::assert_snapshot!(told(FakeLab::new(), text).await);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_reports_per_target_and_whether_it_was_only_late() {
    let text = "
kind: Scenario
name: slow
steps:
  - eventually: {that: {bgp: {of: router/role=spine}}, timeout: 4s}
";
    let lab = FakeLab::new();
    tokio::time::advance(Duration::from_secs(2)).await;
    lab.set(|knobs| knobs.converge = Duration::from_secs(5));
    let never = FakeLab::new();
    never.set(|knobs| knobs.fragile = true);
    never.upset();
    lab.upset();
    insta::assert_snapshot!("late", told(lab, text).await);
    insta::assert_snapshot!("never", told(never, text).await);
}

#[tokio::test(start_paused = true)]
async fn a_failed_wait_is_watched_on_for_a_moment_however_slow_the_host() {
    let text = |late: &str| {
        format!(
            "
kind: Scenario
name: slow
timeout: 30m
steps:
  - eventually: {{that: {{bgp: {{of: router/spine-1}}}}, timeout: 60s{late}}}
"
        )
    };
    let message = async |late: &str| {
        let lab = FakeLab::new();
        lab.set(|knobs| knobs.fragile = true);
        lab.upset();
        let verdict = run(suite(&text(late)), Arc::new(lab), options(3.0)).await;
        let message = verdict.scenarios[0].message.clone().unwrap_or_default();
        message.lines().last().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(message("").await, @"still not so 5 s later, at 3 min 5 s");
    insta::assert_snapshot!(message(", late: 20%").await, @"still not so 12 s later, at 3 min 12 s");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_scenario_counts_for_its_steps() {
    let text = "
kind: Scenario
name: short
timeout: 2s
steps:
  - name: hangs
    exec: {at: router/spine-1, argv: [hang]}
";
    insta::assert_snapshot!(told(FakeLab::new(), text).await);
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_healed_when_a_step_inside_fails() {
    let text = "
kind: Scenario
name: fails
steps:
  - fault:
      kind: power-loss
      of: feed/feed-rack1
      during:
        - exec: {at: router/spine-1, argv: ['false']}
        - exec: {at: router/spine-1, argv: [echo, never]}
  - exec: {at: router/spine-1, argv: [echo, neither]}
---
kind: Scenario
name: next
steps:
  - check: {that: {power: {of: node/*, is: On}}}
";
    insta::assert_snapshot!(told(FakeLab::new(), text).await);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_suite_goes_on_where_the_lab_is_steady() {
    let text = "
kind: Scenario
name: fails
steady-state: {use: lib.steady}
steps:
  - check: {that: {power: {of: router/spine-1, is: Off}}}
---
kind: Scenario
name: goes-on
steady-state: {use: lib.steady}
steps:
  - check: {that: {power: {of: node/*, is: On}}}
";
    insta::assert_snapshot!("steady", told(FakeLab::new(), text).await);
    let fragile = text.replace(
        "- check: {that: {power: {of: router/spine-1, is: Off}}}",
        "- fault: {kind: carrier-down, of: router/spine-1, for: 1s}",
    );
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.fragile = true);
    insta::assert_snapshot!("not_steady", told(lab, &fragile).await);
}

#[tokio::test(start_paused = true)]
async fn a_fault_without_effect_is_vacuous_and_one_that_stays_is_a_failure() {
    let text = "
kind: Scenario
name: fault
steps:
  - fault: {kind: carrier-down, of: router/spine-1, for: 1s}
";
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.effective = false);
    insta::assert_snapshot!("no_effect", told(lab, text).await);
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.stuck = vec![target("router/spine-1")]);
    insta::assert_snapshot!("stays", told(lab, text).await);
}

#[tokio::test(start_paused = true)]
async fn boots_that_were_not_counted_at_the_start_are_unknown() {
    let text = "
kind: Scenario
name: boots
steps:
  - sleep: {for: 1s, reason: the server answers again}
  - check: {that: {booted: {of: node/rack1-cs1}}}
  - continue: true
    check: {that: {booted: {of: node/rack1-cs1, times: 1}}}
  - check: {that: {not: {booted: {of: node/rack1-cs1, times: 0}}}}
";
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.mute = vec![target("node/rack1-cs1")]);
    let knobs = lab.knobs.clone();
    let soon = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        knobs.lock().unwrap().mute.clear();
    };
    let (told, ()) = tokio::join!(told(lab, text), soon);
    insta::assert_snapshot!(told);
}

#[tokio::test(start_paused = true)]
async fn cancelling_unwinds_scopes() {
    let text = "
kind: Scenario
name: cancelled
steps:
  - group:
      steps:
        - fault:
            kind: power-loss
            of: rack/1
            during:
              - exec: {at: router/spine-1, argv: [hang], env: {}}
      finally:
        - exec: {at: router/spine-1, argv: [echo, finally]}
---
kind: Scenario
name: never-begun
steps:
  - check: {that: {power: {of: node/*, is: On}}}
";
    let cancel = CancellationToken::new();
    let soon = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        cancel.cancel();
    };
    let (told, ()) = tokio::join!(told_until(FakeLab::new(), text, cancel.clone()), soon);
    insta::assert_snapshot!(told);
}

#[tokio::test(start_paused = true)]
async fn measure_passes_fails_and_is_vacuous() {
    let text = "
kind: Scenario
name: spine-loss
steps:
  - measure:
      flows: {from: node/rack=1+tier=netns, to: node/rack=2, count: 8, every: 10ms, through: router/spine-1}
      during:
        - fault: {kind: carrier-down, of: router/spine-1, for: 2s}
      expect: {min-exposed: 25%, max-gap: 1s}
";
    insta::assert_snapshot!("within_budget", told(FakeLab::new(), text).await);
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.loss = Duration::from_millis(1500));
    insta::assert_snapshot!("over_budget", told(lab, text).await);
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.crossing = 0);
    insta::assert_snapshot!("vacuous", told(lab, text).await);
}

#[tokio::test(start_paused = true)]
async fn always_allows_gaps_within_its_budget() {
    let text = "
kind: Scenario
name: always
steps:
  - eventually: {that: {bgp: {of: router/*}}}
  - always:
      that: {bgp: {of: router/spine-2}}
      max-gap: 2s
      during:
        - fault: {kind: carrier-down, of: router/spine-2, for: 500ms}
        - sleep: {for: 2s, reason: the test wants to see it come back}
  - always:
      that: {bgp: {of: router/spine-2}}
      max-gap: 2s
      during:
        - fault: {kind: carrier-down, of: router/spine-2, for: 30s}
";
    insta::assert_snapshot!(told(FakeLab::new(), text).await);
}

#[tokio::test(start_paused = true)]
async fn branches_loops_outputs_and_if() {
    let text = "
kind: Scenario
name: flow
steps:
  - id: who
    exec: {at: router/role=spine, argv: [whoami], outputs: {text: stdout}}
  - exec:
      at: router/role=spine
      run: \"true $(not substituted)\"
      env: {WHO: $(who.text)}
      expect: {exit: 0}
  - if: {power: {of: node/rack1-cs1, is: Off}}
    exec: {at: router/spine-1, argv: [echo, skipped]}
  - for-each:
      in: node/rack=1
      as: n
      steps:
        - power: {of: $(n), reset: PowerCycle}
        - check: {that: {booted: {of: $(n), times: 1, image: network}}}
  - continue: true
    exec: {at: router/spine-1, argv: ['false']}
  - parallel:
      branches:
        - - exec: {at: router/spine-1, argv: [hang]}
        - - exec: {at: router/spine-2, argv: [echo, a], expect: {stdout: {equals: b}}}
";
    insta::assert_snapshot!(told(FakeLab::new(), text).await);
}

#[tokio::test(start_paused = true)]
async fn a_scenario_whose_every_step_is_skipped_is_vacuous() {
    let text = "
kind: Scenario
name: idle
steps:
  - if: {power: {of: node/rack1-cs1, is: Off}}
    exec: {at: router/spine-1, argv: [echo, skipped]}
";
    insta::assert_snapshot!(told(FakeLab::new(), text).await);
}

#[tokio::test(start_paused = true)]
async fn an_if_that_cannot_be_asked_skips_nothing() {
    let text = "
kind: Scenario
name: unknown
steps:
  - if: {booted: {of: node/rack1-cs1, image: disk}}
    exec: {at: router/spine-1, argv: [echo, skipped]}
";
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.mute = vec![target("node/rack1-cs1")]);
    let verdict = run(suite(text), Arc::new(lab), options(1.0)).await;
    insta::assert_snapshot!(verdict.scenarios[0].message.clone().unwrap_or_default());
}

#[tokio::test(start_paused = true)]
async fn fail_fast_ends_a_wait_that_is_hopeless() {
    let text = "
kind: Scenario
name: hopeless
steps:
  - eventually:
      that: {booted: {of: node/rack1-cs1, image: disk}}
      fail-fast: {booted: {of: node/rack1-cs1, image: network}}
      timeout: 5m
";
    insta::assert_snapshot!(told(FakeLab::new(), text).await);
}

#[tokio::test(start_paused = true)]
async fn slowness_stretches_waits_and_never_budgets() {
    let text = "
kind: Scenario
name: slow-host
steps:
  - eventually: {that: {bgp: {of: router/*}}, timeout: 2s}
  - measure:
      flows: {from: router/spine-1, to: router/spine-2, count: 2, through: router/spine-1}
      during:
        - fault: {kind: carrier-down, of: router/spine-1, for: 2s}
      expect: {max-gap: 250ms}
";
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.converge = Duration::from_secs(5));
    lab.upset();
    let verdict = run(suite(text), Arc::new(lab), options(3.0)).await;
    insta::assert_snapshot!(verdict.scenarios[0].message.clone().unwrap_or_default());
}

#[tokio::test(start_paused = true)]
async fn a_route_can_be_asked_for_by_its_next_hops() {
    let text = "
kind: Scenario
name: routes
steps:
  - eventually: {that: {route: {at: router/rack1-tor1, to: router/rack2-tor1, next-hops: 2}}}
  - check: {that: {route: {at: router/rack1-tor1, to: router/rack2-tor1, via: router/spine-1}}}
  - check: {that: {not: {route: {at: router/rack1-tor1, to: 10.69.9.0/24, via: router/spine-1}}}}
";
    insta::assert_snapshot!(told(FakeLab::new(), text).await);
}
