//! A scenario that did not pass, in lines of text: the same words in JUnit, on the terminal, and
//! (set as HTML) in the report.

use super::timeline::{EvidenceItem, Run, ScenarioRun, Step};
use super::words;

/// What is known about why a scenario did not pass, from the innermost step outwards.
pub(super) fn lines(run: &Run, scenario: &ScenarioRun) -> Vec<String> {
    let mut lines = Vec::new();
    let culprits = scenario.culprits();
    for step in &culprits {
        step_lines(step, &mut lines);
    }
    if let (true, Some(message)) = (culprits.is_empty(), &scenario.message) {
        lines.extend(message.lines().map(str::to_owned));
    }
    if let (None, Some(step)) = (scenario.end_ms, scenario.current_step()) {
        let at = words::duration(run.end_ms - step.start_ms);
        lines.push(format!(
            "the events end {at} into step {}",
            step_title(step)
        ));
        last_value(step, &mut lines);
    }
    if !scenario.evidence.is_empty() {
        lines.push(format!("evidence: {}", titles(&scenario.evidence)));
    }
    lines
}

/// `1.2 eventually, scenarios/x.yml:3:5: name`.
pub(super) fn step_title(step: &Step) -> String {
    format!(
        "{} {}, {}: {}",
        step.path,
        step.kind,
        words::loc(&step.loc),
        step.name
    )
}

fn step_lines(step: &Step, lines: &mut Vec<String>) {
    lines.push(format!("step {}", step_title(step)));
    if let Some(message) = &step.message {
        lines.extend(message.lines().map(|line| format!("  {line}")));
    }
    if step.message.is_none() {
        last_value(step, lines);
        let budgets = step
            .measurement
            .iter()
            .flat_map(|m| &m.budgets)
            .filter(|b| !b.ok);
        lines.extend(budgets.map(|b| format!("  {}: {}, limit {}", b.name, b.measured, b.limit)));
    }
    if step.deadline_ms > 0.0 && step.tries > 0 {
        let (deadline, tries) = (
            words::duration(step.deadline_ms),
            words::count(step.tries as usize, "try", "tries"),
        );
        lines.push(format!("  deadline {deadline}, {tries}"));
    }
    if let Some(late) = step.late_ms {
        lines.push(format!("  late: became true at {}", words::duration(late)));
    }
    if !step.evidence.is_empty() {
        lines.push(format!("  evidence: {}", titles(&step.evidence)));
    }
}

fn last_value(step: &Step, lines: &mut Vec<String>) {
    if let Some(value) = step.last_value() {
        let mut parts = value.lines();
        lines.push(format!(
            "  last value: {}",
            parts.next().unwrap_or_default()
        ));
        lines.extend(parts.map(|line| format!("    {line}")));
    }
}

/// What there is, in few words: `links, routes of 12 machines`.
pub(super) fn titles(evidence: &[EvidenceItem]) -> String {
    let mut titles: Vec<(&str, Vec<&str>)> = Vec::new();
    for item in evidence {
        let (what, whose) = item.title.split_once(" of ").unwrap_or((&item.title, ""));
        match titles.last_mut() {
            Some((last, all)) if *last == what && !whose.is_empty() => all.push(whose),
            _ => titles.push((what, vec![whose])),
        }
    }
    let titles = titles.iter().map(|(what, whose)| match whose[..] {
        [""] => (*what).to_owned(),
        [first] => format!("{what} of {first}"),
        [first, second] => format!("{what} of {first} and {second}"),
        _ => format!("{what} of {} machines", whose.len()),
    });
    titles.collect::<Vec<_>>().join(", ")
}
