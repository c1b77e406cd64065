//! Steps: what scenarios do. One file each, one row in [`STEPS`]; parser, documentation and the
//! list of valid keys derive from the row.

mod always;
mod boot;
mod check;
mod command;
mod eventually;
mod exec;
mod fault;
mod for_each;
mod group;
mod measure;
mod parallel;
mod power;
mod sleep;
mod r#use;

pub(crate) use command::{Command, MAPS as COMMAND_MAPS};
pub(crate) use measure::MAPS as MEASURE_MAPS;

use crate::context::Context;
use crate::load::{Reader, Row, Value};
use crate::outcome::Outcome;
use crate::port::PortResult;
use async_trait::async_trait;
use placemat_spec::selector::Target;
use std::time::Duration;

/// What a step kind does.
#[async_trait]
pub trait StepBody: Send + Sync + std::fmt::Debug {
    /// Does it.
    async fn run(&self, cx: &Context) -> Outcome;

    /// In words, for steps without a `name:`.
    fn describe(&self) -> String;

    /// Whether it ends by itself at its deadline and on cancellation, and must not be dropped
    /// midway: waits, which report what they saw, and scopes, which undo what they did.
    fn unwinds(&self) -> bool {
        false
    }

    /// Its deadline where the file gives none; `None`: only the deadlines around it.
    fn default_timeout(&self) -> Option<Duration>;
}

/// Parses the fields of one step kind; `None` when a problem was reported.
type Parse = fn(&mut Reader<'_>, &Value<'_>) -> Option<Box<dyn StepBody>>;

/// Every step kind.
pub const STEPS: &[Row<Parse>] = &[
    power::ROW,
    boot::ROW,
    exec::ROW,
    fault::ROW,
    check::ROW,
    eventually::ROW,
    always::ROW,
    measure::ROW,
    group::ROW,
    parallel::ROW,
    for_each::ROW,
    r#use::ROW,
    sleep::ROW,
];

/// Passes when every target did what it was told.
fn all_done(answers: Vec<(Target, PortResult<()>)>) -> Outcome {
    let refused: Vec<String> = answers
        .into_iter()
        .filter_map(|(target, answer)| answer.err().map(|error| format!("{target}: {error}")))
        .collect();
    if refused.is_empty() {
        return Outcome::pass();
    }
    Outcome::fail(crate::words::capped(refused, 12).join("\n"))
}
