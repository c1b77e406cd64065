//! The steady-state gate: nothing is judged from a lab that has not settled.

use super::evidence;
use crate::context::Context;
use crate::event::What;
use crate::model::Gate;
use crate::outcome::Outcome;
use crate::wait::{Late, Wait};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// Waits until the steady state holds. With `counts`, not reaching it is the scenario's failure.
pub(crate) async fn hold(gate: &Gate, cx: &Context, path: &str, counts: bool) -> Outcome {
    let mut cx = cx
        .clone()
        .limited(Some(&gate.timeout), "the steady-state gate");
    path.clone_into(&mut cx.path);
    cx.emit(|scenario, path| What::StepStart {
        scenario,
        path,
        kind: "steady-state".to_owned(),
        name: gate.that.body.describe(),
        loc: gate.loc.clone(),
        deadline_ms: cx.deadline.remaining().as_secs_f64() * 1000.0,
    });
    let late = if counts { Late::Short } else { Late::Not };
    let wait = Wait {
        that: &gate.that,
        stable_for: gate.stable_for,
        fail_fast: None,
        late,
    };
    let ended = wait.run(&cx).await;
    if !ended.is_good() && !ended.interrupted && counts {
        let when = match path {
            "before" => "before the scenario",
            "end" => "at the end of the scenario",
            _ => "after a fault was healed",
        };
        let message = ended.message.as_deref().unwrap_or_default();
        cx.case
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!(
                "{}  `steady-state` was not reached {when}\n{message}",
                gate.loc
            ));
        evidence::take(&cx).await;
    }
    cx.emit(|scenario, path| What::StepEnd {
        scenario,
        path,
        verdict: ended.verdict,
        message: ended.message.clone(),
        tries: ended.tries,
        late_ms: ended.late.map(|late| late.as_secs_f64() * 1000.0),
    });
    ended
}

/// The gate after a heal, once no fault is left: a heal that broke the system is a failure.
pub(crate) async fn after_heal(cx: &Context) -> Outcome {
    let Some(gate) = &cx.case.gate else {
        return Outcome::pass();
    };
    if cx.case.active_faults.load(Ordering::SeqCst) > 0 {
        return Outcome::pass();
    }
    let heal = cx.case.heals.fetch_add(1, Ordering::SeqCst) + 1;
    // The gate has told its own failure; the scope around it only carries the verdict.
    hold(gate, cx, &format!("after-heal-{heal}"), true)
        .await
        .of_steps()
}
