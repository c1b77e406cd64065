//! `use`: a condition of a library.

use super::{Condition, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use async_trait::async_trait;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "use",
    doc: "a condition of a `Library`: `use: LIBRARY.NAME`, with `with:` beside it for its params",
    keys: &[Key::item(
        "LIBRARY.NAME",
        "the library and the condition in it",
    )],
    parse,
};

/// The library's condition under its name there: what it is made of is told by what is not met.
#[derive(Debug)]
struct Used {
    name: String,
    condition: Condition,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let (name, condition) = reader.used_condition(value)?;
    Some(Box::new(Used { name, condition }))
}

#[async_trait]
impl Probe for Used {
    async fn probe(&self, cx: &Context, thorough: bool) -> Findings {
        self.condition.body.probe(cx, thorough).await
    }

    fn describe(&self) -> String {
        self.name.clone()
    }

    fn is_composed(&self) -> bool {
        self.condition.body.is_composed()
    }
}
