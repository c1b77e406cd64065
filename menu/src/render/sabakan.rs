//! `sabakan/`: what sabakan is told, where it boots the servers: its arithmetic of addresses, its
//! machines, DHCP, and a start for Ignition and the kernel's parameters.

use super::{File, Templates};
use crate::allocation::Ipam;
use crate::topology::{Boot, Plan, Server};
use ipnet::{IpNet, Ipv4Net};
use placemat_spec::Problem;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

/// An entry of `machines.json`.
#[derive(Serialize)]
struct Machine<'p> {
    serial: &'p str,
    labels: Labels<'p>,
    /// From 0.
    rack: u32,
    role: &'p str,
    bmc: Bmc,
}

#[derive(Serialize)]
struct Labels<'p> {
    name: &'p str,
    #[serde(rename = "type")]
    kind: &'p str,
    tier: &'p str,
}

#[derive(Serialize)]
struct Bmc {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// `dhcp.json`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dhcp {
    lease_minutes: u32,
}

/// What the templates see.
#[derive(Serialize)]
struct Context<'p> {
    name: &'p str,
    role: &'p str,
    roles: &'p BTreeSet<&'p str>,
}

/// The files, where the data center asks for sabakan.
pub(super) fn asked(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    match plan.boot {
        Boot::Sabakan => render(plan, templates),
        Boot::BuiltIn => Ok(Vec::new()),
    }
}

/// The files, where only the command line asks for them.
pub(super) fn besides(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    match plan.boot {
        Boot::Sabakan => Ok(Vec::new()),
        Boot::BuiltIn => render(plan, templates),
    }
}

fn render(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    let machines = plan.servers.iter().map(|server| Machine {
        serial: &server.serial,
        labels: Labels {
            name: &server.speaker.name,
            kind: &server.kind,
            tier: server.tier,
        },
        rack: server.rack - 1,
        role: &server.role,
        bmc: Bmc { kind: "IPMI-2.0" },
    });
    let machines: Vec<Machine> = machines.collect();
    let mut files = vec![
        json("machines", &machines),
        json("dhcp", &Dhcp { lease_minutes: 60 }),
    ];
    files.extend(ipam(plan).map(|ipam| json("ipam", &ipam)));
    let roles: BTreeSet<&str> = plan.servers.iter().map(|it| it.role.as_str()).collect();
    let context = |role| Context {
        name: &plan.name,
        role,
        roles: &roles,
    };
    for role in &roles {
        let path = format!("sabakan/ignitions/{role}.yml");
        files.push(templates.file(path, "sabakan/ignition.yml", context(role))?);
    }
    for (path, template) in [
        ("sabakan/ignitions/files/etc/hostname", "sabakan/hostname"),
        ("sabakan/ignitions/files/etc/node.env", "sabakan/node.env"),
        ("sabakan/kernel-params", "sabakan/kernel-params"),
    ] {
        files.push(templates.file(path, template, context(""))?);
    }
    files.push(File {
        mode: 0o755,
        ..templates.file("sabakan/setup.sh", "sabakan/setup.sh", context(""))?
    });
    Ok(files)
}

fn json(name: &str, value: &impl Serialize) -> File {
    // Texts and numbers only, which JSON always has room for.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    File {
        path: format!("sabakan/{name}.json").into(),
        contents: text + "\n",
        mode: 0o644,
    }
}

fn ipam(plan: &Plan) -> Option<Ipam> {
    Some(Ipam::of(pool(plan, "node")?, pool(plan, "bmc")?))
}

fn pool(plan: &Plan, name: &str) -> Option<Ipv4Net> {
    let prefix = plan.prefixes.iter().find(|prefix| prefix.name == name)?;
    match prefix.prefix {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
    }
}

/// Whether sabakan can give every machine the addresses that it has in the plan; if not, what it
/// cannot do.
pub(super) fn check(plan: &Plan) -> Result<(), Problem> {
    let cannot = |what: String| {
        let problem = Problem::new("not-for-sabakan", format!("sabakan cannot {what}"));
        Err(problem.help("leave out `boot: sabakan`, or change what it cannot do"))
    };
    let Some(ipam) = ipam(plan) else {
        return cannot("work without IPv4 pools for nodes and BMCs".into());
    };
    if pool(plan, "bmc").is_some_and(|pool| pool.prefix_len() < 8) {
        return cannot("have BMCs in a pool larger than a /8".into());
    }
    let leases: HashMap<&str, Ipv4Addr> = plan
        .boot_servers
        .iter()
        .flat_map(|boot| &boot.hosts)
        .map(|host| (host.mac.as_str(), host.address))
        .collect();
    let mut seats: HashMap<u32, u32> = HashMap::new();
    for server in &plan.servers {
        let seat = seats.entry(server.rack).or_insert(0);
        *seat += 1;
        let (given, bmc) = ipam.addresses(server.rack, *seat);
        let foreign = wanted(server, &leases).find(|wanted| !given.contains(wanted));
        if let Some(address) = foreign {
            return cannot(format!("give {address} to {}", server.speaker.name));
        }
        if bmc != server.bmc.address {
            let (name, address) = (&server.speaker.name, server.bmc.address);
            return cannot(format!("give {address} to the BMC of {name}"));
        }
    }
    for range in plan.boot_servers.iter().flat_map(|boot| &boot.ranges) {
        if ipam.leased(range.subnet) != (range.start, range.end) {
            return cannot(format!(
                "lease {} to {} on {}",
                range.start, range.end, range.subnet
            ));
        }
    }
    Ok(())
}

/// The IPv4 addresses of a server: its loopback and its leases.
fn wanted<'p>(
    server: &'p Server,
    leases: &'p HashMap<&str, Ipv4Addr>,
) -> impl Iterator<Item = Ipv4Addr> + 'p {
    let macs = server.interfaces.iter().filter_map(|it| it.mac.as_deref());
    let leases = macs.filter_map(|mac| leases.get(mac).copied());
    std::iter::once(server.speaker.loopback).chain(leases)
}
