//! Prints a [`Power`].

use super::Power;
use super::read::TYPES;
use crate::print::{Map, word};
use crate::value::format_duration;

pub(crate) fn print(power: &Power) -> Map {
    let Power {
        name,
        kind,
        loads,
        delay,
        gap,
        labels,
        place: _,
    } = power;
    let staged = Map::new()
        .text("delay", format_duration(*delay))
        .text("gap", format_duration(*gap));
    Map::resource("Power", name)
        .text("type", word(&TYPES, kind))
        .texts("loads", loads)
        .map("return", staged)
        .labels(labels)
}
