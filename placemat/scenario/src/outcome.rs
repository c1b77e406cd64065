//! How a step ended, and how the ends of several add up.

use crate::event::Verdict;
use std::time::Duration;

/// How a step, a list of steps or a gate ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not `pass`. Absent where a step inside has already said it.
    pub message: Option<String>,
    /// How often it probed.
    pub tries: u32,
    /// For a failed wait that came true while watched on: how long after its start.
    pub late: Option<Duration>,
    /// Whether it was cut short from outside (^C, or a sibling that failed) rather than judged.
    pub interrupted: bool,
}

impl Outcome {
    /// All held.
    pub fn pass() -> Self {
        Self {
            verdict: Verdict::Pass,
            message: None,
            tries: 0,
            late: None,
            interrupted: false,
        }
    }

    /// Not passed, for this reason.
    pub fn of(verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            verdict,
            message: Some(message.into()),
            ..Self::pass()
        }
    }

    /// Something did not hold.
    pub fn fail(message: impl Into<String>) -> Self {
        Self::of(Verdict::Fail, message)
    }

    /// Nothing was tested.
    pub fn vacuous(message: impl Into<String>) -> Self {
        Self::of(Verdict::Vacuous, message)
    }

    /// Cut short from outside.
    pub fn interrupted() -> Self {
        Self {
            interrupted: true,
            ..Self::of(Verdict::Skip, "interrupted")
        }
    }

    /// Whether the steps after this one still make sense.
    pub fn is_good(&self) -> bool {
        self.verdict <= Verdict::Flaky && !self.interrupted
    }

    /// Whether this is a verdict against something, rather than a pass or a step left out.
    pub fn is_bad(&self) -> bool {
        self.verdict > Verdict::Flaky
    }

    /// This outcome after `next` happened too: the worse verdict, the first of two equal ones,
    /// and the words of both where both are bad.
    #[must_use]
    pub fn and(self, next: Self) -> Self {
        let tries = self.tries.max(next.tries);
        let interrupted = self.interrupted || next.interrupted;
        let (worse, other) = if next.verdict > self.verdict {
            (next, self)
        } else {
            (self, next)
        };
        let message = match (worse.message, other.message) {
            (Some(first), Some(second)) if other.verdict > Verdict::Flaky => {
                Some(format!("{first}\n{second}"))
            }
            (None, second) if other.verdict > Verdict::Flaky => second,
            (first, _) => first,
        };
        Self {
            message,
            tries,
            interrupted,
            ..worse
        }
    }

    /// What a scope reports of its steps: their verdict, without repeating their words.
    #[must_use]
    pub fn of_steps(self) -> Self {
        if self.is_good() {
            return Self {
                verdict: Verdict::Pass,
                message: None,
                tries: 0,
                ..self
            };
        }
        Self {
            message: None,
            tries: 0,
            late: None,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_verdict_wins_and_no_bad_word_is_lost() {
        let first = Outcome::fail("first");
        let second = Outcome::fail("second");
        let both = first.clone().and(second);
        assert_eq!(both.message.as_deref(), Some("first\nsecond"));
        let said = first.clone().of_steps().and(Outcome::fail("not healed"));
        assert_eq!(said.message.as_deref(), Some("not healed"));
        let cut = first.clone().and(Outcome::interrupted());
        assert_eq!(cut.message.as_deref(), Some("first"));
        let vacuous = Outcome::vacuous("nothing tested");
        assert_eq!(vacuous.and(first).verdict, Verdict::Fail);
        assert!(!Outcome::pass().and(Outcome::interrupted()).is_good());
    }
}
