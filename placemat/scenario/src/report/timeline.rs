//! Folds events into a [`Run`]: what happened, in the shape that reports need. Pure, incremental
//! (the live display feeds it one event at a time), and tolerant of files that end anywhere.

use crate::event::{Event, Measurement, Verdict, What};
use placemat_spec::event::{LabEvent, LabEventKind};

mod lane;
mod run;

pub use lane::{Band, BandKind, Boot, LaneRun, Mark, MarkKind};
pub use run::{EvidenceItem, FaultRun, Run, ScenarioRun, Step};

/// The fold.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    run: Run,
}

impl Timeline {
    /// Nothing happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Folds a whole file.
    pub fn of(events: &[Event]) -> Self {
        let mut timeline = Self::new();
        for event in events {
            timeline.apply(event);
        }
        timeline
    }

    /// What happened so far.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// What happened.
    pub fn into_run(self) -> Run {
        self.run
    }

    /// Takes in one event of a lab that runs without scenarios, on the lab's own clock.
    pub fn apply_lab(&mut self, event: &LabEvent) {
        self.lab(event.t_ms, event);
    }

    /// Takes in one event.
    pub fn apply(&mut self, event: &Event) {
        let t = event.t_ms;
        let run = &mut self.run;
        run.end_ms = run.end_ms.max(t);
        if run.began.is_empty() {
            run.began.clone_from(&event.wall);
        }
        match &event.what {
            What::RunStart {
                run: id,
                suite,
                dc,
                seed,
                version,
                host,
                lanes,
                scenarios,
                dc_given,
                paths,
            } => {
                run.id.clone_from(id);
                run.suite.clone_from(suite);
                run.dc.clone_from(dc);
                run.dc_given = *dc_given;
                run.paths.clone_from(paths);
                run.seed = Some(*seed);
                run.version.clone_from(version);
                run.host.clone_from(host);
                run.planned.clone_from(scenarios);
                for lane in lanes {
                    run.lane_mut(&lane.object).describe(lane);
                }
            }
            What::Lab { lab } => self.lab(t, lab),
            What::ScenarioStart { scenario, loc } => run.begin_scenario(t, scenario, loc),
            What::ScenarioEnd {
                scenario,
                verdict,
                message,
            } => {
                if let Some(found) = run.scenario_mut(scenario) {
                    found.end_ms = Some(t);
                    found.verdict = Some(*verdict);
                    found.message.clone_from(message);
                }
            }
            What::RunEnd { verdict } => run.verdict = Some(*verdict),
            What::StepStart { .. } | What::StepValue { .. } | What::StepEnd { .. } => {
                self.step(t, &event.what);
            }
            What::FaultApplied { .. } | What::FaultObserved { .. } | What::FaultHealed { .. } => {
                self.fault(t, &event.what);
            }
            What::Measured {
                scenario,
                path,
                measurement,
            } => {
                self.measured(scenario, path, measurement);
            }
            What::Evidence {
                scenario,
                path,
                title,
                text,
            } => {
                let item = EvidenceItem {
                    t_ms: t,
                    title: title.clone(),
                    text: text.clone(),
                };
                if let Some(found) = run.scenario_mut(scenario) {
                    match found.step_mut(path) {
                        Some(step) => step.evidence.push(item),
                        None => found.evidence.push(item),
                    }
                }
            }
        }
    }

    fn lab(&mut self, t: f64, event: &LabEvent) {
        self.run.end_ms = self.run.end_ms.max(t);
        if self.run.is_stopping() && matches!(event.what, LabEventKind::App { .. }) {
            // Every program ends then; that is no news, and no trouble.
            return;
        }
        if event.object == "lab" {
            self.run.lab_event(t, event);
        } else {
            self.run.lane_mut(&event.object).event(t, event);
        }
    }

    fn step(&mut self, t: f64, what: &What) {
        match what {
            What::StepStart {
                scenario,
                path,
                kind,
                name,
                loc,
                deadline_ms,
            } => {
                if let Some(found) = self.run.scenario_mut(scenario) {
                    found.begin_step(Step {
                        path: path.clone(),
                        kind: kind.clone(),
                        name: name.clone(),
                        loc: loc.clone(),
                        deadline_ms: *deadline_ms,
                        start_ms: t,
                        ..Step::default()
                    });
                }
            }
            What::StepValue {
                scenario,
                path,
                value,
            } => {
                if let Some(step) = self.run.step_mut(scenario, path) {
                    step.value(t, value);
                }
            }
            What::StepEnd {
                scenario,
                path,
                verdict,
                message,
                tries,
                late_ms,
            } => {
                if let Some(step) = self.run.step_mut(scenario, path) {
                    step.end_ms = Some(t);
                    step.verdict = Some(*verdict);
                    step.message.clone_from(message);
                    step.tries = *tries;
                    step.late_ms = *late_ms;
                }
            }
            _ => {}
        }
    }

    fn fault(&mut self, t: f64, what: &What) {
        let run = &mut self.run;
        match what {
            What::FaultApplied {
                scenario,
                path,
                kind,
                targets,
            } => run.faults.push(FaultRun {
                scenario: scenario.clone(),
                path: path.clone(),
                kind: kind.clone(),
                targets: targets.clone(),
                applied_ms: t,
                observed_ms: None,
                healed_ms: None,
            }),
            What::FaultObserved { scenario, path } => {
                if let Some(fault) = run.fault_mut(scenario, path) {
                    fault.observed_ms = Some(t);
                }
            }
            What::FaultHealed { scenario, path } => {
                if let Some(fault) = run.fault_mut(scenario, path) {
                    fault.healed_ms = Some(t);
                }
            }
            _ => {}
        }
    }

    fn measured(&mut self, scenario: &str, path: &str, measurement: &Measurement) {
        if let Some(step) = self.run.step_mut(scenario, path) {
            step.measurement = Some(measurement.clone());
        }
    }
}

/// Whether a verdict makes the run red.
pub fn is_bad(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Fail | Verdict::Vacuous | Verdict::Inconclusive
    )
}
