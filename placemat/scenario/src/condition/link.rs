//! `link`: interfaces have, or have not, carrier.

use super::{Atom, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, ROUTING, Reader, Row, Targets, Value};
use async_trait::async_trait;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "link",
    doc: "interfaces are up with carrier, or are not",
    keys: &[
        Key::required("of", "SELECTOR", "whose interfaces; `lo` is left out"),
        Key::optional("interface", "NAME", "only this one"),
        Key::optional(
            "carrier",
            "true | false",
            "whether the other end is there; default true",
        ),
    ],
    parse,
};

#[derive(Debug)]
struct LinkState {
    of: Targets,
    interface: Option<String>,
    carrier: bool,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let of = reader.targets(fields.get("of"), ROUTING);
    let interface = reader.optional(fields.get("interface"), Reader::text);
    let carrier = reader.boolean_or(fields.get("carrier"), true);
    Some(Box::new(LinkState {
        of: of?,
        interface: interface?,
        carrier: carrier?,
    }))
}

impl LinkState {
    fn words(&self) -> &'static str {
        if self.carrier {
            "carrier"
        } else {
            "no carrier"
        }
    }
}

#[async_trait]
impl Probe for LinkState {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let answers = cx
            .each(&self.of, |port, of| async move { port.links(&of).await })
            .await;
        Findings::per_target(answers, self.words(), |target, links| {
            let asked: Vec<_> = links
                .into_iter()
                .filter(|link| match &self.interface {
                    Some(name) => link.name == *name,
                    None => link.name != "lo",
                })
                .collect();
            if asked.is_empty() {
                let last = match &self.interface {
                    Some(name) => format!("has no interface {name}"),
                    None => "has no interface".to_owned(),
                };
                return vec![Atom::new(target.to_string(), false, last, self.words())];
            }
            asked
                .into_iter()
                .map(|link| {
                    let there = link.up && link.carrier;
                    let last = match (link.up, link.carrier) {
                        (false, _) => "down",
                        (true, false) => "no carrier",
                        (true, true) => "carrier",
                    };
                    let who = format!("{target} {}", link.name);
                    Atom::new(who, there == self.carrier, last, self.words())
                })
                .collect()
        })
    }

    fn describe(&self) -> String {
        format!("link of {} with {}", self.of, self.words())
    }
}
