//! DHCP: ranges and fixed leases fit the networks that they are for, and requests find their server.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::{Host, Machine, Port, Range};
use ipnet::IpNet;
use placemat_spec::Problem;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    let mut statics: BTreeMap<IpAddr, &str> = BTreeMap::new();
    // The network of each prefix, and of each NIC that DHCP may know.
    let mut networks: HashMap<IpNet, &str> = HashMap::new();
    let mut nics: HashMap<&str, &Port> = HashMap::new();
    for held in &facts.held {
        statics.insert(held.net.addr(), held.machine);
        networks.extend(held.network.map(|network| (held.net.trunc(), network)));
    }
    for machine in facts.site.machines.values() {
        for port in &machine.ports {
            nics.extend(port.mac.as_deref().map(|mac| (mac, port)));
        }
    }
    for (name, machine) in &facts.site.machines {
        let Some(dhcp) = &machine.dhcp else { continue };
        for range in &dhcp.ranges {
            problems.extend(misplaced(name, range));
            if let Some((address, owner)) =
                statics.range(range.start.min(range.end)..=range.end).next()
            {
                let message = format!("{name} hands out {address}, which {owner} has");
                let problem = Problem::new("range-not-free", message);
                problems.push(at(
                    problem,
                    range.place,
                    format!("{} to {}", range.start, range.end),
                ));
            }
            problems.extend(unrelayed(facts, name, machine, range, &networks));
        }
        let subnets: Vec<IpNet> = dhcp.ranges.iter().map(|it| it.subnet).collect();
        let hosts = dhcp.hosts.iter();
        problems.extend(hosts.filter_map(|host| astray(name, host, &subnets, &networks, &nics)));
    }
}

/// A range, or its gateway, outside of its subnet.
fn misplaced(name: &str, range: &Range) -> Option<Problem> {
    let Range {
        subnet, start, end, ..
    } = range;
    let router = range.router.unwrap_or(*start);
    let inside = [start, end, &router].iter().all(|it| subnet.contains(*it));
    if inside && start <= end && !(range.router.is_some() && (*start..=*end).contains(&router)) {
        return None;
    }
    let message = format!("{name} hands out {start} to {end} with gateway {router} in {subnet}");
    let problem = Problem::new("bad-range", message);
    let problem = problem.help("a range lies in its subnet, beside its gateway");
    Some(at(problem, range.place, "does not fit"))
}

/// A range that no request reaches: nobody relays from that subnet to this server.
fn unrelayed(
    facts: &Facts,
    name: &str,
    server: &Machine,
    range: &Range,
    networks: &HashMap<IpNet, &str>,
) -> Option<Problem> {
    let network = networks.get(&range.subnet).copied().unwrap_or_default();
    // On its own network a server needs no relay.
    if facts.is_on(name, network) {
        return None;
    }
    let reaches = |to: &IpAddr| server.loopback.iter().any(|net| net.addr() == *to);
    let relayed = facts.ends(network).iter().any(|(router, port)| {
        let relays = facts.machine(router).map_or(&[][..], |it| &it.relays);
        let here = |from: &IpAddr| port.addresses.iter().any(|net| net.addr() == *from);
        relays.iter().any(|(from, to)| here(from) && reaches(to))
    });
    if relayed {
        return None;
    }
    let message = format!("no relay asks {name} for addresses of {}", range.subnet);
    let problem = Problem::new("no-relay", message);
    Some(at(problem, range.place, "nobody asks for these"))
}

/// A fixed lease for nobody, or for a NIC on another network.
fn astray(
    name: &str,
    host: &Host,
    subnets: &[IpNet],
    networks: &HashMap<IpNet, &str>,
    nics: &HashMap<&str, &Port>,
) -> Option<Problem> {
    let Host {
        mac,
        address,
        place,
    } = host;
    let subnet = subnets.iter().find(|subnet| subnet.contains(address));
    let message = match (nics.get(mac.as_str()), subnet) {
        (None, _) => format!("{name} has an address for {mac}, which no NIC has"),
        (_, None) => format!("{name} has {address} for {mac}, in no range's subnet"),
        (Some(nic), Some(subnet)) => {
            let network = networks.get(subnet).copied().unwrap_or_default();
            if nic.network == network {
                return None;
            }
            format!(
                "{name} has {address} of `{network}` for {mac}, a NIC on `{}`",
                nic.network
            )
        }
    };
    Some(at(
        Problem::new("bad-lease", message),
        *place,
        "a lease for nobody",
    ))
}
