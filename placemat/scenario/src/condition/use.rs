//! `use`: a condition of a library.

use super::Probe;
use crate::load::{Key, Reader, Row, Value};

pub(super) const ROW: Row<super::Parse> = Row {
    name: "use",
    doc: "a condition of a `Library`: `use: LIBRARY.NAME`, with `with:` beside it for its params",
    keys: &[Key::item(
        "LIBRARY.NAME",
        "the library and the condition in it",
    )],
    parse,
};

/// The condition of the library stands in for the `use`, with its own place.
fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    reader.used_condition(value).map(|condition| condition.body)
}
