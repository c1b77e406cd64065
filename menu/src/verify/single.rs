//! Single points of failure: what goes down with one router, one link, one supply of power or one
//! boot server. Things of one kind whose loss does the same share a line.

mod net;

use super::facts::Facts;
use super::site::{Kind, Machine};
use indexmap::IndexMap;
use net::Net;
use std::collections::{HashMap, HashSet};

/// A line for each group of single points of failure; none where there is no such point.
pub(super) fn points(facts: &Facts) -> Vec<String> {
    let net = Net::of(facts);
    let mut groups = Groups::default();
    let machines = &facts.site.machines;
    for (name, machine) in machines.iter().filter(|(_, it)| it.kind == Kind::Router) {
        let what = if machine.role.is_empty() {
            "router"
        } else {
            &machine.role
        };
        groups.add(what, name, net.loss(&[name], machine.rack.as_deref()));
    }
    for (link, loss) in net.link_losses() {
        groups.add("link", link, loss);
    }
    for (name, dark) in &facts.site.supplies {
        let (what, name) = name.split_once('/').unwrap_or(("feed", name));
        let dark: Vec<&str> = dark.iter().map(String::as_str).collect();
        let racks: HashSet<_> = dark
            .iter()
            .map(|it| machines.get(*it)?.rack.as_deref())
            .collect();
        let rack = racks
            .iter()
            .next()
            .copied()
            .flatten()
            .filter(|_| racks.len() == 1);
        let lost = dark.iter().filter_map(|name| machines.get(*name));
        let lost = counts(lost).map(|counts| format!("{counts} without power"));
        let cut = net.loss(&dark, rack);
        groups.add(what, name, both(lost, cut));
    }
    let mut known: HashMap<&str, usize> = HashMap::new();
    for serial in facts.site.dhcp().flat_map(|dhcp| &dhcp.serials) {
        *known.entry(serial).or_default() += 1;
    }
    for (name, machine) in machines {
        let Some(dhcp) = &machine.dhcp else { continue };
        let serials = dhcp.serials.iter();
        let alone = serials.filter(|it| known.get(it.as_str()) == Some(&1));
        let boots = match alone.count() {
            0 => None,
            1 => Some("1 server finds nobody to boot from".to_owned()),
            many => Some(format!("{many} servers find nobody to boot from")),
        };
        let cut = net.loss(&[name], machine.rack.as_deref());
        groups.add("boot server", name, both(boots, cut));
    }
    groups.lines()
}

fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("{one}; {other}")),
        (one, other) => one.or(other),
    }
}

/// `2 routers, 1 boot server and 28 servers`; none of none.
fn counts<'s>(machines: impl Iterator<Item = &'s Machine>) -> Option<String> {
    let mut counts = [0usize; 3];
    for machine in machines {
        counts[machine.kind as usize] += 1;
    }
    let words = [
        ("router", "routers"),
        ("boot server", "boot servers"),
        ("server", "servers"),
    ];
    let said = counts
        .into_iter()
        .zip(words)
        .filter(|(count, _)| *count > 0);
    let said: Vec<String> = said
        .map(|(count, (one, many))| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    match said.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
    }
}

/// Names by what they are and what goes with them.
#[derive(Default)]
struct Groups(IndexMap<(String, String), Vec<String>>);

impl Groups {
    fn add(&mut self, what: &str, name: &str, loss: Option<String>) {
        if let Some(loss) = loss {
            let names = self.0.entry((what.to_owned(), loss)).or_default();
            names.push(name.to_owned());
        }
    }

    fn lines(self) -> Vec<String> {
        let lines = self.0.into_iter().map(|((what, loss), names)| {
            let subject = match names.as_slice() {
                [only] => format!("{what} {only}"),
                [one, other] => format!("{what} {one} or {other}"),
                [first, .., last] => format!("any {what} of {} ({first} ... {last})", names.len()),
                [] => what,
            };
            format!("{subject}: {loss}")
        });
        lines.collect()
    }
}
