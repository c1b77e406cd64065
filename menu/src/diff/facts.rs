//! A site as facts that can be compared: each section has things by key, and what is said of each.

use super::Facts;
use crate::verify::facts::Facts as Indexed;
use crate::verify::site::{Kind, Machine, Site};
use ipnet::IpNet;

/// Every section, always in the same order.
pub(super) fn of(site: &Site) -> Vec<(&'static str, Facts)> {
    let indexed = Indexed::of(site);
    vec![
        ("machines", machines(site)),
        ("links", links(&indexed)),
        ("addresses", addresses(&indexed)),
        ("sessions", sessions(&indexed)),
        ("dhcp", dhcp(site)),
        ("power", power(site)),
    ]
}

fn machines(site: &Site) -> Facts {
    let machines = site.machines.iter();
    machines
        .map(|(name, machine)| (name.clone(), described(machine)))
        .collect()
}

fn described(machine: &Machine) -> String {
    let kind = match machine.kind {
        Kind::Router if machine.role.is_empty() => "router",
        Kind::Router => &machine.role,
        Kind::BootServer => "boot server",
        Kind::Server => "server",
    };
    let rack = machine.rack.as_ref().map(|rack| format!(" of rack {rack}"));
    let make = Some(&machine.make).filter(|make| !make.is_empty());
    let make = make.map(|make| format!(", {make}"));
    format!(
        "{kind}{}{}",
        rack.unwrap_or_default(),
        make.unwrap_or_default()
    )
}

/// What is plugged into each network; of one with many ends their number.
fn links(facts: &Indexed) -> Facts {
    let networks = facts.site.networks.iter();
    let links = networks.map(|(name, network)| {
        let ends = facts.ends(name);
        let ends = match ends {
            [(one, _), (other, _)] => format!("{one} - {other}"),
            many => format!("{} ends", many.len()),
        };
        let mtu = network.mtu.map(|mtu| format!(", MTU {mtu}"));
        let hub = network.hub.first().map(|hub| format!(", hub at {hub}"));
        let said = format!(
            "{ends}{}{}",
            mtu.unwrap_or_default(),
            hub.unwrap_or_default()
        );
        (name.clone(), said)
    });
    links.collect()
}

/// Addresses of each machine on each network.
fn addresses(facts: &Indexed) -> Facts {
    let mut all = Facts::new();
    let mut add = |key: String, net: IpNet| {
        let said = all.entry(key).or_default();
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(&net.to_string());
    };
    for held in &facts.held {
        match held.network {
            Some(network) => add(format!("{} on {network}", held.machine), held.net),
            None => add(format!("{} loopback", held.machine), held.net),
        }
    }
    for (name, machine) in &facts.site.machines {
        if let Some((address, _)) = machine.bmc {
            all.insert(format!("{name} BMC"), address.to_string());
        }
    }
    all
}

/// Sessions, each once.
fn sessions(facts: &Indexed) -> Facts {
    let mut all = Facts::new();
    for (name, session) in facts.sessions() {
        let Some((peer, back)) = facts.back(name, session) else {
            all.insert(
                format!("{name} - {}", session.neighbor),
                "no other end".into(),
            );
            continue;
        };
        // The machine that comes first tells of both.
        let places = [name, peer].map(|it| facts.site.machines.get_index_of(it));
        let (Some(back), true) = (back, places[0] < places[1]) else {
            continue;
        };
        let said = format!("AS {} and {}", session.local_asn, back.local_asn);
        let key = format!("{name} - {peer} ({} - {})", back.neighbor, session.neighbor);
        all.insert(key, said);
    }
    all
}

fn dhcp(site: &Site) -> Facts {
    let mut all = Facts::new();
    for (name, machine) in &site.machines {
        for (from, to) in &machine.relays {
            all.insert(format!("{name} relays from {from}"), format!("to {to}"));
        }
        let Some(dhcp) = &machine.dhcp else { continue };
        for range in &dhcp.ranges {
            let said = format!("{} to {}", range.start, range.end);
            all.insert(format!("{name} hands out {}", range.subnet), said);
        }
        let boots = match dhcp.serials.len() {
            1 => "1 machine".to_owned(),
            many => format!("{many} machines"),
        };
        all.insert(format!("{name} boots"), boots);
    }
    all
}

fn power(site: &Site) -> Facts {
    let supplies = site.supplies.iter();
    let supplies = supplies.map(|(name, dark)| {
        let said = match dark.as_slice() {
            [] => "nothing alone".to_owned(),
            [only] => only.clone(),
            [first, .., last] => format!("{} machines, {first} to {last}", dark.len()),
        };
        (name.clone(), said)
    });
    supplies.collect()
}
