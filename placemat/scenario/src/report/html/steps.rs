//! The step list: nested, opened at the failing line, each step placed in its scenario's time.

use super::super::timeline::{EvidenceItem, Run, ScenarioRun, Step, is_bad};
use super::super::{failure, words};
use super::chart::rounded;
use serde::Serialize;

/// Bytes of evidence in the whole page, counted as written into HTML.
const EVIDENCE_BYTES: usize = 1_500_000;
/// Steps that passed are left out of the list beyond this many.
const STEPS: usize = 2_000;

/// Characters of one value or message: the whole of it is in the events.
const WORDS: usize = 4_000;

/// What is left of the room for evidence.
pub(super) struct EvidenceBudget(usize);

impl Default for EvidenceBudget {
    fn default() -> Self {
        Self(EVIDENCE_BYTES)
    }
}

/// A scenario.
#[derive(Serialize)]
pub(super) struct Scenario {
    anchor: String,
    name: String,
    place: String,
    attempt: usize,
    verdict: &'static str,
    glyph: &'static str,
    took: String,
    share: f64,
    message: Option<String>,
    open: bool,
    steps: Vec<StepView>,
    evidence: Option<Evidence>,
    hidden: usize,
}

#[derive(Serialize)]
struct StepView {
    anchor: String,
    path: String,
    kind: String,
    name: String,
    place: String,
    verdict: &'static str,
    glyph: &'static str,
    took: String,
    x: f64,
    w: f64,
    tries: String,
    deadline: Option<String>,
    message: Option<String>,
    late: Option<String>,
    values: Vec<(String, String)>,
    values_hidden: usize,
    broken: Vec<String>,
    evidence: Option<Evidence>,
    open: bool,
    folds: bool,
    steps: Vec<StepView>,
}

/// What was seen at one failure.
#[derive(Serialize)]
struct Evidence {
    titles: String,
    at: String,
    items: Vec<EvidenceView>,
}

#[derive(Serialize)]
struct EvidenceView {
    title: String,
    text: String,
    cut: bool,
}

/// A slow step.
#[derive(Serialize)]
pub(super) struct Slow {
    anchor: String,
    scenario: String,
    path: String,
    kind: String,
    name: String,
    took: String,
    share: f64,
}

/// All scenarios in order.
pub(super) fn scenarios(run: &Run, budget: &mut EvidenceBudget) -> Vec<Scenario> {
    let longest = run
        .scenarios
        .iter()
        .map(|s| run.elapsed_ms(s))
        .fold(1.0, f64::max);
    let mut room = STEPS;
    let build = |scenario: &ScenarioRun| {
        let took = run.elapsed_ms(scenario);
        let mut builder = Builder {
            run,
            scenario,
            budget,
            room: &mut room,
            hidden: 0,
        };
        let evidence = builder.evidence(&scenario.evidence);
        let steps = builder.steps(None);
        let hidden = builder.hidden;
        Scenario {
            anchor: scenario_anchor(run, scenario),
            name: scenario.name.clone(),
            place: words::loc(&scenario.loc),
            attempt: scenario.attempt,
            verdict: words::verdict(scenario.verdict),
            glyph: words::glyph(scenario.verdict),
            took: words::duration(took),
            share: rounded(took / longest * 100.0),
            message: own_words(scenario),
            open: scenario.verdict.is_none_or(is_bad),
            steps,
            evidence,
            hidden,
        }
    };
    run.scenarios.iter().map(build).collect()
}

/// What a scenario says that its steps, open below it, do not say themselves.
fn own_words(scenario: &ScenarioRun) -> Option<String> {
    let culprits = scenario.culprits();
    let said = |line: &str| {
        culprits.iter().any(|step| {
            let message = step.message.as_deref().unwrap_or_default();
            message.lines().any(|it| it.trim() == line) || line.starts_with(&words::loc(&step.loc))
        })
    };
    let message = scenario.message.as_deref()?;
    let mut lines = message.lines().map(str::trim);
    (!lines.all(|line| line.is_empty() || said(line))).then(|| message.to_owned())
}

struct Builder<'a> {
    run: &'a Run,
    scenario: &'a ScenarioRun,
    budget: &'a mut EvidenceBudget,
    room: &'a mut usize,
    hidden: usize,
}

impl Builder<'_> {
    fn steps(&mut self, parent: Option<usize>) -> Vec<StepView> {
        let children: Vec<usize> = self.scenario.children(parent).collect();
        let mut views = Vec::new();
        for index in children {
            let step = &self.scenario.steps[index];
            if *self.room == 0 && !step.verdict.is_none_or(is_bad) {
                self.hidden += 1;
                continue;
            }
            *self.room = self.room.saturating_sub(1);
            let steps = self.steps(Some(index));
            views.push(self.step(step, steps));
        }
        views
    }

    fn step(&mut self, step: &Step, steps: Vec<StepView>) -> StepView {
        let bad = step.verdict.is_none_or(is_bad);
        let whole = self.run.elapsed_ms(self.scenario).max(1.0);
        let took = step.end_ms.unwrap_or(self.run.end_ms) - step.start_ms;
        let values = step
            .values
            .iter()
            .map(|(t, v)| (words::duration(t - step.start_ms), shortened(v)));
        let evidence = self.evidence(&step.evidence);
        let measurement = step
            .measurement
            .iter()
            .flat_map(|m| &m.budgets)
            .filter(|b| !b.ok && step.message.is_none());
        let broken = measurement.map(|b| format!("{}: {}, limit {}", b.name, b.measured, b.limit));
        StepView {
            anchor: anchor(self.run, self.scenario, step),
            path: step.path.clone(),
            kind: step.kind.clone(),
            name: step.name.clone(),
            place: words::loc(&step.loc),
            verdict: words::verdict(step.verdict),
            glyph: words::glyph(step.verdict),
            took: words::duration(took),
            x: rounded((step.start_ms - self.scenario.start_ms) / whole * 100.0),
            w: rounded(took / whole * 100.0),
            tries: if step.tries > 1 {
                words::count(step.tries as usize, "try", "tries")
            } else {
                String::new()
            },
            deadline: (step.deadline_ms > 0.0).then(|| words::duration(step.deadline_ms)),
            message: step.message.as_deref().map(shortened),
            late: step.late_ms.map(words::duration),
            values: values.collect(),
            values_hidden: step.value_count - step.values.len(),
            broken: broken.collect(),
            folds: !steps.is_empty()
                || !step.values.is_empty()
                || step.message.is_some()
                || evidence.is_some(),
            evidence,
            open: bad,
            steps,
        }
    }

    fn evidence(&mut self, items: &[EvidenceItem]) -> Option<Evidence> {
        let view = |item: &EvidenceItem| {
            let text = cut(&item.text, self.budget.0);
            self.budget.0 = self.budget.0.saturating_sub(escaped_len(text));
            EvidenceView {
                title: item.title.clone(),
                text: text.to_owned(),
                cut: text.len() < item.text.len(),
            }
        };
        Some(Evidence {
            titles: failure::titles(items),
            at: words::duration(items.first()?.t_ms),
            items: items.iter().map(view).collect(),
        })
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(WORDS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// As much of `text` as fits into `room` bytes once escaped.
fn cut(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += escaped_char(c);
        if used > room {
            return &text[..at];
        }
    }
    text
}

fn escaped_len(text: &str) -> usize {
    text.chars().map(escaped_char).sum()
}

fn escaped_char(c: char) -> usize {
    match c {
        '<' | '>' | '&' | '"' | '\'' | '/' => 6,
        other => other.len_utf8(),
    }
}

/// Where a scenario stands in the page.
pub(super) fn scenario_anchor(run: &Run, scenario: &ScenarioRun) -> String {
    let index = run.scenarios.iter().position(|s| std::ptr::eq(s, scenario));
    format!("s{}", index.unwrap_or_default() + 1)
}

/// Where a step stands in the page.
pub(super) fn anchor(run: &Run, scenario: &ScenarioRun, step: &Step) -> String {
    let index = scenario.steps.iter().position(|s| std::ptr::eq(s, step));
    format!(
        "{}-{}",
        scenario_anchor(run, scenario),
        index.unwrap_or_default() + 1
    )
}

/// The ten slowest steps without steps inside.
pub(super) fn slowest(run: &Run) -> Vec<Slow> {
    let mut leaves: Vec<(f64, &ScenarioRun, &Step)> = Vec::new();
    for scenario in &run.scenarios {
        for (index, step) in scenario.steps.iter().enumerate() {
            let took = step.end_ms.unwrap_or(run.end_ms) - step.start_ms;
            if scenario.is_leaf(index) && took >= 1.0 {
                leaves.push((took, scenario, step));
            }
        }
    }
    leaves.sort_by(|a, b| b.0.total_cmp(&a.0));
    leaves.truncate(10);
    let longest = leaves.first().map_or(1.0, |(took, ..)| *took);
    let view = |(took, scenario, step): (f64, &ScenarioRun, &Step)| Slow {
        anchor: anchor(run, scenario, step),
        scenario: scenario.name.clone(),
        path: step.path.clone(),
        kind: step.kind.clone(),
        name: step.name.clone(),
        took: words::duration(took),
        share: rounded(took / longest * 100.0),
    };
    leaves.into_iter().map(view).collect()
}

/// Time spent in `sleep` steps: each is a wait for something nobody could observe.
pub(super) fn slept(run: &Run) -> Option<String> {
    let all = run.scenarios.iter().flat_map(|s| &s.steps);
    let sleeps = all
        .filter(|s| s.kind == "sleep")
        .map(|s| s.end_ms.unwrap_or(run.end_ms) - s.start_ms);
    let total: f64 = sleeps.sum();
    (total > 0.0).then(|| words::duration(total))
}
