//! Deadlines: one tree, in which the nearest one above counts and each knows where it was set.

use crate::event::Loc;
use crate::words::span;
use std::time::Duration;
use tokio::time::Instant;

/// A waiting time as a file or a default gives it, before `slowness`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// How long.
    pub length: Duration,
    /// Where it was set; `None` for a default.
    pub loc: Option<Loc>,
}

impl Limit {
    /// A default of the language.
    pub(crate) const fn default_of(length: Duration) -> Self {
        Self { length, loc: None }
    }
}

/// A point in time by which something must have ended.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Instant,
    length: Duration,
    slowness: f64,
    whose: String,
    loc: Option<Loc>,
}

impl Deadline {
    /// `limit` from now, stretched by `slowness`. `whose` reads like `the scenario`, `this step`.
    pub fn starting_now(limit: &Limit, slowness: f64, whose: impl Into<String>) -> Self {
        let slowness = slowness.max(1.0);
        Self {
            at: Instant::now() + limit.length.mul_f64(slowness),
            length: limit.length,
            slowness,
            whose: whose.into(),
            loc: limit.loc.clone(),
        }
    }

    /// The earlier of the two: a deadline inside never outlives one around it.
    #[must_use]
    pub fn within(self, outer: &Self) -> Self {
        if outer.at < self.at {
            outer.clone()
        } else {
            self
        }
    }

    /// When.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// The whole length, `slowness` included.
    pub fn stretched(&self) -> Duration {
        self.length.mul_f64(self.slowness)
    }

    /// Time left, zero when past.
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits for it to pass.
    pub async fn passed(&self) {
        tokio::time::sleep_until(self.at).await;
    }

    /// Whether `other` is the same deadline.
    pub fn is(&self, other: &Self) -> bool {
        self.at == other.at && self.whose == other.whose
    }
}

/// `deadline 15 s of this step (set at f.yml:22:17)`.
impl std::fmt::Display for Deadline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "deadline {} of {}", span(self.length), self.whose)?;
        match &self.loc {
            Some(loc) => write!(f, " (set at {loc}")?,
            None => write!(f, " (default")?,
        }
        if self.slowness > 1.0 {
            write!(f, ", x {:.1} for this slow host", self.slowness)?;
        }
        f.write_str(")")
    }
}

impl std::fmt::Display for Loc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_nearest_deadline_counts_and_says_where_it_was_set() {
        let loc = Loc {
            file: "a.yml".to_owned(),
            line: 3,
            column: 7,
        };
        let scenario = Deadline::starting_now(
            &Limit {
                length: Duration::from_secs(20),
                loc: Some(loc),
            },
            1.0,
            "the scenario",
        );
        let step = Deadline::starting_now(
            &Limit::default_of(Duration::from_secs(60)),
            1.0,
            "this step",
        );
        let effective = step.clone().within(&scenario);
        assert!(effective.is(&scenario));
        insta::assert_snapshot!(effective, @"deadline 20 s of the scenario (set at a.yml:3:7)");
        let slow =
            Deadline::starting_now(&Limit::default_of(Duration::from_secs(6)), 2.5, "this step");
        assert!(slow.clone().within(&scenario).is(&slow));
        insta::assert_snapshot!(slow, @"deadline 6 s of this step (default, x 2.5 for this slow host)");
    }
}
