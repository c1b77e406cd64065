//! `reachable`: pings between loopbacks.

use super::{Atom, Findings, Probe};
use crate::context::Context;
use crate::load::{Destination, Destinations, Key, ROUTING, Reader, Row, Targets, Value};
use crate::port::{LabPort, PortError, PortResult};
use crate::words::span;
use async_trait::async_trait;
use placemat_spec::selector::Target;
use std::net::IpAddr;
use std::time::Duration;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "reachable",
    doc: "each `from` gets a ping reply from each `to`, from its own loopback address",
    keys: &[
        Key::required("from", "SELECTOR", "routers, boot servers, servers"),
        Key::required(
            "to",
            "SELECTOR | ADDRESS",
            "their loopbacks, or an address; not itself",
        ),
        Key::optional("within", "DURATION", "time for a reply; default 1s"),
    ],
    parse,
};

#[derive(Debug)]
struct Reachable {
    from: Targets,
    to: Destinations,
    within: Duration,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let from = reader.targets(fields.get("from"), ROUTING);
    let to = reader.destinations(fields.get("to"));
    let within = reader.duration_or(fields.get("within"), Duration::from_secs(1));
    let (from, to) = (from?, to?);
    let alone = |from: &Target| to.list.iter().all(|to| to.of.as_ref() == Some(from));
    if from.iter().all(alone) {
        reader.problem(
            "no-target",
            "`reachable` asks nothing: `from` and `to` are the same target".to_owned(),
            value.place,
            "here".to_owned(),
            None,
        );
        return None;
    }
    Some(Box::new(Reachable {
        from,
        to,
        within: within?,
    }))
}

#[async_trait]
impl Probe for Reachable {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let answers = cx
            .each(&self.from, |port, from| {
                let to: Vec<Destination> = self
                    .to
                    .list
                    .iter()
                    .filter(|to| to.of.as_ref() != Some(&from))
                    .cloned()
                    .collect();
                let within = self.within;
                async move { replies(&*port, &from, to, within).await }
            })
            .await;
        let expected = format!("a reply within {}", span(self.within));
        Findings::per_target(answers, &expected, |from, replies| {
            replies
                .into_iter()
                .map(|(to, reply)| {
                    let last = if reply.is_some() { "reply" } else { "no reply" };
                    Atom::new(
                        format!("{from} to {to}"),
                        reply.is_some(),
                        last,
                        expected.clone(),
                    )
                })
                .collect()
        })
    }

    fn describe(&self) -> String {
        format!("reachable from {} to {}", self.from, self.to.text)
    }
}

/// Who answers, each pinged from the loopback of its own family of addresses.
async fn replies(
    port: &dyn LabPort,
    from: &Target,
    to: Vec<Destination>,
    within: Duration,
) -> PortResult<Vec<(Destination, Option<Duration>)>> {
    let (v4, v6): (Vec<_>, Vec<_>) = to.into_iter().partition(|to| to.net.addr().is_ipv4());
    let (v4, v6) = tokio::join!(
        replies_of_family(port, from, v4, within),
        replies_of_family(port, from, v6, within)
    );
    Ok(v4?.into_iter().chain(v6?).collect())
}

async fn replies_of_family(
    port: &dyn LabPort,
    from: &Target,
    to: Vec<Destination>,
    within: Duration,
) -> PortResult<Vec<(Destination, Option<Duration>)>> {
    let addresses: Vec<IpAddr> = to.iter().map(|to| to.net.addr()).collect();
    let Some(first) = addresses.first() else {
        return Ok(Vec::new());
    };
    let source = crate::load::source(&port.cluster(), from, *first);
    let replies = port.ping(from, source, &addresses, within).await?;
    if replies.len() != addresses.len() {
        return Err(PortError(format!(
            "{} of {} addresses were pinged",
            replies.len(),
            addresses.len()
        )));
    }
    Ok(to.into_iter().zip(replies).collect())
}
