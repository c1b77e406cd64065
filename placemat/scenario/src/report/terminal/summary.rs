//! The last words: each scenario in a line with what it measured, then every failure once more.

use super::super::timeline::{Run, ScenarioRun, is_bad};
use super::super::words;
use super::line::{Line, Style};
use super::{frame, plain};

/// All lines of the summary.
pub(super) fn lines(run: &Run) -> Vec<Line> {
    if run.scenarios.is_empty() && run.planned.is_empty() {
        return lab(run);
    }
    let mut lines = vec![Line::default()];
    let width = run
        .planned
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    for scenario in run.final_attempts() {
        lines.push(line(run, scenario, width));
        lines.extend(measured(scenario));
    }
    for name in run.not_run() {
        lines.push(Line::default().then(Style::Dim, format!("  – {name:width$}  not run")));
    }
    for scenario in run
        .final_attempts()
        .filter(|s| s.verdict.is_none_or(is_bad))
    {
        lines.extend(plain::failure_lines(run, scenario));
    }
    let verdict = format!(
        "{} {}",
        words::glyph(run.verdict),
        words::verdict(run.verdict).to_uppercase()
    );
    lines.push(Line::default());
    lines.push(Line::default().then(Style::of(run.verdict), verdict).then(
        Style::Plain,
        format!("  {} in {}", words::tally(run), words::duration(run.end_ms)),
    ));
    lines
}

fn line(run: &Run, scenario: &ScenarioRun, width: usize) -> Line {
    let attempt = if scenario.attempt > 1 {
        format!("  attempt {}", scenario.attempt)
    } else {
        String::new()
    };
    Line::default()
        .then(
            Style::of(scenario.verdict),
            format!("  {} ", words::glyph(scenario.verdict)),
        )
        .then(
            Style::Plain,
            format!(
                "{:width$}  {:>9}",
                scenario.name,
                words::duration(run.elapsed_ms(scenario))
            ),
        )
        .then(
            Style::Dim,
            format!("  {}{attempt}", words::verdict(scenario.verdict)),
        )
}

fn measured(scenario: &ScenarioRun) -> Vec<Line> {
    let budgets = scenario
        .steps
        .iter()
        .filter_map(|step| Some((step, step.measurement.as_ref()?)));
    let line = |(step, budget): (&str, &crate::event::Budget)| {
        let (style, glyph) = if budget.ok {
            (Style::Good, "✓")
        } else {
            (Style::Bad, "✕")
        };
        Line::new(format!(
            "      {step} {} {} of {} ",
            budget.name, budget.measured, budget.limit
        ))
        .then(style, glyph)
    };
    budgets
        .flat_map(|(step, m)| m.budgets.iter().map(|b| (step.path.as_str(), b)))
        .map(line)
        .collect()
}

/// A lab without scenarios.
fn lab(run: &Run) -> Vec<Line> {
    let servers = run.lanes.iter().filter(|lane| lane.is_server());
    let (up, all) = servers.fold((0, 0), |(up, all), lane| {
        (up + usize::from(frame::is_up(lane)), all + 1)
    });
    let phase = run
        .phases
        .last()
        .map_or("not started", |(_, phase)| words::lab_phase(*phase));
    // Servers that are down at the end of a stop are what was asked for.
    let stopping = run.is_stopping();
    let servers = if all > 0 && !stopping {
        format!(", {up} of {} up", words::count(all, "server", "servers"))
    } else {
        String::new()
    };
    let style = if up == all || stopping {
        Style::Good
    } else {
        Style::Warn
    };
    vec![
        Line::default()
            .then(style, format!("lab {phase}{servers}"))
            .then(Style::Dim, format!(", {}", words::duration(run.end_ms))),
    ]
}
