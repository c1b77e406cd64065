//! Events as lines: all a display without a TTY has, and what stays on the screen of a live one.

use super::super::timeline::{Run, is_bad};
use super::super::{failure, words};
use super::line::{Line, Style};
use crate::event::{Event, Verdict, What};
use placemat_spec::event::{AppState, BootPhase, LabEvent, LabEventKind, LabPhase};

/// Lines of an event of a run, which `run` has taken in already.
pub(super) fn lines(run: &Run, event: &Event) -> Vec<Line> {
    let line = Line::at(event.t_ms);
    match &event.what {
        What::RunStart {
            suite,
            dc,
            seed,
            scenarios,
            ..
        } => {
            let many = words::count(scenarios.len(), "scenario", "scenarios");
            vec![
                line.then(Style::Bold, suite)
                    .then(Style::Plain, format!(": {many} on {dc}, seed {seed}"))
                    .lasting(true),
            ]
        }
        What::Lab { lab } => lab_event(run, line, lab).into_iter().collect(),
        What::ScenarioStart { scenario, loc } => {
            vec![
                line.then(Style::Bold, scenario)
                    .then(Style::Dim, format!(" begins, {}", words::loc(loc))),
            ]
        }
        What::StepStart {
            scenario,
            path,
            kind,
            name,
            deadline_ms,
            ..
        } => {
            let deadline = words::duration(*deadline_ms);
            let text = format!("{scenario} {path} {kind}: {name}");
            vec![
                line.then(Style::Plain, text)
                    .then(Style::Dim, format!(" (deadline {deadline})")),
            ]
        }
        What::StepEnd {
            scenario,
            path,
            verdict,
            message,
            ..
        } => {
            vec![step_end(
                run,
                line,
                event.t_ms,
                (scenario, path),
                *verdict,
                message.as_deref(),
            )]
        }
        What::FaultApplied { kind, targets, .. } => {
            let text = format!("fault {kind} applied to {}", words::targets(run, targets));
            vec![line.then(Style::Warn, text)]
        }
        What::FaultObserved { scenario, path } => {
            vec![line.then(Style::Warn, fault(run, scenario, path, "observed"))]
        }
        What::FaultHealed { scenario, path } => {
            vec![line.then(Style::Warn, fault(run, scenario, path, "healed"))]
        }
        What::Measured {
            scenario,
            path,
            measurement,
        } => {
            let gap = words::duration(measurement.max_gap_ms);
            let loss = measurement.loss * 100.0;
            let flows = words::count(measurement.flows.len(), "flow", "flows");
            vec![line.then(
                Style::Plain,
                format!(
                    "{scenario} {path} measured {flows}: longest silence {gap}, {loss:.2} % lost"
                ),
            )]
        }
        What::ScenarioEnd {
            scenario,
            verdict,
            message,
        } => {
            let took = run
                .final_attempts()
                .find(|s| s.name == *scenario)
                .map_or(0.0, |s| run.elapsed_ms(s));
            vec![scenario_end(
                line,
                scenario,
                *verdict,
                message.as_deref(),
                took,
            )]
        }
        What::StepValue { .. } | What::Evidence { .. } | What::RunEnd { .. } => Vec::new(),
    }
}

/// Lines of an event of a lab without scenarios.
pub(super) fn lab_lines(run: &Run, event: &LabEvent) -> Vec<Line> {
    lab_event(run, Line::at(event.t_ms), event)
        .into_iter()
        .collect()
}

/// That it is alive, what it waits for, and since when; `None` where it waits for nothing, as a lab
/// that is up does.
pub(super) fn heartbeat(run: &Run, now_ms: f64) -> Option<Line> {
    let line = Line::at(now_ms).then(Style::Dim, "waiting: ");
    let open = run.scenarios.last().filter(|s| s.end_ms.is_none());
    let mut parts = Vec::new();
    if let Some((scenario, step)) = open.and_then(|s| Some((s, s.current_step()?))) {
        let (elapsed, deadline) = (
            words::duration(now_ms - step.start_ms),
            words::duration(step.deadline_ms),
        );
        parts.push(format!(
            "{} {} {} {elapsed} of {deadline}",
            scenario.name, step.path, step.kind
        ));
        parts.extend(step.last_value().map(|value| format!("last value {value}")));
    }
    parts.extend(
        run.active_faults()
            .map(|f| format!("fault {} {}", f.kind, words::targets(run, &f.targets))),
    );
    let booting = run
        .lanes
        .iter()
        .filter(|lane| super::frame::is_booting(lane));
    let booting = booting.filter_map(|lane| {
        Some(format!(
            "{} {}",
            lane.name(),
            words::band(lane.state()?.kind)
        ))
    });
    parts.extend(booting.take(8));
    if let Some((since, phase)) = run.phases.last().filter(|(_, phase)| in_passing(*phase)) {
        parts.push(format!(
            "lab {} for {}",
            words::lab_phase(*phase),
            words::duration(now_ms - since)
        ));
    }
    (!parts.is_empty()).then(|| line.then(Style::Plain, parts.join("; ")))
}

/// Whether a lab should soon leave that phase.
fn in_passing(phase: LabPhase) -> bool {
    !matches!(phase, LabPhase::Running | LabPhase::Stopped)
}

fn step_end(
    run: &Run,
    line: Line,
    t_ms: f64,
    (scenario, path): (&str, &str),
    verdict: Verdict,
    message: Option<&str>,
) -> Line {
    let step = run.step(scenario, path);
    let took = words::duration(step.map_or(0.0, |step| t_ms - step.start_ms));
    let bad = is_bad(verdict);
    let line = line
        .then(Style::Plain, format!("{scenario} {path} "))
        .then(Style::of(Some(verdict)), words::verdict(Some(verdict)))
        .then(Style::Plain, format!(" after {took}"));
    let place = step
        .filter(|_| bad)
        .map(|step| format!(", {}", words::loc(&step.loc)));
    let line = line.then(Style::Dim, place.unwrap_or_default());
    match message.and_then(|message| message.lines().next()) {
        Some(first) => line.then(Style::Plain, format!(": {first}")),
        None => line,
    }
    .lasting(bad)
}

fn scenario_end(
    line: Line,
    scenario: &str,
    verdict: Verdict,
    message: Option<&str>,
    took_ms: f64,
) -> Line {
    let why = message
        .and_then(|m| m.lines().next())
        .map_or_else(String::new, |first| format!(": {first}"));
    let style = Style::of(Some(verdict));
    line.then(
        style,
        format!(
            "{} {} ",
            words::glyph(Some(verdict)),
            words::verdict(Some(verdict))
        ),
    )
    .then(Style::Bold, scenario)
    .then(
        Style::Plain,
        format!(" in {}{why}", words::duration(took_ms)),
    )
    .lasting(true)
}

fn fault(run: &Run, scenario: &str, path: &str, what: &str) -> String {
    let found = run
        .faults
        .iter()
        .rev()
        .find(|f| f.scenario == scenario && f.path == path);
    match found {
        Some(fault) => format!("fault {} {what}", fault.kind),
        None => format!("fault of {scenario} {path} {what}"),
    }
}

fn lab_event(run: &Run, line: Line, event: &LabEvent) -> Option<Line> {
    let name = event
        .object
        .split_once('/')
        .map_or(event.object.as_str(), |(_, name)| name);
    let line = match &event.what {
        LabEventKind::Lab { phase } => {
            return Some(
                line.then(Style::Bold, "lab")
                    .then(Style::Plain, format!(": {}", words::lab_phase(*phase))),
            );
        }
        // The loss of power says so itself, and names its cause.
        LabEventKind::Boot {
            phase: BootPhase::Off,
            ..
        } => return None,
        LabEventKind::Boot {
            phase,
            boot,
            detail,
        } => {
            let style = if *phase >= BootPhase::Agent {
                Style::Good
            } else {
                Style::Plain
            };
            let number = if *boot > 1 {
                format!(", boot {boot}")
            } else {
                String::new()
            };
            let detail = detail
                .as_ref()
                .map_or_else(String::new, |detail| format!(" ({detail})"));
            line.then(Style::Plain, format!("{name}: "))
                .then(style, words::phase(*phase))
                .then(Style::Dim, format!("{number}{detail}"))
        }
        // At the start everything is switched on: the phases of the lab say so in four lines.
        LabEventKind::Power { on, cause } if cause != "start" => {
            let state = if *on { "on" } else { "off" };
            line.then(Style::Plain, format!("{name}: power {state}"))
                .then(Style::Dim, format!(" by {cause}"))
        }
        LabEventKind::App { .. } if run.is_stopping() => return None,
        LabEventKind::App { app, state, detail } => {
            let word = match state {
                AppState::Started | AppState::Ready => return None,
                AppState::Ended => "ended",
                AppState::Restarting => "restarts",
                AppState::Failed => "could not be started",
            };
            let detail = detail
                .as_ref()
                .map_or_else(String::new, |detail| format!(": {detail}"));
            line.then(Style::Warn, format!("{name}: {app} {word}{detail}"))
                .lasting(*state != AppState::Restarting)
        }
        LabEventKind::Note { text } => line
            .then(Style::Plain, format!("{name}: {text}"))
            .lasting(event.object == "lab"),
        LabEventKind::Power { .. }
        | LabEventKind::Link { .. }
        | LabEventKind::Http { .. }
        | LabEventKind::Dhcp { .. } => return None,
    };
    Some(line)
}

/// The whole story of a scenario that did not pass.
pub(super) fn failure_lines(
    run: &Run,
    scenario: &super::super::timeline::ScenarioRun,
) -> Vec<Line> {
    let style = Style::of(scenario.verdict);
    let head = Line::default()
        .then(
            style,
            format!(
                "{} {} ",
                words::glyph(scenario.verdict),
                words::verdict(scenario.verdict).to_uppercase()
            ),
        )
        .then(Style::Bold, &scenario.name)
        .then(Style::Dim, format!("  {}", words::loc(&scenario.loc)));
    let mut lines = vec![Line::default(), head];
    lines.extend(
        failure::lines(run, scenario)
            .into_iter()
            .map(|text| Line::new(format!("    {text}"))),
    );
    if let Some(command) = run.rerun(Some(scenario)) {
        lines.push(
            Line::default()
                .then(Style::Dim, "    rerun: ")
                .then(Style::Plain, command),
        );
    }
    lines
}
