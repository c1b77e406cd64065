//! `always`: a condition holds all through some steps, but for gaps within a budget.

use super::StepBody;
use crate::condition::Condition;
use crate::context::{ATTEMPT, Context};
use crate::event::Verdict;
use crate::load::{Key, Reader, Row, Value};
use crate::model::Steps;
use crate::outcome::Outcome;
use crate::pressure::Pressure;
use crate::runner::run_steps;
use crate::wait::{Watch, findings_report};
use crate::words::{percent, span};
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

/// A shorter time without an answer is never held against the watch: even a quiet lab takes its
/// time to answer.
const SURE_OF: Duration = Duration::from_secs(2);

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

/// What the background saw.
struct Seen {
    outcome: Outcome,
    /// When a gap over budget began and when it was noticed, on the run's clock in milliseconds.
    broken: Option<(f64, f64)>,
}

impl Seen {
    fn unbroken(outcome: Outcome) -> Self {
        Self {
            outcome,
            broken: None,
        }
    }
}

impl Always {
    /// Asks until `stop`. Cancels `steps` when the budget is broken, for nothing after that could
    /// save the step.
    async fn watch(
        &self,
        cx: &Context,
        stop: &CancellationToken,
        steps: &CancellationToken,
    ) -> Seen {
        let mut watch = Watch::default();
        let mut tries = 0;
        // When it was last asked what it then answered well, and when that answer came.
        let mut asked_good = Instant::now();
        let mut last_good = asked_good;
        let mut unseen = Duration::ZERO;
        loop {
            let asked_at = Instant::now();
            let broken = last_good + self.max_gap.max(Duration::from_millis(1));
            let findings = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                findings = self.that.body.probe(cx, false) => Some(findings),
                () = tokio::time::sleep_until(broken.max(asked_at + ATTEMPT)) => None,
            };
            tries += 1;
            let holds = findings.as_ref().is_some_and(|findings| findings.holds);
            if let Some(findings) = &findings {
                watch.note(findings, Instant::now());
                watch.say(cx, findings);
            }
            if holds {
                last_good = Instant::now();
                unseen = unseen.max(last_good - asked_good);
                asked_good = asked_at;
            } else if self.max_gap.is_zero() || last_good.elapsed() > self.max_gap {
                steps.cancel();
                let gap = last_good.elapsed();
                let report = findings.map_or_else(
                    || format!("{}: no answer", self.that.body.describe()),
                    |findings| findings_report(&self.that, &findings),
                );
                let now = cx.run.sink.elapsed_ms();
                return Seen {
                    outcome: Outcome {
                        tries,
                        ..Outcome::fail(format!(
                            "did not hold for {}, budget {}\n{report}",
                            span(gap),
                            span(self.max_gap)
                        ))
                    },
                    broken: Some((now - gap.as_secs_f64() * 1000.0, now)),
                };
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(asked_at + self.every) => {}
            }
        }
        if tries == 0 {
            return Seen::unbroken(Outcome::vacuous(
                "the steps inside ended before the condition was asked once",
            ));
        }
        unseen = unseen.max(asked_good.elapsed());
        Seen::unbroken(Outcome {
            tries,
            ..self.judge_unseen(unseen)
        })
    }

    /// Whether it was asked often enough: a gap over budget between two good answers is not seen.
    fn judge_unseen(&self, unseen: Duration) -> Outcome {
        let sure_of = self.max_gap.max(self.every * 2).max(SURE_OF);
        if unseen <= sure_of {
            return Outcome::pass();
        }
        Outcome::of(
            Verdict::Inconclusive,
            format!(
                "answers came too slowly to judge: for {} nothing was known, so a gap above the budget of {} would not have been seen",
                span(unseen),
                span(self.max_gap)
            ),
        )
    }
}

/// A gap over budget that a starved host explains is no verdict on the lab.
fn excuse(seen: Seen, max_gap: Duration, pressure: &Pressure) -> Outcome {
    let Some((start, end)) = seen.broken else {
        return seen.outcome;
    };
    let excess = end - start - max_gap.as_secs_f64() * 1000.0;
    let Some(share) = pressure.excuses(start, end, excess) else {
        return seen.outcome;
    };
    let why = seen.outcome.message.unwrap_or_default();
    Outcome {
        tries: seen.outcome.tries,
        ..Outcome::of(
            Verdict::Inconclusive,
            format!(
                "{why}\nwork on the host waited for a processor {} of that time: too busy to judge",
                percent(share)
            ),
        )
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
        let (seen, ended, pressure) = tokio::join!(
            self.watch(cx, &stop, &inner.cancel),
            during,
            Pressure::watch(cx, &stop)
        );
        let watched = excuse(seen, self.max_gap, &pressure);
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
