//! `power`: whether machines run, from the machine itself and not from the word of its BMC.

use super::{Atom, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, POWERED, Reader, Row, Targets, Value};
use async_trait::async_trait;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "power",
    doc: "machines are powered, or are not: what really runs, not what a BMC says",
    keys: &[
        Key::required(
            "of",
            "SELECTOR",
            "servers, routers, boot servers; racks, feeds and PDUs mean what is in or behind them",
        ),
        Key::required("is", "On | Off", "the state"),
    ],
    parse,
};

#[derive(Debug)]
struct PowerIs {
    of: Targets,
    is: &'static str,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let of = reader.targets(fields.get("of"), POWERED);
    let is = fields
        .get("is")
        .and_then(|is| reader.choice(is, &["On", "Off"]));
    Some(Box::new(PowerIs { of: of?, is: is? }))
}

#[async_trait]
impl Probe for PowerIs {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let answers = cx
            .each(
                &self.of,
                |port, of| async move { port.is_powered(&of).await },
            )
            .await;
        Findings::per_target(answers, self.is, |target, on| {
            let last = if on { "On" } else { "Off" };
            vec![Atom::new(
                target.to_string(),
                last == self.is,
                last,
                self.is,
            )]
        })
    }

    fn describe(&self) -> String {
        format!("power of {} {}", self.of, self.is)
    }
}
