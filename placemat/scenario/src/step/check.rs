//! `check`: a condition holds now.

use super::StepBody;
use crate::condition::Condition;
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use crate::outcome::Outcome;
use async_trait::async_trait;
use std::time::Duration;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "check",
    doc: "a condition holds now; asked once",
    keys: &[Key::required("that", "CONDITION", "what must hold")],
    parse,
};

#[derive(Debug)]
struct Check(Condition);

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    Some(Box::new(Check(reader.condition(fields.get("that")?)?)))
}

#[async_trait]
impl StepBody for Check {
    async fn run(&self, cx: &Context) -> Outcome {
        let findings = self.0.body.probe(cx, true).await;
        if findings.holds {
            return Outcome {
                tries: 1,
                ..Outcome::pass()
            };
        }
        let why = crate::wait::findings_report(&self.0, &findings);
        Outcome {
            tries: 1,
            ..Outcome::fail(why)
        }
    }

    fn describe(&self) -> String {
        self.0.body.describe()
    }

    fn default_timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(30))
    }
}
