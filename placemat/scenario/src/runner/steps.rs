//! Runs a list of steps, and each step with its deadline, its `if`, and its events.

use super::evidence;
use crate::context::Context;
use crate::deadline::Limit;
use crate::event::{Verdict, What};
use crate::model::{Step, Steps};
use crate::outcome::Outcome;
use std::pin::Pin;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// Runs steps in order until one does not pass, counting their paths from 1.
pub(crate) async fn run_steps(steps: &Steps, cx: &Context) -> Outcome {
    run_from(steps, cx, 1).await
}

/// As [`run_steps`], counting their paths from `first`.
pub(crate) async fn run_from(steps: &[Step], cx: &Context, first: usize) -> Outcome {
    let mut whole = Outcome::pass();
    for (index, step) in steps.iter().enumerate() {
        if cx.cancel.is_cancelled() {
            return whole.and(Outcome::interrupted());
        }
        let ended = run_step(step, &cx.child(first + index)).await;
        let stop = ended.interrupted || (!ended.is_good() && !step.keep_going);
        whole = whole.and(ended);
        if stop {
            break;
        }
    }
    whole.of_steps()
}

/// Runs one step. Boxed, since steps hold steps.
pub(crate) fn run_step<'a>(
    step: &'a Step,
    cx: &'a Context,
) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>> {
    Box::pin(async move {
        let default = step.body.default_timeout().map(Limit::default_of);
        let limit = step.timeout.as_ref().or(default.as_ref());
        let cx = cx.clone().limited(limit, "this step");
        cx.emit(|scenario, path| What::StepStart {
            scenario,
            path,
            kind: step.kind.to_owned(),
            name: step.name.clone(),
            loc: step.loc.clone(),
            deadline_ms: cx.deadline.remaining().as_secs_f64() * 1000.0,
        });
        let ended = perform(step, &cx).await;
        if ended.is_bad() && ended.message.is_some() {
            note_failure(step, &cx, &ended);
            // Nobody who pressed ^C waits for it.
            if !ended.interrupted {
                evidence::take(&cx).await;
            }
        }
        cx.emit(|scenario, path| What::StepEnd {
            scenario,
            path,
            verdict: ended.verdict,
            message: ended.message.clone(),
            tries: ended.tries,
            late_ms: ended.late.map(|late| late.as_secs_f64() * 1000.0),
        });
        // A skipped `if` is no reason for the steps after it to stop.
        if ended.verdict == Verdict::Skip && !ended.interrupted {
            Outcome::pass()
        } else {
            ended
        }
    })
}

async fn perform(step: &Step, cx: &Context) -> Outcome {
    if let Some(only_if) = &step.only_if {
        match cx.bounded(only_if.body.probe(cx, false)).await {
            Err(ended) => return ended,
            Ok(findings) if findings.is_unknown() => {
                return Outcome::fail(format!(
                    "`if` could not be asked: {}",
                    crate::wait::summary(&findings)
                ));
            }
            Ok(findings) if !findings.holds => {
                return Outcome::of(
                    Verdict::Skip,
                    format!("`if` does not hold: {}", crate::wait::summary(&findings)),
                );
            }
            Ok(_) => {}
        }
    }
    cx.case.performed.fetch_add(1, Ordering::SeqCst);
    if step.body.unwinds() {
        step.body.run(cx).await
    } else {
        cx.bounded(step.body.run(cx))
            .await
            .unwrap_or_else(|ended| ended)
    }
}

fn note_failure(step: &Step, cx: &Context, ended: &Outcome) {
    let message = ended.message.as_deref().unwrap_or_default();
    let sentence = format!("{}  step {} `{}`\n{message}", step.loc, cx.path, step.kind);
    cx.case
        .failures
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(sentence);
}
