//! `all`: every one of several conditions.

use super::{Condition, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use async_trait::async_trait;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "all",
    doc: "every one of the conditions holds; asked in order, the first that does not is reported",
    keys: &[Key::item("- CONDITION", "two or more conditions")],
    parse,
};

#[derive(Debug)]
struct All(Vec<Condition>);

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    Some(Box::new(All(reader.conditions(value)?)))
}

#[async_trait]
impl Probe for All {
    async fn probe(&self, cx: &Context, thorough: bool) -> Findings {
        let mut whole = Findings {
            holds: true,
            atoms: Vec::new(),
        };
        for condition in &self.0 {
            let findings = condition.body.probe(cx, thorough).await;
            whole.holds &= findings.holds;
            whole.atoms.extend(findings.atoms);
            // Later conditions may be slow to ask (a ping that gets no reply): not worth it when
            // the answer is known.
            if !whole.holds && !thorough {
                break;
            }
        }
        whole
    }

    fn describe(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|part| part.body.describe()).collect();
        parts.join(" and ")
    }

    fn is_composed(&self) -> bool {
        true
    }
}
