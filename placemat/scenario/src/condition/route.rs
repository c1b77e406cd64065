//! `route`: a route is in the kernel's table.

use super::{Atom, Findings, Probe};
use crate::context::Context;
use crate::load::{Destination, Destinations, Key, ROUTING, Reader, Row, Targets, Value};
use crate::words::count;
use async_trait::async_trait;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "route",
    doc: "the kernel of each `at` has a route to exactly each `to`",
    keys: &[
        Key::required("at", "SELECTOR", "whose table"),
        Key::required(
            "to",
            "SELECTOR | PREFIX",
            "the loopbacks of targets, or a prefix",
        ),
        Key::optional(
            "next-hops",
            "NUMBER",
            "at least that many next hops (ECMP); default 1",
        ),
        Key::optional("via", "SELECTOR", "only next hops at these machines count"),
    ],
    parse,
};

#[derive(Debug)]
struct RouteTo {
    at: Targets,
    to: Destinations,
    next_hops: u32,
    via: Option<Via>,
}

/// Next hops that count.
#[derive(Debug)]
struct Via {
    text: String,
    addresses: Vec<IpAddr>,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let at = reader.targets(fields.get("at"), ROUTING);
    let to = reader.destinations(fields.get("to"));
    let next_hops = reader.number_or(fields.get("next-hops"), 1, 1);
    let via = reader.optional(fields.get("via"), |reader, via| {
        let targets = reader.targets(Some(via), ROUTING)?;
        let addresses = reader.addresses_on_links(&targets, via.place)?;
        let text = targets.to_string();
        Some(Via { text, addresses })
    });
    Some(Box::new(RouteTo {
        at: at?,
        to: to?,
        next_hops: next_hops?,
        via: via?,
    }))
}

impl RouteTo {
    fn counts(&self, hop: &str) -> bool {
        let Some(via) = &self.via else { return true };
        let address = hop
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok());
        address.is_some_and(|address: IpAddr| via.addresses.contains(&address))
    }

    fn expected(&self) -> String {
        let hops = count(self.next_hops as usize, "next hop", "next hops");
        let via = self
            .via
            .as_ref()
            .map_or(String::new(), |via| format!(" at {}", via.text));
        format!("a route with {hops}{via}")
    }
}

#[async_trait]
impl Probe for RouteTo {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let answers = cx
            .each(&self.at, |port, at| {
                let others = self.to.list.iter();
                let others = others.filter(|to| to.of.as_ref() != Some(&at));
                let to: Vec<Destination> = others.cloned().collect();
                async move {
                    let nets: Vec<IpNet> = to.iter().map(|to| to.net).collect();
                    let mut hops: HashMap<IpNet, Vec<String>> = HashMap::new();
                    for route in port.routes(&at, &nets).await? {
                        hops.entry(route.to).or_default().extend(route.via);
                    }
                    let found = to.into_iter().map(|to| {
                        let hops = hops.get(&to.net).cloned().unwrap_or_default();
                        (to, hops)
                    });
                    Ok(found.collect::<Vec<_>>())
                }
            })
            .await;
        let expected = self.expected();
        Findings::per_target(answers, "a route", |at, found| {
            found
                .into_iter()
                .map(|(destination, hops)| {
                    let last = if hops.is_empty() {
                        "no route".to_owned()
                    } else {
                        format!("via {}", hops.join(", via "))
                    };
                    let counted = hops.iter().filter(|hop| self.counts(hop)).count();
                    let there = counted >= self.next_hops as usize;
                    Atom::new(
                        format!("{at} to {destination}"),
                        there,
                        last,
                        expected.clone(),
                    )
                })
                .collect()
        })
    }

    fn describe(&self) -> String {
        let via = self
            .via
            .as_ref()
            .map_or(String::new(), |via| format!(" via {}", via.text));
        format!("route at {} to {}{via}", self.at, self.to.text)
    }
}
