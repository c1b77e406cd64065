//! Checked scenarios: what the runner walks. Only the loader builds them; every selector has
//! matched, every variable and every loop is already unfolded.

use crate::condition::Condition;
use crate::deadline::Limit;
use crate::event::Loc;
use crate::step::StepBody;
use placemat_spec::selector::Target;
use std::sync::Arc;
use std::time::Duration;

/// Scenarios that run in order on one lab.
#[derive(Debug)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// The data center file as written, for messages.
    pub dc: String,
    /// Deadline of the whole run.
    pub timeout: Limit,
    /// Its scenarios, in order.
    pub scenarios: Vec<Scenario>,
}

/// One scenario.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub loc: Loc,
    /// Its deadline.
    pub timeout: Limit,
    /// What must hold before, after each heal, and at the end.
    pub gate: Option<Gate>,
    /// Its steps.
    pub steps: Steps,
}

/// Steps in order, shared with the tasks that run them.
pub type Steps = Arc<[Step]>;

/// A steady-state gate.
#[derive(Debug)]
pub struct Gate {
    /// What must hold.
    pub that: Condition,
    /// How long to wait for it.
    pub timeout: Limit,
    /// How long it must hold without a break.
    pub stable_for: Duration,
    /// Where it stands.
    pub loc: Loc,
}

/// One step: a kind with its own fields, and the keys that all kinds share.
#[derive(Debug)]
pub struct Step {
    /// Its kind, as in the file.
    pub kind: &'static str,
    /// Its `name:`, or words made from what it does.
    pub name: String,
    /// Where it begins.
    pub loc: Loc,
    /// Its own deadline; `None` where only those around it count.
    pub timeout: Option<Limit>,
    /// `continue: true`: the steps after it run even when it fails.
    pub keep_going: bool,
    /// `if:`; the step is skipped where this does not hold.
    pub only_if: Option<Condition>,
    /// What it does.
    pub body: Box<dyn StepBody>,
}

/// A text with places for outputs of earlier steps; everything else was put in while loading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<TextPart>);

/// A part of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPart {
    /// As it stands.
    Literal(String),
    /// `$(id.name)`: an output.
    Output {
        /// Id of the step.
        id: String,
        /// Name of the output.
        name: String,
    },
}

impl Text {
    /// A text without outputs.
    pub fn literal(text: impl Into<String>) -> Self {
        Self(vec![TextPart::Literal(text.into())])
    }
}

/// `router/spine-1`, or `node/a and 3 more`.
pub(crate) fn named(targets: &[Target]) -> String {
    match targets {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}
