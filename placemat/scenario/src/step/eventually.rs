//! `eventually`: a condition comes true in time, and stays true.

use super::StepBody;
use crate::condition::Condition;
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use crate::outcome::Outcome;
use crate::wait::{Late, Wait};
use async_trait::async_trait;
use std::time::Duration;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "eventually",
    doc: "waits for a condition: asked at once, then every 20 ms rising to 500 ms",
    keys: &[
        Key::required("that", "CONDITION", "what must come true"),
        Key::optional(
            "timeout",
            "DURATION",
            "patience, stretched on slow hosts; default 60s",
        ),
        Key::optional(
            "stable-for",
            "DURATION",
            "it must then hold this long without a break",
        ),
        Key::optional(
            "fail-fast",
            "CONDITION",
            "a state from which it cannot come true any more",
        ),
        Key::optional(
            "late",
            "PERCENT",
            "how much longer to watch after a failure, of the time waited; default 50%, at most 5s",
        ),
    ],
    parse,
};

#[derive(Debug)]
struct Eventually {
    that: Condition,
    stable_for: Duration,
    fail_fast: Option<Condition>,
    late: Late,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    reader.step_timeout(fields.get("timeout"));
    let that = fields.get("that").and_then(|that| reader.condition(that));
    let stable_for = reader.duration_or(fields.get("stable-for"), Duration::ZERO);
    let fail_fast = reader.optional(fields.get("fail-fast"), Reader::condition);
    let late = reader.optional(fields.get("late"), Reader::share);
    Some(Box::new(Eventually {
        that: that?,
        stable_for: stable_for?,
        fail_fast: fail_fast?,
        late: late?.map_or(Late::Short, Late::Share),
    }))
}

#[async_trait]
impl StepBody for Eventually {
    async fn run(&self, cx: &Context) -> Outcome {
        let (stable_for, late) = (self.stable_for, self.late);
        Wait {
            that: &self.that,
            stable_for,
            fail_fast: self.fail_fast.as_ref(),
            late,
        }
        .run(cx)
        .await
    }

    fn describe(&self) -> String {
        self.that.body.describe()
    }

    fn unwinds(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(60))
    }
}
