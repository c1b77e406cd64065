//! `kind: Power`: a feed or a PDU, and what is plugged into it.

mod keys;
mod print;
mod read;

pub(crate) use keys::DOC;
pub(crate) use print::print;
pub(crate) use read::read;

use super::{Labels, Name};
use crate::Place;
use crate::selector::{Selector, Target, TargetKind};
use std::time::Duration;

/// What kind of source it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PowerType {
    /// From outside of the data center: plugged into nothing.
    #[default]
    Feed,
    /// A power distribution unit: plugged into feeds, other PDUs, or a wall that never fails.
    Pdu,
}

/// A checked power feed or PDU.
#[derive(Debug, Clone, PartialEq)]
pub struct Power {
    /// Its name; feeds and PDUs share one space of names.
    pub name: Name,
    /// Feed or PDU.
    pub kind: PowerType,
    /// What loses power with it, unless it has another supply.
    pub loads: Vec<Selector>,
    /// How long after its own power its first outlet comes back.
    pub delay: Duration,
    /// How long after each outlet the next one does.
    pub gap: Duration,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}

impl Power {
    /// Its target.
    pub fn target(&self) -> Target {
        let kind = match self.kind {
            PowerType::Feed => TargetKind::Feed,
            PowerType::Pdu => TargetKind::Pdu,
        };
        Target::new(kind, &self.name)
    }
}
