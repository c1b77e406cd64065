//! `group`: steps that belong together, with steps that run whatever happens.

use super::StepBody;
use crate::context::Context;
use crate::deadline::Limit;
use crate::load::{Key, Reader, Row, Value};
use crate::model::Steps;
use crate::outcome::Outcome;
use crate::runner::{run_from, run_steps};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "group",
    doc: "steps that belong together; `finally` runs on every way out",
    keys: &[
        Key::required("steps", "[STEP]", "the steps"),
        Key::optional(
            "finally",
            "[STEP]",
            "run after them on pass, fail, timeout and ^C",
        ),
    ],
    parse,
};

/// Time for `finally` steps, which no deadline above cuts short.
const FINALLY: Limit = Limit::default_of(Duration::from_secs(60));

/// A list of steps as one step: what `group`, branches, loop items and library steps are.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) steps: Steps,
    pub(crate) finally: Steps,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let steps = fields.get("steps").and_then(|steps| reader.steps(steps));
    let finally = reader.optional(fields.get("finally"), Reader::steps);
    let (steps, finally) = (steps?, finally?.unwrap_or_else(|| Arc::from([])));
    let name = steps
        .first()
        .map(|step| step.name.clone())
        .unwrap_or_default();
    Some(Box::new(Group {
        name: format!("{name}, ..."),
        steps,
        finally,
    }))
}

#[async_trait]
impl StepBody for Group {
    async fn run(&self, cx: &Context) -> Outcome {
        let ended = run_steps(&self.steps, cx).await;
        if self.finally.is_empty() {
            return ended;
        }
        let last = cx.clone().unwinding(&FINALLY, "`finally`");
        ended.and(run_from(&self.finally, &last, self.steps.len() + 1).await)
    }

    fn describe(&self) -> String {
        self.name.clone()
    }

    fn unwinds(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Option<Duration> {
        None
    }
}
