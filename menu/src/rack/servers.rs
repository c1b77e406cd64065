//! `types:` and the servers of a rack, which are written as runs: `[uefi, 27 x light]`.

use super::ServerType;
use super::read::word;
use crate::allocation::MAX_SERVERS;
use indexmap::IndexMap;
use placemat_spec::document::{At, Fields, Item};
use placemat_spec::problem::{Problem, suggestion};
use placemat_spec::resource::Tier;
use placemat_spec::value::format_size;
use std::ops::RangeInclusive;

const TIERS: [(&str, Tier); 4] = [
    ("full", Tier::Full),
    ("kernel", Tier::Kernel),
    ("netns", Tier::Netns),
    ("mock", Tier::Mock),
];

/// Roles of what is no server.
const TAKEN_ROLES: [&str; 7] = [
    "tor",
    "boot",
    "spine",
    "super-spine",
    "core",
    "external",
    "operation",
];

/// How a role may not end: server 6 would be called as the second session to another machine is.
const SECOND_SESSION: &str = "-ipv";

/// Less does not boot the node image, and more no machine has.
const MEMORY: RangeInclusive<u64> = 128 << 20..=16 << 40;

/// Characters of a role, so that names of servers are no longer than 63: `rack16383-ROLE44`.
const LONGEST_ROLE: usize = 50;

/// The server types; none where the key is missing, so that racks need not complain too.
pub(super) fn types(fields: &mut Fields, image: &str) -> Option<IndexMap<String, ServerType>> {
    let mut given = fields.req("types")?.fields()?;
    let types = given.entries().into_iter().map(|(name, item)| {
        let kind = item.fields().map(|fields| server_type(fields, image));
        (name.value.to_owned(), kind.unwrap_or_default())
    });
    Some(types.collect())
}

fn server_type(mut fields: Fields, image: &str) -> ServerType {
    let tier = fields.req("tier").and_then(|it| it.choice(&TIERS));
    let machine = tier.is_none_or(|tier| matches!(tier.value, Tier::Full | Tier::Kernel));
    let mut of_machine = |key: &'static str| {
        let item = fields.opt(key)?;
        if !machine {
            item.findings().error(
                item.problem(
                    "no-machine",
                    "is for virtual machines only",
                    "not in this tier",
                )
                .help("leave it out, or use `tier: full` or `tier: kernel`"),
            );
        }
        Some(item)
    };
    let cpu = of_machine("cpu").and_then(|it| it.integer(1..=255u32));
    let memory = of_machine("memory").and_then(|it| memory(&it));
    let disk = of_machine("disk").and_then(|it| disk(&it, image));
    let role = fields.opt("role").and_then(|it| role(&it));
    let nics = fields.opt("nics").and_then(|it| it.integer(1..=2u32));
    fields.finish();
    ServerType {
        tier: tier.map_or(Tier::Full, |it| it.value),
        cpu: cpu.map_or(1, |it| it.value),
        memory: memory.unwrap_or_else(|| "512M".into()),
        disk,
        role: role.unwrap_or_else(|| "cs".into()),
        nics: nics.map(|it| it.value),
    }
}

/// What a server is called and labelled. Not as the other machines of its rack are, and so that its
/// number can be told from the rest of its name, and its name from that of a session.
fn role(item: &Item) -> Option<String> {
    let role = word(item)?;
    if role.ends_with(|last: char| last.is_ascii_digit()) {
        let without = role.trim_end_matches(|last: char| last.is_ascii_digit());
        item.findings().error(
            item.problem(
                "ambiguous-role",
                "ends in a digit",
                "the number of a server follows here",
            )
            .help(format!(
                "server 11 of role `{without}` and server 1 of role `{without}1` would have one name: end it in a \
                 letter or `-`, such as `{role}-`"
            )),
        );
        return None;
    }
    if role.len() > LONGEST_ROLE {
        let message = format!("is longer than {LONGEST_ROLE} characters");
        item.findings().error(
            item.problem("bad-name", &message, "too long")
                .help("names of servers, `rack1-ROLE1`, have 63 at most"),
        );
        return None;
    }
    if role.ends_with(SECOND_SESSION) {
        item.findings().error(
            item.problem(
                "ambiguous-role",
                "ends as the names of IPv6 sessions do",
                "6 may follow here",
            )
            .help("with `family: dual` the second session to `NAME` is called `NAME-ipv6`: end it otherwise"),
        );
        return None;
    }
    if !TAKEN_ROLES.contains(&role.as_str()) {
        return Some(role);
    }
    item.findings().error(
        item.problem(
            "taken-role",
            &format!("cannot be `{role}`"),
            "taken by another machine",
        )
        .help("servers are `cs` unless their type says otherwise: `ss`, `gpu`, ..."),
    );
    None
}

fn memory(item: &Item) -> Option<String> {
    let size = item.size()?.value;
    if MEMORY.contains(&size) && size.is_multiple_of(1 << 20) {
        return Some(format_size(size));
    }
    let message = "must be a whole number of MiB, 128M to 16T";
    item.findings()
        .error(item.problem("bad-memory", message, "not possible"));
    None
}

fn disk(item: &Item, image: &str) -> Option<String> {
    let name = item.string()?;
    if name.value == image {
        return Some(name.value);
    }
    item.findings().error(
        item.problem("unknown-image", "names no image", "unknown image")
            .help(suggestion(&name.value, "images are", &[image])),
    );
    None
}

/// Names of types, runs expanded.
pub(super) fn servers(
    item: &Item,
    types: Option<&IndexMap<String, ServerType>>,
) -> Vec<At<String>> {
    let mut servers: Vec<At<String>> = Vec::new();
    for run in item.list().unwrap_or_default() {
        let Some((count, name)) = server_run(&run, types) else {
            continue;
        };
        // One too many is enough to see that it is too many.
        let room = MAX_SERVERS + 1 - servers.len().min(MAX_SERVERS + 1);
        servers.extend((0..count.min(room)).map(|_| name.clone()));
    }
    if servers.len() > MAX_SERVERS {
        let message = format!("holds more than {MAX_SERVERS} servers");
        item.findings().error(
            item.problem("rack-full", &message, "too many")
                .help(format!(
                    "a rack has room for {MAX_SERVERS}: spread them over more racks"
                )),
        );
    }
    servers
}

/// `light`, or `28 x light`.
fn server_run(
    item: &Item,
    types: Option<&IndexMap<String, ServerType>>,
) -> Option<(usize, At<String>)> {
    let text = item.string()?;
    let (count, name) = match text.split_once(" x ") {
        None => (Some(1), text.value.as_str()),
        Some((count, name)) => (count.trim().parse().ok(), name.trim()),
    };
    let Some(count) = count.filter(|count| *count > 0) else {
        item.findings().error(
            item.problem("bad-run", "must be a type or a run of it", "not a count")
                .help("a run is written as `28 x light`"),
        );
        return None;
    };
    let Some(types) = types.filter(|types| !types.contains_key(name)) else {
        return Some((count, At::new(name.to_owned(), text.place)));
    };
    let names: Vec<&str> = types.keys().map(String::as_str).collect();
    let start = text.len() - name.len();
    item.findings().error(
        Problem::new("unknown-type", format!("there is no server type `{name}`"))
            .at(
                text.place.part(&text.value, start..text.len()),
                "unknown type",
            )
            .help(suggestion(name, "types are", &names)),
    );
    None
}
