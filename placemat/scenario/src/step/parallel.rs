//! `parallel`: branches of steps side by side; the first failure ends the others.

use super::StepBody;
use super::group::Group;
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use crate::model::{Step, Steps};
use crate::outcome::Outcome;
use crate::runner::run_step;
use async_trait::async_trait;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};

pub(super) const ROW: Row<super::Parse> = Row {
    name: "parallel",
    doc: "runs branches side by side; the first that fails ends the others",
    keys: &[Key::required(
        "branches",
        "[[STEP]]",
        "two or more lists of steps",
    )],
    parse,
};

/// One step a branch.
#[derive(Debug)]
struct Parallel(Steps);

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let lists = reader.list(fields.get("branches")?)?;
    let mut branches = Vec::new();
    let mut whole = true;
    for (index, list) in lists.iter().enumerate() {
        let Some(steps) = reader.steps(list) else {
            whole = false;
            continue;
        };
        let name = format!("branch {}", index + 1);
        let loc = reader.loc(list.place);
        branches.push(Step {
            kind: "group",
            name: name.clone(),
            loc,
            timeout: None,
            keep_going: false,
            only_if: None,
            body: Box::new(Group {
                name,
                steps,
                finally: Arc::from([]),
            }),
        });
    }
    whole.then(|| Box::new(Parallel(branches.into())) as Box<dyn StepBody>)
}

#[async_trait]
impl StepBody for Parallel {
    async fn run(&self, cx: &Context) -> Outcome {
        let order: Vec<usize> = (0..self.0.len()).collect();
        side_by_side(&self.0, &order, self.0.len(), cx).await
    }

    fn describe(&self) -> String {
        crate::words::count(self.0.len(), "branch", "branches")
    }

    fn unwinds(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Option<Duration> {
        None
    }
}

/// The end of a branch that panicked; no step in it is left to say so.
fn broke_off(cx: &Context, error: &JoinError) -> Outcome {
    let why = format!("step {}: a branch broke off: {error}", cx.path);
    let failures = &cx.case.failures;
    failures
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(why.clone());
    Outcome::fail(why)
}

/// Runs steps in this order, `most` of them at the same time, until one does not pass; the others
/// are then cancelled, and all are waited for, so that their scopes unwind.
pub(super) async fn side_by_side(
    steps: &Steps,
    order: &[usize],
    most: usize,
    cx: &Context,
) -> Outcome {
    let inner = cx.clone().fenced();
    let mut running = JoinSet::new();
    let mut waiting = order.iter().copied();
    let mut whole = Outcome::pass();
    let mut broken = false;
    loop {
        while !broken && running.len() < most.max(1) {
            let Some(index) = waiting.next() else { break };
            let (steps, cx) = (steps.clone(), inner.child(index + 1));
            running.spawn(async move { run_step(&steps[index], &cx).await });
        }
        let Some(joined) = running.join_next().await else {
            break;
        };
        let ended = joined.unwrap_or_else(|error| broke_off(cx, &error));
        if !ended.is_good() && !broken {
            broken = true;
            inner.cancel.cancel();
            whole = ended;
        } else {
            // A branch that was cancelled for another's sake adds nothing.
            let interrupted = ended.interrupted && cx.cancel.is_cancelled();
            let kept = Outcome {
                interrupted,
                ..ended
            };
            whole = whole.and(kept);
        }
    }
    if cx.cancel.is_cancelled() {
        whole.interrupted = true;
    }
    whole.of_steps()
}
