//! `kind: Power`: a feed, and what is plugged into it.

mod keys;
mod read;

pub(crate) use keys::DOC;
pub(crate) use read::read;

use super::{Labels, Name};
use crate::Place;
use crate::selector::Selector;

/// A checked power feed.
#[derive(Debug, Clone)]
pub struct Power {
    /// Name of the feed.
    pub name: Name,
    /// What loses power with it.
    pub loads: Vec<Selector>,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}
