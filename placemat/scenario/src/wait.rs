//! Waiting for a condition: the first try at once, then 20 ms apart rising to 500 ms, telling every
//! change, and on failure saying per target what was expected, what it is, and since when.

use crate::condition::{Condition, Findings, State};
use crate::context::Context;
use crate::event::{Verdict, What};
use crate::outcome::Outcome;
use crate::words::{capped, count, span};
use indexmap::IndexMap;
use std::time::Duration;
use tokio::time::Instant;

const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(500);
/// The longest that one more asking of everything may take after a failure, and the longest that
/// it is then watched on by default: long enough to tell late from never for most of what is
/// waited for, short enough to be paid on every failure.
const AFTERWARDS: Duration = Duration::from_secs(5);
/// Share of the time waited that it is watched on by default, up to [`AFTERWARDS`].
const HALF: f64 = 0.5;
/// Lines of a report before it is cut.
const LINES: usize = 12;

/// A wait.
pub(crate) struct Wait<'a> {
    pub(crate) that: &'a Condition,
    /// How long it must hold without a break.
    pub(crate) stable_for: Duration,
    /// A state from which it cannot come true any more.
    pub(crate) fail_fast: Option<&'a Condition>,
    /// How much longer to watch on after the deadline, to tell late from never.
    pub(crate) late: Late,
}

/// How long a failed wait is watched on. Never stretched: the wait itself has been.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Late {
    /// Not at all.
    Not,
    /// Half of the time waited, and at most a few seconds.
    Short,
    /// This share of the time waited, since the file says so.
    Share(f64),
}

impl Late {
    fn after(self, waited: Duration, slowness: f64) -> Duration {
        let waited = waited.div_f64(slowness.max(1.0));
        match self {
            Self::Not => Duration::ZERO,
            Self::Short => waited.mul_f64(HALF).min(AFTERWARDS),
            Self::Share(share) => waited.mul_f64(share),
        }
    }
}

/// What has been seen of each atom so far.
#[derive(Default)]
pub(crate) struct Watch {
    seen: IndexMap<String, Seen>,
    said: Option<String>,
}

struct Seen {
    state: State,
    last: String,
    expected: String,
    since: Instant,
    changes: u32,
    asked: u32,
}

impl Watch {
    /// Takes in what was found; true when something changed.
    pub(crate) fn note(&mut self, findings: &Findings, now: Instant) -> bool {
        let mut changed = false;
        // What the last asking no longer reached says nothing about now.
        self.seen
            .retain(|who, _| findings.atoms.iter().any(|atom| atom.who == *who));
        for atom in &findings.atoms {
            let seen = self.seen.entry(atom.who.clone()).or_insert_with(|| {
                changed = true;
                Seen {
                    state: atom.state,
                    last: atom.last.clone(),
                    expected: atom.expected.clone(),
                    since: now,
                    changes: 0,
                    asked: 0,
                }
            });
            if seen.last != atom.last || seen.state != atom.state {
                changed = true;
                seen.changes += 1;
                seen.since = now;
                seen.last.clone_from(&atom.last);
            }
            seen.asked += 1;
            seen.state = atom.state;
            seen.expected.clone_from(&atom.expected);
        }
        changed
    }

    /// Says the current value in an event, where it differs from what was said last.
    pub(crate) fn say(&mut self, cx: &Context, findings: &Findings) {
        let value = summary(findings);
        if self.said.as_ref() != Some(&value) {
            cx.emit(|scenario, path| What::StepValue {
                scenario,
                path,
                value: value.clone(),
            });
            self.said = Some(value);
        }
    }

    /// One line for each atom that is not as expected.
    pub(crate) fn report(&self, start: Instant, now: Instant) -> Vec<String> {
        let unmet = self
            .seen
            .iter()
            .filter(|(_, seen)| seen.state != State::Held);
        let lines = unmet.map(|(who, seen)| {
            let since = if seen.asked == 1 {
                "asked once".to_owned()
            } else if seen.changes == 0 {
                format!("the same for all of {}", span(now - start))
            } else {
                format!(
                    "unchanged since {} after the start",
                    span(seen.since - start)
                )
            };
            format!("{who}: {}, {since}; expected {}", seen.last, seen.expected)
        });
        capped(lines, LINES)
    }
}

/// `holds for all 12`, or `2 of 12 not yet: router/spine-1 s1-r1t1: Active`.
pub(crate) fn summary(findings: &Findings) -> String {
    let unmet: Vec<_> = findings.unmet().collect();
    let total = findings.atoms.len();
    if findings.holds {
        return format!("holds ({total} of {total})");
    }
    match unmet.first() {
        Some(first) => {
            format!(
                "{} of {total} not as expected: {}: {}",
                unmet.len(),
                first.who,
                first.last
            )
        }
        None => "nothing found".to_owned(),
    }
}

/// What a single asking found wrong, one line each, after a head line.
pub(crate) fn findings_report(that: &Condition, findings: &Findings) -> String {
    let lines = findings
        .unmet()
        .map(|atom| format!("{}: {}; expected {}", atom.who, atom.last, atom.expected));
    let mut all = vec![head(that, findings)];
    all.extend(capped(lines, LINES));
    all.join("\n")
}

fn head(that: &Condition, findings: &Findings) -> String {
    format!(
        "{}: {} of {} not as expected",
        that.body.describe(),
        findings.unmet().count(),
        findings.atoms.len()
    )
}

impl Wait<'_> {
    /// Waits under the deadline of the context.
    pub(crate) async fn run(&self, cx: &Context) -> Outcome {
        let start = Instant::now();
        let mut watch = Watch::default();
        let mut tries = 0;
        match self
            .until(cx, &cx.deadline.at(), start, &mut watch, &mut tries)
            .await
        {
            Ended::True(_) => Outcome {
                tries,
                ..Outcome::pass()
            },
            Ended::Interrupted => Outcome {
                tries,
                ..Outcome::interrupted()
            },
            Ended::Hopeless(why) => Outcome {
                tries,
                ..Outcome::fail(why)
            },
            Ended::Deadline(stable) => self.failed(cx, start, watch, tries, stable).await,
        }
    }

    async fn until(
        &self,
        cx: &Context,
        deadline: &Instant,
        start: Instant,
        watch: &mut Watch,
        tries: &mut u32,
    ) -> Ended {
        let mut interval = SHORTEST;
        let mut held_since: Option<Instant> = None;
        loop {
            let asked_at = Instant::now();
            let asked = tokio::select! {
                biased;
                () = cx.cancel.cancelled() => return Ended::Interrupted,
                findings = self.that.body.probe(cx, false) => findings,
                () = tokio::time::sleep_until(*deadline) => return Ended::Deadline(held_since),
            };
            *tries += 1;
            let now = Instant::now();
            if watch.note(&asked, now) {
                interval = SHORTEST;
            }
            watch.say(cx, &asked);
            if asked.holds {
                let since = *held_since.get_or_insert(now);
                if now - since >= self.stable_for {
                    return Ended::True(since - start);
                }
            } else {
                held_since = None;
                if let Some(why) = self.hopeless(cx).await {
                    return Ended::Hopeless(why);
                }
            }
            if now >= *deadline {
                return Ended::Deadline(held_since);
            }
            // Asking costs the host that is being tested: never more than half of the time.
            let mut next = now + interval.max(now - asked_at);
            if let Some(since) = held_since {
                next = next.min((since + self.stable_for).max(now + SHORTEST));
            }
            tokio::select! {
                biased;
                () = cx.cancel.cancelled() => return Ended::Interrupted,
                () = tokio::time::sleep_until(next.min(*deadline)) => {}
            }
            interval = (interval * 3 / 2).min(LONGEST);
        }
    }

    async fn hopeless(&self, cx: &Context) -> Option<String> {
        let condition = self.fail_fast?;
        let findings = cx.bounded(condition.body.probe(cx, false)).await.ok()?;
        findings.holds.then(|| {
            format!(
                "cannot come true any more: {} ({})",
                condition.body.describe(),
                findings
                    .atoms
                    .first()
                    .map_or(String::new(), |a| format!("{}: {}", a.who, a.last))
            )
        })
    }

    async fn failed(
        &self,
        cx: &Context,
        start: Instant,
        mut watch: Watch,
        mut tries: u32,
        stable: Option<Instant>,
    ) -> Outcome {
        let waited = start.elapsed();
        let mut lines = vec![format!(
            "{}: {} passed",
            self.that.body.describe(),
            cx.deadline
        )];
        if let Some(since) = stable {
            lines.push(format!(
                "it holds, but only for {} of {}",
                span(since.elapsed()),
                span(self.stable_for)
            ));
        }
        // One asking of everything, so that the report is not only of the first part that failed.
        let longer = self.late.after(waited, cx.run.slowness);
        let until = Instant::now() + longer;
        let at_most = waited.clamp(LONGEST, AFTERWARDS);
        tokio::select! {
            biased;
            () = cx.cancel.cancelled() => {}
            findings = self.that.body.probe(cx, true) => {
                watch.note(&findings, Instant::now());
            }
            () = tokio::time::sleep(at_most) => {}
        }
        lines.extend(watch.report(start, Instant::now()));
        lines.push(format!(
            "{} in {}",
            count(tries as usize, "try", "tries"),
            span(waited)
        ));
        let mut late = None;
        if !longer.is_zero() {
            let mut ignored = Watch {
                said: watch.said.take(),
                ..Watch::default()
            };
            match self
                .until(cx, &until, start, &mut ignored, &mut tries)
                .await
            {
                Ended::True(after) => {
                    lines.push(format!("late: became true at {}", span(after)));
                    late = Some(after);
                }
                Ended::Deadline(_) => lines.push(format!(
                    "still not so {} later, at {}",
                    span(longer),
                    span(start.elapsed())
                )),
                Ended::Hopeless(_) | Ended::Interrupted => {}
            }
        }
        Outcome {
            tries,
            late,
            ..Outcome::of(Verdict::Fail, lines.join("\n"))
        }
    }
}

enum Ended {
    /// Held for as long as asked; when it began to, counted from the start.
    True(Duration),
    /// Not by then; since when it has held, if it does.
    Deadline(Option<Instant>),
    Hopeless(String),
    Interrupted,
}
