//! `always`: a condition holds all through some steps, but for gaps within a budget.

use super::StepBody;
use crate::condition::Condition;
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use crate::model::Steps;
use crate::outcome::Outcome;
use crate::runner::run_steps;
use crate::wait::{Watch, findings_report};
use crate::words::span;
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "always",
    doc: "a condition, asked in the background, holds all through the steps inside",
    keys: &[
        Key::required("that", "CONDITION", "what must hold"),
        Key::required("during", "[STEP]", "the steps"),
        Key::optional(
            "max-gap",
            "DURATION",
            "longest time it may not hold; never stretched; default 0s",
        ),
        Key::optional("every", "DURATION", "how often it is asked; default 200ms"),
    ],
    parse,
};

#[derive(Debug)]
struct Always {
    that: Condition,
    during: Steps,
    max_gap: Duration,
    every: Duration,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let that = fields.get("that").and_then(|that| reader.condition(that));
    let max_gap = reader.duration_or(fields.get("max-gap"), Duration::ZERO);
    let every = reader.duration_or(fields.get("every"), Duration::from_millis(200));
    let during = fields.get("during").and_then(|during| reader.steps(during));
    Some(Box::new(Always {
        that: that?,
        during: during?,
        max_gap: max_gap?,
        every: every?.max(Duration::from_millis(10)),
    }))
}

impl Always {
    /// Asks until `stop`; the outcome of what it saw. Cancels `steps` when the budget is broken,
    /// for nothing after that could save the step.
    async fn watch(
        &self,
        cx: &Context,
        stop: &CancellationToken,
        steps: &CancellationToken,
    ) -> Outcome {
        let mut watch = Watch::default();
        let mut tries = 0;
        let mut last_good = Instant::now();
        loop {
            let asked_at = Instant::now();
            let broken = last_good + self.max_gap.max(Duration::from_millis(1));
            let findings = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                findings = self.that.body.probe(cx, false) => Some(findings),
                // An asking that takes longer than the budget is a gap, unless it succeeds, and
                // then it was asked in time.
                () = tokio::time::sleep_until(broken.max(asked_at + Duration::from_secs(10))) => None,
            };
            tries += 1;
            let holds = findings.as_ref().is_some_and(|findings| findings.holds);
            if let Some(findings) = &findings {
                watch.note(findings, Instant::now());
                watch.say(cx, findings);
            }
            if holds {
                last_good = Instant::now();
            } else if last_good.elapsed() > self.max_gap {
                steps.cancel();
                let gap = span(last_good.elapsed());
                let report = findings.map_or_else(
                    || format!("{}: no answer", self.that.body.describe()),
                    |findings| findings_report(&self.that, &findings),
                );
                return Outcome {
                    tries,
                    ..Outcome::fail(format!(
                        "did not hold for {gap}, budget {}\n{report}",
                        span(self.max_gap)
                    ))
                };
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(asked_at + self.every) => {}
            }
        }
        if tries == 0 {
            return Outcome::vacuous("the steps inside ended before the condition was asked once");
        }
        Outcome {
            tries,
            ..Outcome::pass()
        }
    }
}

#[async_trait]
impl StepBody for Always {
    async fn run(&self, cx: &Context) -> Outcome {
        let inner = cx.clone().fenced();
        let stop = CancellationToken::new();
        let during = async {
            let ended = run_steps(&self.during, &inner).await;
            stop.cancel();
            ended
        };
        let (watched, ended) = tokio::join!(self.watch(cx, &stop, &inner.cancel), during);
        if watched.is_good() && !ended.is_good() {
            return ended;
        }
        // Steps that the watch cut short are interrupted, but the reason is the watch's.
        let interrupted = cx.cancel.is_cancelled();
        Outcome {
            interrupted,
            ..watched.and(Outcome {
                interrupted,
                ..ended
            })
        }
    }

    fn describe(&self) -> String {
        self.that.body.describe()
    }

    fn unwinds(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Option<Duration> {
        None
    }
}
