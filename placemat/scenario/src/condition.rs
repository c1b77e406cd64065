//! Conditions: what `check`, `eventually`, `always`, gates and `if` ask. One file each, one row in
//! [`CONDITIONS`]; adding one serves all of them.

mod all;
mod any;
mod booted;
mod exec;
mod link;
mod not;
mod power;
mod reachable;
mod route;
mod sessions;
mod r#use;

use crate::context::Context;
use crate::event::Loc;
use crate::load::{Reader, Row};
use crate::port::PortResult;
use async_trait::async_trait;
use placemat_spec::selector::Target;

/// A condition, and where it stands.
#[derive(Debug)]
pub struct Condition {
    /// Its kind, as in the file.
    pub kind: &'static str,
    /// Where it stands.
    pub loc: Loc,
    /// What it asks.
    pub body: Box<dyn Probe>,
}

/// What a condition kind asks of the lab.
#[async_trait]
pub trait Probe: Send + Sync + std::fmt::Debug {
    /// Asks once. With `thorough`, everything is asked even when the answer is already no.
    async fn probe(&self, cx: &Context, thorough: bool) -> Findings;

    /// In words: `bgp of router/spine-1 Established`.
    fn describe(&self) -> String;

    /// Whether it is made of other conditions.
    fn is_composed(&self) -> bool {
        false
    }
}

/// What one asking found: as fine as it can be told apart, so that a report names what is missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// Whether the condition holds.
    pub holds: bool,
    /// What was found.
    pub atoms: Vec<Atom>,
}

/// One thing that was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Atom {
    /// Of what: `router/spine-1 s1-r1t1`.
    pub who: String,
    /// What was found.
    pub state: State,
    /// What it is, in words.
    pub last: String,
    /// What was expected, in words.
    pub expected: String,
}

/// Whether an atom is as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is.
    Held,
    /// It is not.
    Unheld,
    /// It could not be asked; neither the condition nor its opposite holds.
    Unknown,
}

impl Atom {
    /// An atom that is or is not as expected.
    pub fn new(
        who: impl Into<String>,
        held: bool,
        last: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let state = if held { State::Held } else { State::Unheld };
        Self {
            who: who.into(),
            state,
            last: last.into(),
            expected: expected.into(),
        }
    }

    /// An atom that could not be asked.
    pub fn unknown(
        who: impl Into<String>,
        error: impl std::fmt::Display,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            who: who.into(),
            state: State::Unknown,
            last: crate::words::first_line(&error.to_string()),
            expected: expected.into(),
        }
    }
}

impl Findings {
    /// Holds when there is something and all of it is as expected.
    pub fn all_of(atoms: Vec<Atom>) -> Self {
        let holds = !atoms.is_empty() && atoms.iter().all(|atom| atom.state == State::Held);
        Self { holds, atoms }
    }

    /// Findings made target by target from what each answered.
    pub(crate) fn per_target<T>(
        answers: Vec<(Target, PortResult<T>)>,
        expected: &str,
        judge: impl Fn(&Target, T) -> Vec<Atom>,
    ) -> Self {
        let atoms = answers
            .into_iter()
            .flat_map(|(target, answer)| match answer {
                Ok(answer) => judge(&target, answer),
                Err(error) => vec![Atom::unknown(target.to_string(), error, expected)],
            })
            .collect();
        Self::all_of(atoms)
    }

    /// Whether nothing that was found speaks against it, and only what could not be asked keeps it
    /// from holding.
    pub fn is_unknown(&self) -> bool {
        !self.holds
            && self.unmet().next().is_some()
            && self.unmet().all(|atom| atom.state == State::Unknown)
    }

    /// What is not as expected.
    pub fn unmet(&self) -> impl Iterator<Item = &Atom> {
        self.atoms.iter().filter(|atom| atom.state != State::Held)
    }
}

/// Parses the fields of one condition kind; `None` when a problem was reported.
type Parse = fn(&mut Reader<'_>, &crate::load::Value<'_>) -> Option<Box<dyn Probe>>;

/// Every condition kind.
pub const CONDITIONS: &[Row<Parse>] = &[
    sessions::BGP,
    sessions::BFD,
    route::ROW,
    link::ROW,
    reachable::ROW,
    power::ROW,
    booted::ROW,
    exec::ROW,
    all::ROW,
    any::ROW,
    not::ROW,
    r#use::ROW,
];
