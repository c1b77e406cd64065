//! The model of a run. Times are milliseconds on the run's clock.

use super::super::words::{folder, shell_word};
use super::lane::{LaneRun, Mark, MarkKind};
use crate::event::{Loc, Measurement, Verdict};
use placemat_spec::event::{LabEvent, LabEventKind, LabPhase};
use std::collections::HashMap;

/// How many last values of a waiting step are kept: a report shows the end of the story.
const VALUES_KEPT: usize = 12;

/// A run, whole or cut off.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Name of the suite.
    pub suite: String,
    /// Data center file.
    pub dc: String,
    /// Whether it was given for the run, rather than by the suite.
    pub dc_given: bool,
    /// What was asked for: files and folders. Older events do not say it.
    pub paths: Vec<String>,
    /// Seed, when the run said it.
    pub seed: Option<u64>,
    /// placemat's version.
    pub version: String,
    /// Machine in words.
    pub host: Vec<(String, String)>,
    /// Wall clock of the first event, RFC 3339.
    pub began: String,
    /// Time of the last event.
    pub end_ms: f64,
    /// Its verdict; `None` when the run never got to say it.
    pub verdict: Option<Verdict>,
    /// Names of all scenarios that were to run.
    pub planned: Vec<String>,
    /// Scenarios that began, in order; one entry an attempt.
    pub scenarios: Vec<ScenarioRun>,
    /// Servers, routers and boot servers, in display order.
    pub lanes: Vec<LaneRun>,
    /// Faults, in order of application.
    pub faults: Vec<FaultRun>,
    /// Phases of the lab itself, with their beginnings.
    pub phases: Vec<(f64, LabPhase)>,
    /// Notes of the lab itself.
    pub notes: Vec<Mark>,
    /// Where each object's lane is.
    lane_index: HashMap<String, usize>,
}

/// One attempt at a scenario.
#[derive(Debug, Clone, Default)]
pub struct ScenarioRun {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub loc: Loc,
    /// Counts attempts, from 1.
    pub attempt: usize,
    /// When it began.
    pub start_ms: f64,
    /// When it ended, if it did.
    pub end_ms: Option<f64>,
    /// How it ended, if it did.
    pub verdict: Option<Verdict>,
    /// Why, when it did not pass.
    pub message: Option<String>,
    /// All its steps in order of start.
    pub steps: Vec<Step>,
    /// Evidence that belongs to no step.
    pub evidence: Vec<EvidenceItem>,
}

/// One step.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Its place in the tree.
    pub path: String,
    /// Index of the step that it is part of.
    pub parent: Option<usize>,
    /// Step kind.
    pub kind: String,
    /// Its name or words made from what it does.
    pub name: String,
    /// Where it is.
    pub loc: Loc,
    /// Effective deadline in milliseconds.
    pub deadline_ms: f64,
    /// When it began.
    pub start_ms: f64,
    /// When it ended, if it did.
    pub end_ms: Option<f64>,
    /// How it ended, if it did.
    pub verdict: Option<Verdict>,
    /// Why, when it did not pass.
    pub message: Option<String>,
    /// How often it probed.
    pub tries: u32,
    /// How long after its start it came true, if only after its deadline.
    pub late_ms: Option<f64>,
    /// Its last values with their times.
    pub values: Vec<(f64, String)>,
    /// How many values there were.
    pub value_count: usize,
    /// Its numbers, for a `measure`.
    pub measurement: Option<Measurement>,
    /// What was taken when it failed, or on request.
    pub evidence: Vec<EvidenceItem>,
}

/// One piece of evidence.
#[derive(Debug, Clone, Default)]
pub struct EvidenceItem {
    /// When it was taken.
    pub t_ms: f64,
    /// What it is.
    pub title: String,
    /// The text.
    pub text: String,
}

/// A fault from application to healing.
#[derive(Debug, Clone, Default)]
pub struct FaultRun {
    /// Its scenario.
    pub scenario: String,
    /// Path of its step.
    pub path: String,
    /// Fault kind.
    pub kind: String,
    /// What it broke.
    pub targets: Vec<String>,
    /// When it was applied.
    pub applied_ms: f64,
    /// When it was seen to be in effect, if it was.
    pub observed_ms: Option<f64>,
    /// When it was undone, if it was.
    pub healed_ms: Option<f64>,
}

impl Run {
    /// The lane of an object, made at its first mention: labs without scenarios announce none.
    pub(super) fn lane_mut(&mut self, object: &str) -> &mut LaneRun {
        let known = self.lane_index.get(object).copied();
        let index = known.unwrap_or_else(|| {
            self.lanes.push(LaneRun::new(object));
            self.lane_index
                .insert(object.to_owned(), self.lanes.len() - 1);
            self.lanes.len() - 1
        });
        &mut self.lanes[index]
    }

    pub(super) fn begin_scenario(&mut self, t: f64, name: &str, loc: &Loc) {
        let earlier = self.scenarios.iter().filter(|s| s.name == name).count();
        self.scenarios.push(ScenarioRun {
            name: name.to_owned(),
            loc: loc.clone(),
            attempt: earlier + 1,
            start_ms: t,
            ..ScenarioRun::default()
        });
    }

    /// The latest attempt at a scenario.
    pub(super) fn scenario_mut(&mut self, name: &str) -> Option<&mut ScenarioRun> {
        self.scenarios.iter_mut().rev().find(|s| s.name == name)
    }

    pub(super) fn step_mut(&mut self, scenario: &str, path: &str) -> Option<&mut Step> {
        self.scenario_mut(scenario)?.step_mut(path)
    }

    /// The latest fault of a step that is not yet healed, or the latest at all.
    pub(super) fn fault_mut(&mut self, scenario: &str, path: &str) -> Option<&mut FaultRun> {
        let own = |fault: &FaultRun| fault.scenario == scenario && fault.path == path;
        let open = self
            .faults
            .iter()
            .rposition(|f| own(f) && f.healed_ms.is_none());
        let index = open.or_else(|| self.faults.iter().rposition(own))?;
        self.faults.get_mut(index)
    }

    pub(super) fn lab_event(&mut self, t: f64, event: &LabEvent) {
        let text = match &event.what {
            LabEventKind::Lab { phase } => return self.phases.push((t, *phase)),
            LabEventKind::Note { text } => text.clone(),
            LabEventKind::App { app, state, detail } => {
                super::lane::app_words(app, *state, detail.as_deref())
            }
            _ => return,
        };
        self.notes.push(Mark {
            t_ms: t,
            kind: MarkKind::Note,
            text,
        });
    }

    /// Planned scenarios that never began.
    pub fn not_run(&self) -> impl Iterator<Item = &str> {
        let began = |name: &str| self.scenarios.iter().any(|s| s.name == name);
        self.planned
            .iter()
            .map(String::as_str)
            .filter(move |name| !began(name))
    }

    /// Scenarios, each by its last attempt.
    pub fn final_attempts(&self) -> impl Iterator<Item = &ScenarioRun> {
        self.scenarios
            .iter()
            .enumerate()
            .filter_map(|(i, scenario)| {
                let later = &self.scenarios[i + 1..];
                (!later.iter().any(|s| s.name == scenario.name)).then_some(scenario)
            })
    }

    /// Earlier attempts at a scenario.
    pub fn earlier_attempts(&self, of: &ScenarioRun) -> impl Iterator<Item = &ScenarioRun> {
        let (name, attempt) = (of.name.clone(), of.attempt);
        self.scenarios
            .iter()
            .filter(move |s| s.name == name && s.attempt < attempt)
    }

    /// The step that applied a fault, or took a measurement, ...
    pub fn step(&self, scenario: &str, path: &str) -> Option<&Step> {
        let scenario = self.scenarios.iter().rev().find(|s| s.name == scenario)?;
        scenario.steps.iter().rev().find(|s| s.path == path)
    }

    /// Whether the lab is on its way down.
    pub fn is_stopping(&self) -> bool {
        let last = self.phases.last().map(|(_, phase)| *phase);
        last.is_some_and(|phase| phase >= LabPhase::Stopping)
    }

    /// How long it took, or has taken.
    pub fn elapsed_ms(&self, scenario: &ScenarioRun) -> f64 {
        scenario.end_ms.unwrap_or(self.end_ms) - scenario.start_ms
    }

    /// The command that runs a scenario again, or all of them.
    pub fn rerun(&self, scenario: Option<&ScenarioRun>) -> Option<String> {
        let mut words = vec!["placemat".to_owned(), "test".to_owned()];
        match scenario {
            Some(scenario) => words.push(shell_word(&scenario.loc.file)),
            None if self.paths.is_empty() => {
                words.push(shell_word(folder(&self.scenarios.first()?.loc.file)));
            }
            None => words.extend(self.paths.iter().map(|path| shell_word(path))),
        }
        if self.dc_given {
            words.extend(["--dc".to_owned(), shell_word(&self.dc)]);
        }
        if let Some(seed) = self.seed {
            words.push(format!("--seed {seed}"));
        }
        Some(words.join(" "))
    }

    /// Faults applied and not healed as of the last event.
    pub fn active_faults(&self) -> impl Iterator<Item = &FaultRun> {
        self.faults.iter().filter(|fault| fault.healed_ms.is_none())
    }
}

impl ScenarioRun {
    pub(super) fn begin_step(&mut self, mut step: Step) {
        step.parent = parent_path(&step.path)
            .and_then(|parent| self.steps.iter().rposition(|s| s.path == parent));
        self.steps.push(step);
    }

    /// The latest step of that path: loops may run a path several times.
    pub(super) fn step_mut(&mut self, path: &str) -> Option<&mut Step> {
        self.steps.iter_mut().rev().find(|s| s.path == path)
    }

    /// Indices of the steps directly inside `parent`, or at the top.
    pub fn children(&self, parent: Option<usize>) -> impl Iterator<Item = usize> {
        self.steps
            .iter()
            .enumerate()
            .filter(move |(_, s)| s.parent == parent)
            .map(|(i, _)| i)
    }

    /// Whether a step has steps inside.
    pub fn is_leaf(&self, index: usize) -> bool {
        self.children(Some(index)).next().is_none()
    }

    /// The innermost step that runs now.
    pub fn current_step(&self) -> Option<&Step> {
        self.steps.iter().rev().find(|s| s.end_ms.is_none())
    }

    /// The innermost steps that did not pass: what a reader wants to see first.
    pub fn culprits(&self) -> Vec<&Step> {
        let bad = |s: &Step| s.verdict.is_some_and(super::is_bad);
        let blamed = |index: usize| {
            self.children(Some(index))
                .any(|child| bad(&self.steps[child]))
        };
        let innermost = self
            .steps
            .iter()
            .enumerate()
            .filter(|(i, s)| bad(s) && !blamed(*i));
        innermost.map(|(_, s)| s).collect()
    }
}

impl Step {
    pub(super) fn value(&mut self, t: f64, value: &str) {
        if self.values.len() == VALUES_KEPT {
            self.values.remove(0);
        }
        self.value_count += 1;
        self.values.push((t, value.to_owned()));
    }

    /// The last seen value.
    pub fn last_value(&self) -> Option<&str> {
        self.values.last().map(|(_, value)| value.as_str())
    }
}

/// `1.2` of `1.2.3`; of `1.2[rack=1]`, a round of a loop, also `1.2`.
fn parent_path(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(path: &str, verdict: Option<Verdict>) -> Step {
        Step {
            path: path.to_owned(),
            verdict,
            end_ms: verdict.map(|_| 1.0),
            ..Step::default()
        }
    }

    fn scenario(steps: Vec<Step>) -> ScenarioRun {
        let mut scenario = ScenarioRun::default();
        for step in steps {
            scenario.begin_step(step);
        }
        scenario
    }

    #[test]
    fn the_innermost_failure_is_to_blame() {
        let (pass, fail) = (Some(Verdict::Pass), Some(Verdict::Fail));
        let steps = vec![
            step("1", fail),
            step("1.1", pass),
            step("1.2", fail),
            step("1.2.1", fail),
            step("2", fail),
        ];
        let blamed = scenario(steps);
        let paths: Vec<&str> = blamed
            .culprits()
            .iter()
            .map(|step| step.path.as_str())
            .collect();
        assert_eq!(paths, ["1.2.1", "2"]);
    }

    #[test]
    fn a_path_that_runs_again_is_a_step_of_its_own() {
        let mut looped = scenario(vec![
            step("1", None),
            step("1.1", Some(Verdict::Pass)),
            step("1.1", None),
        ]);
        assert_eq!(looped.children(Some(0)).collect::<Vec<_>>(), [1, 2]);
        if let Some(again) = looped.step_mut("1.1") {
            again.verdict = Some(Verdict::Fail);
        }
        assert_eq!(looped.steps[1].verdict, Some(Verdict::Pass));
        assert_eq!(
            looped.current_step().map(|step| step.path.as_str()),
            Some("1.1")
        );
    }

    #[test]
    fn a_step_whose_parent_is_unknown_stands_at_the_top() {
        let odd = scenario(vec![step("7.2", None), step("before", None)]);
        assert_eq!(odd.children(None).count(), 2);
    }

    #[test]
    fn attempts_are_counted_and_the_last_one_stands() {
        let mut run = Run::default();
        for t in [0.0, 5.0] {
            run.begin_scenario(t, "spine-loss", &Loc::default());
        }
        let last: Vec<usize> = run.final_attempts().map(|s| s.attempt).collect();
        assert_eq!(last, [2]);
        assert_eq!(run.earlier_attempts(&run.scenarios[1]).count(), 1);
    }

    #[test]
    fn only_the_last_values_are_kept() {
        let mut step = Step::default();
        for i in 0..100 {
            step.value(f64::from(i), &i.to_string());
        }
        assert_eq!((step.values.len(), step.value_count), (VALUES_KEPT, 100));
        assert_eq!(step.last_value(), Some("99"));
    }
}
