//! DHCP: ranges inside their subnets, fixed addresses inside a range's subnet, nothing twice.

use super::Once;
use crate::draft::{HostUse, Ledger, RangeUse, Segment};
use crate::problem::{Findings, Problem};
use ipnet::IpNet;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

pub(super) fn check(ledger: &Ledger, findings: &Findings) {
    let mut served: HashMap<&str, Vec<&RangeUse>> = HashMap::new();
    for range in &ledger.ranges {
        inside(range, findings);
        let overlaps = |earlier: &&&RangeUse| {
            let (a, b) = (&*range.subnet, &*earlier.subnet);
            a.contains(b) || b.contains(a)
        };
        let earlier = served.entry(&range.server).or_default();
        if let Some(first) = earlier.iter().find(overlaps) {
            findings.error(
                Problem::new(
                    "overlapping-subnets",
                    format!("two DHCP ranges of {} overlap", range.server),
                )
                .at(range.subnet.place, "overlaps")
                .at(first.subnet.place, "with this one"),
            );
        }
        earlier.push(range);
    }
    relayed(ledger, findings);
    hosts(ledger, &served, findings);
}

/// What a range hands out, and its gateway, are hosts of its subnet.
fn inside(range: &RangeUse, findings: &Findings) {
    let subnet = range.subnet.value;
    let whole = subnet.prefix_len() >= 31;
    let mut sound = true;
    for (what, address) in [
        ("start", range.start),
        ("end", range.end),
        ("router", range.router),
    ] {
        let Some(address) = address else { continue };
        let label = if !subnet.contains(&address.value) {
            format!("not in {subnet}")
        } else if !whole && address.value == subnet.network() {
            format!("the address of {subnet} itself")
        } else if !whole && address.value == subnet.broadcast() {
            format!("the broadcast address of {subnet}")
        } else {
            continue;
        };
        sound = false;
        let message = format!(
            "`{what}` of a DHCP range of {} is {}, no host of its subnet",
            range.server, address.value
        );
        let mut problem = Problem::new("bad-range", message)
            .at(address.place, label)
            .at(range.subnet.place, "the subnet");
        if let (Some(first), Some(last)) = (subnet.hosts().next(), subnet.hosts().next_back()) {
            problem = problem.help(format!("hosts of {subnet} are {first} to {last}"));
        }
        findings.error(problem);
    }
    let (Some(start), Some(end), true) = (range.start, range.end, sound) else {
        return;
    };
    if start.value > end.value {
        findings.error(
            Problem::new(
                "bad-range",
                format!("a DHCP range of {} ends before it starts", range.server),
            )
            .at(end.place, "the end")
            .at(start.place, "the start")
            .help("swap the two"),
        );
    } else if let Some(router) = range
        .router
        .filter(|it| (start.value..=end.value).contains(&it.value))
    {
        findings.error(
            Problem::new(
                "bad-range",
                format!(
                    "a DHCP range of {} hands out the address of its own router",
                    range.server
                ),
            )
            .at(router.place, "inside the range")
            .at(start.place, "the range starts here"),
        );
    }
}

/// A relay needs an address in the subnet, or no request for it will ever come.
fn relayed(ledger: &Ledger, findings: &Findings) {
    let subnets: HashSet<IpNet> = ledger
        .addresses
        .iter()
        .filter(|it| matches!(it.segment, Segment::Network(_)))
        .map(|it| it.net.trunc())
        .collect();
    for range in &ledger.ranges {
        if !subnets.contains(&IpNet::V4(range.subnet.value)) {
            findings.warning(
                Problem::new(
                    "unrelayed-range",
                    format!("no interface has an address in {}", range.subnet.value),
                )
                .at(
                    range.subnet.place,
                    "no relay can ask for addresses of this subnet",
                ),
            );
        }
    }
}

fn hosts(ledger: &Ledger, served: &HashMap<&str, Vec<&RangeUse>>, findings: &Findings) {
    let (mut macs, mut addresses) = (Once::new(), Once::new());
    let taken: HashMap<IpAddr, usize> = ledger
        .addresses
        .iter()
        .enumerate()
        .rev()
        .map(|(index, it)| (it.net.addr(), index))
        .collect();
    let nics: HashSet<_> = ledger.macs.iter().map(|(mac, _)| mac.value).collect();
    for host in &ledger.hosts {
        let HostUse {
            server,
            mac,
            address,
        } = host;
        let twice = |what: String, place, first| {
            findings.error(
                Problem::new("duplicate-host", format!("{server} {what} twice"))
                    .at(place, "given again here")
                    .at(first, "first given here"),
            );
        };
        if let Some((first, _)) = macs.again((server, mac.value), mac.place, server) {
            twice(
                format!("gives a fixed address to MAC {}", mac.value),
                mac.place,
                first,
            );
        }
        if let Some((first, _)) = addresses.again((server, address.value), address.place, server) {
            twice(
                format!("gives out the fixed address {}", address.value),
                address.place,
                first,
            );
        }
        let ranges = served.get(server.as_str()).map_or(&[][..], Vec::as_slice);
        if !ranges
            .iter()
            .any(|range| range.subnet.contains(&address.value))
        {
            let help = if ranges.is_empty() {
                "`dhcp.ranges` is empty: add the subnet"
            } else {
                "add a range for its subnet, or correct the address"
            };
            findings.error(
                Problem::new(
                    "bad-host",
                    format!("{} is in no subnet that {server} serves", address.value),
                )
                .at(address.place, "in no range's subnet")
                .help(help),
            );
        }
        if let Some(used) = taken
            .get(&IpAddr::V4(address.value))
            .and_then(|index| ledger.addresses.get(*index))
        {
            let message = format!(
                "{server} gives out {}, which {} has",
                address.value, used.owner
            );
            findings.error(super::twice(
                "duplicate-address",
                message,
                address.place,
                &(used.net.place, used.owner.clone()),
            ));
        }
        if !nics.contains(&mac.value) {
            findings.warning(
                Problem::new(
                    "unknown-mac",
                    format!("no interface has the MAC address {}", mac.value),
                )
                .at(mac.place, "nobody will ask for this address"),
            );
        }
    }
}
