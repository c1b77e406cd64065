//! `use`: the steps of a library.

use super::StepBody;
use super::group::Group;
use crate::load::{Key, Reader, Row, Value};
use std::sync::Arc;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "use",
    doc: "the steps of a `Library`: `use: LIBRARY.NAME`, with `with:` beside it for its params",
    keys: &[Key::item(
        "LIBRARY.NAME",
        "the library and the step list in it",
    )],
    parse,
};

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let (name, steps) = reader.used_steps(value)?;
    Some(Box::new(Group {
        name,
        steps,
        finally: Arc::from([]),
    }))
}
