//! What a step sees while it runs: the lab, its deadline, its place in the tree, and what earlier
//! steps left.

use crate::deadline::{Deadline, Limit};
use crate::event::What;
use crate::measure::FaultSpan;
use crate::model::{Gate, Text, TextPart};
use crate::outcome::Outcome;
use crate::port::{LabPort, PortError, PortResult};
use crate::sink::EventSink;
use crate::words::span;
use indexmap::IndexMap;
use placemat_spec::selector::Target;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One attempt at asking one target something.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(10);

/// What all scenarios of a run share.
pub struct Run {
    /// The lab.
    pub(crate) port: Arc<dyn LabPort>,
    /// Where events go.
    pub(crate) sink: EventSink,
    /// Seed of every random choice.
    pub(crate) seed: u64,
    /// Factor on waiting deadlines, at least 1.
    pub(crate) slowness: f64,
}

/// What the steps of one scenario share.
pub(crate) struct Case {
    pub(crate) scenario: String,
    pub(crate) gate: Option<Arc<Gate>>,
    /// Boots of each server when the scenario began.
    pub(crate) boots_before: HashMap<Target, u32>,
    outputs: Mutex<HashMap<(String, String), IndexMap<Target, String>>>,
    /// Faults in effect now; the steady-state gate waits until there is none.
    pub(crate) active_faults: AtomicUsize,
    /// Every fault so far, for measurements around them.
    pub(crate) faults: Mutex<Vec<FaultSpan>>,
    /// Heals so far; numbers the gates.
    pub(crate) heals: AtomicUsize,
    /// Steps that did something; none means that nothing was tested.
    pub(crate) performed: AtomicUsize,
    /// Set once evidence was taken: the first failure is the one to look at.
    pub(crate) evidence_taken: AtomicBool,
    /// What failed, in order, in full sentences.
    pub(crate) failures: Mutex<Vec<String>>,
}

impl Case {
    pub(crate) fn new(
        scenario: &str,
        gate: Option<Arc<Gate>>,
        boots_before: HashMap<Target, u32>,
    ) -> Self {
        Self {
            scenario: scenario.to_owned(),
            gate,
            boots_before,
            outputs: Mutex::default(),
            active_faults: AtomicUsize::new(0),
            faults: Mutex::default(),
            heals: AtomicUsize::new(0),
            performed: AtomicUsize::new(0),
            evidence_taken: AtomicBool::new(false),
            failures: Mutex::default(),
        }
    }
}

/// What a step sees. Cheap to clone; a clone for a step inside has its own path and deadline.
#[derive(Clone)]
pub struct Context {
    pub(crate) run: Arc<Run>,
    pub(crate) case: Arc<Case>,
    /// `1`, `1.2`, ...; empty for the scenario itself.
    pub(crate) path: String,
    pub(crate) deadline: Deadline,
    /// Cancelled by ^C and by scopes that end early.
    pub(crate) cancel: CancellationToken,
}

impl Context {
    /// The lab.
    pub fn port(&self) -> &Arc<dyn LabPort> {
        &self.run.port
    }

    /// This context one level down.
    pub(crate) fn child(&self, index: usize) -> Self {
        let path = if self.path.is_empty() {
            index.to_string()
        } else {
            format!("{}.{index}", self.path)
        };
        Self {
            path,
            ..self.clone()
        }
    }

    /// This context with a nearer deadline.
    #[must_use]
    pub(crate) fn limited(mut self, limit: Option<&Limit>, whose: &str) -> Self {
        if let Some(limit) = limit {
            self.deadline =
                Deadline::starting_now(limit, self.run.slowness, whose).within(&self.deadline);
        }
        self
    }

    /// This context, cancelled with it and also on its own.
    #[must_use]
    pub(crate) fn fenced(mut self) -> Self {
        self.cancel = self.cancel.child_token();
        self
    }

    /// This context for cleaning up: no longer cancelled, and with `limit` of its own.
    #[must_use]
    pub(crate) fn unwinding(mut self, limit: &Limit, whose: &str) -> Self {
        self.cancel = CancellationToken::new();
        self.deadline = Deadline::starting_now(limit, self.run.slowness, whose);
        self
    }

    /// Runs `work` until it ends, the deadline passes, or the scope is cancelled.
    pub(crate) async fn bounded<T>(&self, work: impl Future<Output = T>) -> Result<T, Outcome> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Outcome::interrupted()),
            done = work => Ok(done),
            () = self.deadline.passed() => Err(Outcome::fail(format!("{} passed", self.deadline))),
        }
    }

    /// Asks every target at the same time, each within one attempt's time; answers in the order of
    /// the targets.
    pub(crate) async fn each<T, F>(
        &self,
        targets: &[Target],
        ask: impl Fn(Arc<dyn LabPort>, Target) -> F,
    ) -> Vec<(Target, PortResult<T>)>
    where
        T: Send + 'static,
        F: Future<Output = PortResult<T>> + Send + 'static,
    {
        let attempt = ATTEMPT.mul_f64(self.run.slowness);
        self.each_within(targets, attempt, ask).await
    }

    /// As [`Self::each`], with a time of its own for each target.
    pub(crate) async fn each_within<T, F>(
        &self,
        targets: &[Target],
        attempt: Duration,
        ask: impl Fn(Arc<dyn LabPort>, Target) -> F,
    ) -> Vec<(Target, PortResult<T>)>
    where
        T: Send + 'static,
        F: Future<Output = PortResult<T>> + Send + 'static,
    {
        let mut asking = JoinSet::new();
        for (index, target) in targets.iter().enumerate() {
            let asked = ask(self.run.port.clone(), target.clone());
            asking.spawn(async move {
                let answer = tokio::time::timeout(attempt, asked)
                    .await
                    .unwrap_or_else(|_| {
                        Err(PortError(format!("no answer within {}", span(attempt))))
                    });
                (index, answer)
            });
        }
        let mut answers: Vec<Option<PortResult<T>>> = targets.iter().map(|_| None).collect();
        while let Some(joined) = asking.join_next().await {
            if let Ok((index, answer)) = joined {
                answers[index] = Some(answer);
            }
        }
        let broken = || Err(PortError("asking it broke off".to_owned()));
        targets
            .iter()
            .cloned()
            .zip(
                answers
                    .into_iter()
                    .map(|answer| answer.unwrap_or_else(broken)),
            )
            .collect()
    }

    /// Writes an event of the running scenario.
    pub(crate) fn emit(&self, what: impl FnOnce(String, String) -> What) {
        self.run
            .sink
            .emit(what(self.case.scenario.clone(), self.path.clone()));
    }

    /// Keeps an output of the step `id` for later steps.
    pub(crate) fn keep(&self, id: &str, name: &str, at: &Target, value: String) {
        self.case
            .outputs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((id.to_owned(), name.to_owned()))
            .or_default()
            .insert(at.clone(), value);
    }

    /// The text for one target: an output is that target's own where it has one, else the only one.
    pub(crate) fn text(&self, text: &Text, at: &Target) -> Result<String, String> {
        let outputs = self
            .case
            .outputs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut whole = String::new();
        for part in &text.0 {
            match part {
                TextPart::Literal(literal) => whole.push_str(literal),
                TextPart::Output { id, name } => {
                    let values = outputs
                        .get(&(id.clone(), name.clone()))
                        .ok_or_else(|| format!("step `{id}` did not run, so it has no `{name}`"))?;
                    let value = match (values.get(at), values.len()) {
                        (Some(value), _) => value,
                        (None, 1) => &values[0],
                        (None, many) => {
                            return Err(format!(
                                "`{id}.{name}` has {many} values, none of them of {at}"
                            ));
                        }
                    };
                    whole.push_str(value);
                }
            }
        }
        Ok(whole)
    }
}
