//! Where every value of a machine, BMC, network or feed of a rack spec's plan comes from: a key of the
//! rack spec, the default of one, a rule, or the terms of which the allocator made it.

mod book;
mod machines;
mod making;
mod rest;
mod speaker;

use crate::allocation::Allocation;
use crate::topology::Boot;
use crate::{Plan, rack};
use book::Book;
pub(crate) use making::Making;
use placemat_spec::explain::{Explanation, UnknownName, Value, find};
use placemat_spec::{Problems, Source};
use thiserror::Error;

/// Why nothing can be explained.
#[derive(Debug, Error)]
pub enum ExplainError {
    /// The rack spec is wrong.
    #[error(transparent)]
    Spec(#[from] Problems),
    /// Nothing has this name.
    #[error(transparent)]
    Name(#[from] UnknownName),
}

/// Tells the values of one thing.
type Tell<'a> = Box<dyn FnOnce(&Book) -> Vec<Value> + 'a>;

/// Explains what has a name in the plan of a rack spec: `rack1-cs1`, `node/rack1-cs1`, `bmc/rack1-cs1`,
/// `router/core`, `boot-server/rack1-boot`, `network/bmc`, `feed/feed-rack1`, `image/node-os`.
pub fn explain(source: &Source, name: &str) -> Result<Explanation, ExplainError> {
    let dc = rack::read(source)?;
    let allocation = Allocation::new(&dc)
        .map_err(|problems| Problems::new(vec![source.clone()], problems))?
        .noting();
    let plan = Plan::new(&dc, &allocation);
    let (targets, tell): (Vec<String>, Vec<Tell>) = things(&plan).unzip();
    let index = find(name, &targets)?;
    let book = Book::new(source, &dc, &plan, &allocation);
    let tell = tell.into_iter().nth(index);
    Ok(Explanation {
        target: targets[index].clone(),
        values: tell.map_or_else(Vec::new, |tell| tell(&book)),
    })
}

/// Every name of the plan, with the kind of what has it. A BMC has the name of its server, and is meant
/// only where its kind is said.
pub fn names(plan: &Plan) -> impl Iterator<Item = String> {
    things(plan).map(|(target, _)| target)
}

fn things(plan: &Plan) -> impl Iterator<Item = (String, Tell<'_>)> {
    fn thing<'a>(
        kind: &str,
        name: &str,
        tell: impl FnOnce(&Book) -> Vec<Value> + 'a,
    ) -> (String, Tell<'a>) {
        (format!("{kind}/{name}"), Box::new(tell))
    }
    let routers = plan.routers.iter().map(|it| {
        thing("router", &it.speaker.name, move |book| {
            machines::router(book, it)
        })
    });
    // Where sabakan boots, what stands in a boot server's place is a router to placemat.
    let boot_kind = match plan.boot {
        Boot::BuiltIn => "boot-server",
        Boot::Sabakan => "router",
    };
    let boots = plan.boot_servers.iter().map(move |it| {
        thing(boot_kind, &it.speaker.name, move |book| {
            machines::boot_server(book, it)
        })
    });
    let servers = plan.servers.iter().map(|it| {
        thing("node", &it.speaker.name, move |book| {
            machines::server(book, it)
        })
    });
    let networks = plan
        .networks
        .iter()
        .map(|it| thing("network", &it.name, move |book| rest::network(book, it)));
    let feeds = plan.feeds.iter().map(|it| {
        let kind = if it.pdu { "pdu" } else { "feed" };
        thing(kind, &it.name, move |book| rest::feed(book, it))
    });
    let image = thing("image", &plan.image.name, rest::image);
    let bmcs = plan
        .servers
        .iter()
        .map(|it| thing("bmc", &it.speaker.name, move |book| machines::bmc(book, it)));
    routers
        .chain(boots)
        .chain(servers)
        .chain(networks)
        .chain(feeds)
        .chain([image])
        .chain(bmcs)
}
