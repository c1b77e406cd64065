//! `for-each`: the same steps for each of several targets or words, one after the other or some at
//! a time. Unfolded while loading, so that every selector of every round is checked before anything
//! starts.

use super::StepBody;
use super::group::Group;
use super::parallel::side_by_side;
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use crate::model::{Step, Steps};
use crate::outcome::Outcome;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "for-each",
    doc: "runs steps for each target or word, as `$(AS)`",
    keys: &[
        Key::required("in", "SELECTOR | [TEXT]", "what to go through"),
        Key::required("as", "NAME", "the variable"),
        Key::required("steps", "[STEP]", "the steps"),
        Key::optional(
            "max-parallel",
            "NUMBER",
            "rounds at the same time; default 1",
        ),
        Key::optional(
            "order",
            "file | shuffled",
            "shuffled by the run's seed; default file",
        ),
    ],
    parse,
};

#[derive(Debug)]
struct ForEach {
    /// One step a round.
    rounds: Steps,
    max_parallel: u32,
    shuffled: bool,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let max_parallel = reader.number_or(fields.get("max-parallel"), 1, 1);
    let order = reader.choice_or(fields.get("order"), &["file", "shuffled"], "file");
    let variable = fields.get("as").and_then(|name| reader.word(name));
    let items = fields.get("in").and_then(|items| reader.items(items));
    let (variable, items) = (variable?, items?);
    let body = fields.get("steps")?;
    let mut rounds = Vec::new();
    let mut whole = true;
    for item in items {
        let name = format!("{variable} = {}", item.text());
        let Some(steps) = reader.with_variable(&variable, item, |reader| reader.steps(body)) else {
            whole = false;
            continue;
        };
        rounds.push(Step {
            kind: "group",
            name: name.clone(),
            loc: reader.loc(body.place),
            timeout: None,
            keep_going: false,
            only_if: None,
            body: Box::new(Group {
                name,
                steps,
                finally: Arc::from([]),
            }),
        });
    }
    if !whole {
        return None;
    }
    Some(Box::new(ForEach {
        rounds: rounds.into(),
        max_parallel: max_parallel?,
        shuffled: order? == "shuffled",
    }))
}

#[async_trait]
impl StepBody for ForEach {
    async fn run(&self, cx: &Context) -> Outcome {
        let order = if self.shuffled {
            crate::draw::order(cx.run.seed, &cx.path, self.rounds.len())
        } else {
            (0..self.rounds.len()).collect()
        };
        side_by_side(&self.rounds, &order, self.max_parallel as usize, cx).await
    }

    fn describe(&self) -> String {
        crate::words::count(self.rounds.len(), "round", "rounds")
    }

    fn unwinds(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Option<Duration> {
        None
    }
}
