//! `not`: a condition holds for none of what it asks.

use super::{Condition, Findings, Probe, State};
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use async_trait::async_trait;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "not",
    doc: "the condition holds for none of what it asks; what cannot be asked counts against it",
    keys: &[Key::item(
        "CONDITION",
        "a simple condition: not `all`, `any` or `not`",
    )],
    parse,
};

#[derive(Debug)]
struct Not(Condition);

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let inner = reader.condition(value)?;
    if inner.body.is_composed() {
        reader.problem(
            "bad-not",
            "`not` takes a simple condition".to_owned(),
            value.place,
            format!("`{}` is made of other conditions", inner.kind),
            Some("put `not` in front of each part, with `all` or `any` around them".to_owned()),
        );
        return None;
    }
    Some(Box::new(Not(inner)))
}

#[async_trait]
impl Probe for Not {
    async fn probe(&self, cx: &Context, thorough: bool) -> Findings {
        let mut findings = self.0.body.probe(cx, thorough).await;
        for atom in &mut findings.atoms {
            atom.state = match atom.state {
                State::Held => State::Unheld,
                State::Unheld => State::Held,
                State::Unknown => State::Unknown,
            };
            atom.expected = format!("not {}", atom.expected);
        }
        Findings::all_of(findings.atoms)
    }

    fn describe(&self) -> String {
        format!("not {}", self.0.body.describe())
    }

    fn is_composed(&self) -> bool {
        true
    }
}
