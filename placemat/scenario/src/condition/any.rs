//! `any`: at least one of several conditions.

use super::{Condition, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use async_trait::async_trait;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "any",
    doc: "at least one of the conditions holds",
    keys: &[Key::item("- CONDITION", "two or more conditions")],
    parse,
};

#[derive(Debug)]
struct Any(Vec<Condition>);

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    Some(Box::new(Any(reader.conditions(value)?)))
}

#[async_trait]
impl Probe for Any {
    async fn probe(&self, cx: &Context, thorough: bool) -> Findings {
        let mut atoms = Vec::new();
        for condition in &self.0 {
            let findings = condition.body.probe(cx, thorough).await;
            if findings.holds {
                return findings;
            }
            atoms.extend(findings.atoms);
        }
        Findings {
            holds: false,
            atoms,
        }
    }

    fn describe(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|part| part.body.describe()).collect();
        parts.join(" or ")
    }

    fn is_composed(&self) -> bool {
        true
    }
}
