//! What a run wrote down, with the questions that tests ask of it.

use placemat_scenario::event::{Event, Verdict, What};
use placemat_scenario::report;
use placemat_spec::event::{BootPhase, LabEventKind};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// The events of one run.
pub(crate) struct Record {
    pub(crate) events: Vec<Event>,
}

/// A step or gate that did not pass.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) scenario: String,
    /// `1.2.3`, or a gate's name: `before`, `end`.
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) message: String,
}

impl Record {
    /// Reads an `events.jsonl`; every line has to be an event.
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the events were written");
        let file = File::open(path).expect("the events were written");
        let events = report::read_events(BufReader::new(file)).expect("every line is an event");
        assert_eq!(events.len(), text.lines().count(), "no line was left out");
        Self { events }
    }

    /// The innermost steps and the gates that failed, in the order in which they ended.
    pub(crate) fn failed(&self) -> Vec<Failed> {
        let mut began = BTreeMap::new();
        let mut failed: Vec<Failed> = Vec::new();
        for event in &self.events {
            match &event.what {
                What::StepStart {
                    scenario,
                    path,
                    kind,
                    name,
                    ..
                } => {
                    began.insert((scenario.clone(), path.clone()), (kind, name));
                }
                What::StepEnd {
                    scenario,
                    path,
                    verdict: Verdict::Fail,
                    message,
                    ..
                } => {
                    let inside = format!("{path}.");
                    if failed
                        .iter()
                        .any(|inner| inner.scenario == *scenario && inner.path.starts_with(&inside))
                    {
                        continue; // it only carries the verdict of what is inside it
                    }
                    let (kind, name) = began[&(scenario.clone(), path.clone())];
                    failed.push(Failed {
                        scenario: scenario.clone(),
                        path: path.clone(),
                        kind: kind.clone(),
                        name: name.clone(),
                        message: message.clone().unwrap_or_default(),
                    });
                }
                _ => {}
            }
        }
        failed
    }

    /// The one step or gate that failed.
    pub(crate) fn only_failure(&self) -> Failed {
        let mut failed = self.failed();
        assert_eq!(failed.len(), 1, "one step was to notice: {failed:#?}");
        failed.remove(0)
    }

    /// Names of the steps that passed.
    pub(crate) fn passed(&self) -> Vec<String> {
        let mut names = BTreeMap::new();
        let mut passed = Vec::new();
        for event in &self.events {
            match &event.what {
                What::StepStart {
                    scenario,
                    path,
                    name,
                    ..
                } => drop(names.insert((scenario, path), name)),
                What::StepEnd {
                    scenario,
                    path,
                    verdict: Verdict::Pass,
                    ..
                } => passed.push(names[&(scenario, path)].clone()),
                _ => {}
            }
        }
        passed
    }

    /// Each scenario with its verdict, in order.
    pub(crate) fn verdicts(&self) -> Vec<(&str, Verdict)> {
        let ended = self.events.iter().filter_map(|event| match &event.what {
            What::ScenarioEnd {
                scenario, verdict, ..
            } => Some((scenario.as_str(), *verdict)),
            _ => None,
        });
        ended.collect()
    }

    /// Boots of every server over the whole run.
    pub(crate) fn boots(&self) -> BTreeMap<&str, u32> {
        let mut boots = BTreeMap::new();
        for (object, phase) in self.phases() {
            if phase == BootPhase::Power {
                *boots.entry(object).or_default() += 1;
            }
        }
        boots
    }

    /// Whether a server ever came to a phase.
    pub(crate) fn reached(&self, object: &str, phase: BootPhase) -> bool {
        self.phases().any(|seen| seen == (object, phase))
    }

    fn phases(&self) -> impl Iterator<Item = (&str, BootPhase)> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Lab { lab } => match &lab.what {
                LabEventKind::Boot { phase, .. } => Some((lab.object.as_str(), *phase)),
                _ => None,
            },
            _ => None,
        })
    }
}
