//! Faults of the BMC itself: rules as data, set and lifted while it runs.
//!
//! A new fault is one variant here, and the one place that obeys it.

use std::collections::BTreeSet;

/// One way for a BMC to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Accepts power commands, reports the state that was asked for, and does nothing. Commands
    /// of the lab itself ([`Cause::Lab`](crate::chassis::Cause::Lab)) still work: they are the
    /// hand at the plug, which no BMC can fool.
    LiesAboutPower,
    /// Answers nothing on any port, as if its cable were pulled.
    Unreachable,
}

/// The faults in effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(BTreeSet<Fault>);

impl Faults {
    /// Sets or lifts a fault. True if that changed anything.
    pub fn set(&mut self, fault: Fault, active: bool) -> bool {
        if active {
            self.0.insert(fault)
        } else {
            self.0.remove(&fault)
        }
    }

    /// Whether the fault is in effect.
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    /// The faults in effect, in order.
    pub fn iter(&self) -> impl Iterator<Item = Fault> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}
