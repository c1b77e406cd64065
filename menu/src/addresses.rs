//! The plan of addresses as rows: every prefix, address, ASN, MAC and serial, and whose it is.

use crate::topology::{DhcpHost, Interface, Network, Plan, Speaker};
use indexmap::IndexMap;
use ipnet::IpNet;
use serde::Serialize;
use std::collections::HashMap;
use std::fmt::Display;

/// One value of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Pool, network or machine that it belongs to.
    pub name: String,
    /// What that is: `pool`, `network`, or the role of a machine.
    pub role: String,
    /// Its pod.
    pub pod: Option<u32>,
    /// Its rack.
    pub rack: Option<u32>,
    /// What the value is: `prefix`, `asn`, `loopback`, `address`, `lease`, `range`, `mac`, `bmc`, `serial`.
    pub what: &'static str,
    /// Network that an address is on, and of which interface.
    pub network: Option<String>,
    /// The same: `eth0`.
    pub interface: Option<String>,
    /// The value.
    pub value: String,
}

impl Row {
    /// Column names, in the order of [`Row::cells`].
    pub const COLUMNS: [&str; 8] = [
        "name",
        "role",
        "pod",
        "rack",
        "what",
        "network",
        "interface",
        "value",
    ];

    /// The row as text; what there is not is empty. No cell has a comma or a quote in it.
    pub fn cells(&self) -> [String; 8] {
        let number = |number: Option<u32>| number.map(|it| it.to_string()).unwrap_or_default();
        [
            self.name.clone(),
            self.role.clone(),
            number(self.pod),
            number(self.rack),
            self.what.to_owned(),
            self.network.clone().unwrap_or_default(),
            self.interface.clone().unwrap_or_default(),
            self.value.clone(),
        ]
    }
}

/// Every row of a plan: pools and exposed ranges, networks, then machine by machine.
pub fn addresses(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    for prefix in &plan.prefixes {
        Owner::new(&prefix.name, "pool").add(&mut rows, "prefix", prefix.prefix);
    }
    networks(plan, &mut rows);
    for router in &plan.routers {
        let role = router.role.to_string();
        let owner = Owner::new(&router.speaker.name, &role).at(router.pod, router.rack);
        owner.speaker(&mut rows, &router.speaker);
        owner.interfaces(&mut rows, &router.interfaces);
    }
    let mut leases: HashMap<&str, &DhcpHost> = HashMap::new();
    for boot in &plan.boot_servers {
        leases.extend(boot.hosts.iter().map(|host| (host.mac.as_str(), host)));
        let owner = Owner::new(&boot.speaker.name, "boot").at(boot.pod, Some(boot.rack));
        owner.speaker(&mut rows, &boot.speaker);
        owner.interfaces(&mut rows, &boot.interfaces);
        for range in &boot.ranges {
            owner.add(&mut rows, "range", format!("{}-{}", range.start, range.end));
        }
    }
    for server in &plan.servers {
        let owner =
            Owner::new(&server.speaker.name, &server.role).at(server.pod, Some(server.rack));
        if server.runs {
            owner.speaker(&mut rows, &server.speaker);
        }
        for interface in &server.interfaces {
            let Some(mac) = &interface.mac else { continue };
            owner.on(&mut rows, "mac", interface, mac);
            if let Some(host) = leases.get(mac.as_str()) {
                owner.on(&mut rows, "lease", interface, host.address);
            }
            if let Some(address) = interface.address6 {
                owner.on(&mut rows, "address", interface, address);
            }
        }
        owner.add(&mut rows, "bmc", server.bmc.address);
        owner.add(&mut rows, "serial", &server.serial);
    }
    rows
}

fn networks(plan: &Plan, rows: &mut Vec<Row>) {
    let ports = plan.routers.iter().flat_map(|router| &router.interfaces);
    let mut prefixes: IndexMap<&str, Vec<IpNet>> = IndexMap::new();
    for port in ports {
        let known = prefixes.entry(&port.network).or_default();
        for net in nets(port) {
            if !known.contains(&net.trunc()) {
                known.push(net.trunc());
            }
        }
    }
    for network in &plan.networks {
        let owner = Owner::new(&network.name, "network").at(network.pod, network.rack);
        let seen = prefixes.get(network.name.as_str());
        // The BMCs' network may have nobody on it but the hub and the BMCs.
        let bmc = network.bmc.map(|net| IpNet::from(net.trunc()));
        let bmc = bmc.filter(|_| seen.is_none());
        for prefix in seen.into_iter().flatten().copied().chain(bmc) {
            owner.add(rows, "prefix", prefix);
        }
        for hub in hubs(network) {
            owner.add(rows, "address", hub);
        }
    }
}

fn hubs(network: &Network) -> impl Iterator<Item = IpNet> {
    let bmc = network.bmc.map(IpNet::from);
    bmc.into_iter().chain(network.outside.iter().copied())
}

fn nets(interface: &Interface) -> impl Iterator<Item = IpNet> {
    let v4 = interface.address.map(IpNet::from);
    v4.into_iter().chain(interface.address6.map(IpNet::from))
}

/// Whose rows are being written.
struct Owner<'a> {
    name: &'a str,
    role: &'a str,
    pod: Option<u32>,
    rack: Option<u32>,
}

impl<'a> Owner<'a> {
    fn new(name: &'a str, role: &'a str) -> Self {
        Self {
            name,
            role,
            pod: None,
            rack: None,
        }
    }

    fn at(self, pod: Option<u32>, rack: Option<u32>) -> Self {
        Self { pod, rack, ..self }
    }

    fn add(&self, rows: &mut Vec<Row>, what: &'static str, value: impl Display) {
        rows.push(self.row(what, value));
    }

    fn on(
        &self,
        rows: &mut Vec<Row>,
        what: &'static str,
        interface: &Interface,
        value: impl Display,
    ) {
        rows.push(Row {
            network: Some(interface.network.clone()),
            interface: Some(interface.name.clone()),
            ..self.row(what, value)
        });
    }

    fn row(&self, what: &'static str, value: impl Display) -> Row {
        Row {
            name: self.name.to_owned(),
            role: self.role.to_owned(),
            pod: self.pod,
            rack: self.rack,
            what,
            network: None,
            interface: None,
            value: value.to_string(),
        }
    }

    /// ASN and loopbacks, of what speaks BGP.
    fn speaker(&self, rows: &mut Vec<Row>, speaker: &Speaker) {
        if speaker.asn == 0 {
            return;
        }
        self.add(rows, "asn", speaker.asn);
        self.add(rows, "loopback", speaker.loopback);
        if let Some(address) = speaker.loopback6 {
            self.add(rows, "loopback", address);
        }
        for address in &speaker.addresses {
            self.add(rows, "loopback", address);
        }
    }

    fn interfaces(&self, rows: &mut Vec<Row>, interfaces: &[Interface]) {
        for interface in interfaces {
            for net in nets(interface) {
                self.on(rows, "address", interface, net);
            }
        }
    }
}
