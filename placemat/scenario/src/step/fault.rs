//! `fault`: breaks something for as long as its scope lasts: applied, seen to take effect, and
//! always healed and seen to be healed, whatever happens inside.

use super::StepBody;
use crate::context::Context;
use crate::deadline::Limit;
use crate::event::What;
use crate::load::{Key, POWERED, Reader, Row, Targets, Value};
use crate::measure::FaultSpan;
use crate::model::Steps;
use crate::outcome::Outcome;
use crate::port::{Fault, FaultKind};
use crate::runner::{after_heal, run_steps};
use crate::words::span;
use async_trait::async_trait;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "fault",
    doc: "breaks something while the steps inside run; healed on every way out",
    keys: &[
        Key::required("kind", "FAULT", "power-loss carrier-down daemon-kill"),
        Key::required(
            "of",
            "SELECTOR",
            "what breaks; for power-loss also feeds and racks",
        ),
        Key::optional("app", "NAME", "for daemon-kill: the program, such as bird"),
        Key::optional(
            "pick",
            "NUMBER",
            "only that many of them, drawn by the run's seed",
        ),
        Key::optional(
            "for",
            "DURATION",
            "lasts at least this long; never stretched",
        ),
        Key::optional("during", "[STEP]", "steps under the fault"),
    ],
    parse,
};

const KINDS: &[&str] = &["power-loss", "carrier-down", "daemon-kill"];

/// Time to apply a fault, to see it take effect, and to undo it.
const ACT: Limit = Limit::default_of(Duration::from_secs(30));

#[derive(Debug)]
struct FaultScope {
    kind: &'static str,
    fault: FaultKind,
    of: Targets,
    pick: Option<u32>,
    hold: Duration,
    during: Steps,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let kind = fields
        .get("kind")
        .and_then(|kind| reader.choice(kind, KINDS));
    let of = reader.targets(fields.get("of"), POWERED);
    let app = reader.optional(fields.get("app"), Reader::text);
    let pick = reader.optional(fields.get("pick"), |reader, pick| {
        reader.number_or(Some(pick), 1, 1)
    });
    let hold = reader.duration_or(fields.get("for"), Duration::ZERO);
    let during = reader.optional(fields.get("during"), Reader::steps);
    if fields.get("for").is_none() && fields.get("during").is_none() {
        reader.problem(
            "missing-key",
            "`fault` would end as soon as it began".to_owned(),
            value.place,
            "neither `for` nor `during`".to_owned(),
            Some(
                "say how long with `for: 8s`, or what happens meanwhile with `during:`".to_owned(),
            ),
        );
        return None;
    }
    let (kind, app) = (kind?, app?);
    let fault = match (kind, app) {
        ("power-loss", None) => FaultKind::PowerLoss,
        ("carrier-down", None) => FaultKind::CarrierDown,
        ("daemon-kill", Some(app)) => FaultKind::DaemonKill { app },
        ("daemon-kill", None) => {
            reader.problem(
                "missing-key",
                "`daemon-kill` does not say which program".to_owned(),
                value.place,
                "no `app`".to_owned(),
                Some("for the routing daemon, `app: bird`".to_owned()),
            );
            return None;
        }
        (kind, _) => {
            let place = fields.get("app").map_or(value.place, |app| app.place);
            reader.problem(
                "unknown-key",
                format!("`app` is for `daemon-kill`, not for `{kind}`"),
                place,
                "not needed here".to_owned(),
                None,
            );
            return None;
        }
    };
    Some(Box::new(FaultScope {
        kind,
        fault,
        of: of?,
        pick: pick?,
        hold: hold?,
        during: during?.unwrap_or_else(|| Arc::from([])),
    }))
}

/// What a fault is watched for.
#[derive(Debug, Clone, Copy)]
enum Watched {
    InEffect,
    Healed,
}

/// Why it was not seen.
enum Unseen {
    /// Not by the deadline: which one, and what the lab last said against being asked.
    Never(String),
    /// The scope was cancelled meanwhile.
    Cut(Outcome),
}

fn spans(cx: &Context) -> MutexGuard<'_, Vec<FaultSpan>> {
    let faults = &cx.case.faults;
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultScope {
    /// Notes for measurements that the fault begins; its index there.
    fn begun(cx: &Context, fault: &Fault) -> usize {
        let mut spans = spans(cx);
        spans.push(FaultSpan {
            of: fault.of.clone(),
            applied_ms: cx.run.sink.elapsed_ms(),
            healing_ms: None,
        });
        spans.len() - 1
    }

    async fn apply(&self, cx: &Context, fault: &Fault) -> Outcome {
        // From here on it may be felt.
        cx.emit(|scenario, path| What::FaultApplied {
            scenario,
            path,
            kind: self.kind.to_owned(),
            targets: fault.of.iter().map(ToString::to_string).collect(),
        });
        // Not cut short by ^C: it is healed all the sooner when it is wholly there.
        let cx = cx.clone().unwinding(&ACT, "applying a fault");
        match cx.bounded(cx.port().apply_fault(fault)).await {
            Ok(Ok(())) => Outcome::pass(),
            Ok(Err(error)) => Outcome::fail(format!("{} could not be applied: {error}", self.kind)),
            Err(late) => late,
        }
    }

    async fn under(&self, cx: &Context, fault: &Fault) -> Outcome {
        let began = Instant::now();
        match observe(cx, fault, Watched::InEffect).await {
            Ok(()) => {}
            Err(Unseen::Never(why)) => {
                return Outcome::vacuous(format!(
                    "{} of {} was not seen to take effect, so nothing was tested: {why}",
                    self.kind, self.of
                ));
            }
            Err(Unseen::Cut(ended)) => return ended,
        }
        cx.emit(|scenario, path| What::FaultObserved { scenario, path });
        let ended = run_steps(&self.during, cx).await;
        if !ended.is_good() {
            return ended;
        }
        let rest = tokio::time::sleep_until(began + self.hold);
        match cx.bounded(rest).await {
            Ok(()) => ended,
            Err(cut) => ended.and(cut),
        }
    }

    /// Undoes it, however the scope ended and whatever was cancelled.
    async fn heal(&self, cx: &Context, fault: &Fault) -> Outcome {
        let cx = cx.clone().unwinding(&ACT, "healing");
        let healed = match cx.bounded(cx.port().heal_fault(fault)).await {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(late) => Err(late.message.unwrap_or_default()),
        };
        if let Err(why) = healed {
            return Outcome::fail(format!("{} could not be healed: {why}", self.kind));
        }
        match observe(&cx, fault, Watched::Healed).await {
            Ok(()) => {
                cx.emit(|scenario, path| What::FaultHealed { scenario, path });
                Outcome::pass()
            }
            Err(Unseen::Never(why)) => Outcome::fail(format!(
                "{} of {} was undone, but not every target was seen to be back: {why}",
                self.kind, self.of
            )),
            Err(Unseen::Cut(ended)) => ended,
        }
    }
}

/// Watches until the fault is seen to be as wanted.
async fn observe(cx: &Context, fault: &Fault, wanted: Watched) -> Result<(), Unseen> {
    let cx = cx.clone().limited(Some(&ACT), "observing a fault");
    let mut interval = Duration::from_millis(5);
    let mut refused = String::new();
    loop {
        let asking = async {
            match wanted {
                Watched::InEffect => cx.port().fault_in_effect(fault).await,
                Watched::Healed => cx.port().fault_is_healed(fault).await,
            }
        };
        let passed = match cx.bounded(asking).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => {
                refused.clear();
                cx.bounded(tokio::time::sleep(interval)).await
            }
            Ok(Err(error)) => {
                refused = format!(" ({error})");
                cx.bounded(tokio::time::sleep(interval)).await
            }
            Err(ended) => Err(ended),
        };
        match passed {
            Ok(()) => interval = (interval * 2).min(Duration::from_millis(200)),
            Err(ended) if ended.interrupted => return Err(Unseen::Cut(ended)),
            Err(ended) => {
                let late = ended.message.unwrap_or_default();
                return Err(Unseen::Never(format!("{late}{refused}")));
            }
        }
    }
}

#[async_trait]
impl StepBody for FaultScope {
    async fn run(&self, cx: &Context) -> Outcome {
        let of = match self.pick {
            Some(count) => crate::draw::pick(cx.run.seed, &cx.path, &self.of, count as usize),
            None => self.of.to_vec(),
        };
        let fault = Fault {
            kind: self.fault.clone(),
            of,
        };
        cx.case.active_faults.fetch_add(1, Ordering::SeqCst);
        let span = Self::begun(cx, &fault);
        let mut ended = self.apply(cx, &fault).await;
        if ended.is_good() {
            ended = self.under(cx, &fault).await;
        }
        if !ended.is_good() && !ended.interrupted {
            // What the lab looks like under the fault is gone once it is healed.
            crate::runner::take_evidence(cx).await;
        }
        if let Some(span) = spans(cx).get_mut(span) {
            span.healing_ms = Some(cx.run.sink.elapsed_ms());
        }
        let ended = ended.and(self.heal(cx, &fault).await);
        cx.case.active_faults.fetch_sub(1, Ordering::SeqCst);
        if !ended.is_good() {
            return ended;
        }
        ended.and(after_heal(cx).await)
    }

    fn describe(&self) -> String {
        let held = if self.hold.is_zero() {
            String::new()
        } else {
            format!(" for {}", span(self.hold))
        };
        format!("{} of {}{held}", self.kind, self.of)
    }

    fn unwinds(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Option<Duration> {
        None
    }
}
