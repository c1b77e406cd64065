//! `sleep`: lets time pass, and says why.

use super::StepBody;
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use crate::outcome::Outcome;
use crate::words::span;
use async_trait::async_trait;
use std::time::Duration;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "sleep",
    doc: "lets time pass; the reason is required, since a wait for something is `eventually`",
    keys: &[
        Key::required("for", "DURATION", "how long; never stretched"),
        Key::required("reason", "TEXT", "why no condition can tell"),
    ],
    parse,
};

#[derive(Debug)]
struct Sleep {
    length: Duration,
    reason: String,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let length = fields.get("for").and_then(|length| reader.duration(length));
    let reason = fields.get("reason").and_then(|reason| reader.text(reason));
    Some(Box::new(Sleep {
        length: length?,
        reason: reason?,
    }))
}

#[async_trait]
impl StepBody for Sleep {
    async fn run(&self, _cx: &Context) -> Outcome {
        tokio::time::sleep(self.length).await;
        Outcome::pass()
    }

    fn describe(&self) -> String {
        format!("{}: {}", span(self.length), self.reason)
    }

    fn default_timeout(&self) -> Option<Duration> {
        None
    }
}
