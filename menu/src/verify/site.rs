//! The generated data center as rules look at it: machines with what they are plugged into, their
//! sessions, what DHCP hands out, BMCs, power. Made from the plan, or read back from the files.

mod files;
mod plan;

pub(crate) use files::read;
pub(crate) use plan::{dhcp, planned};

use super::bird::Asn;
use crate::allocation::interface_id;
use indexmap::IndexMap;
use ipnet::{IpNet, Ipv6Net};
use placemat_spec::Place;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

/// A whole data center.
#[derive(Debug, Default)]
pub(crate) struct Site {
    /// Routers, boot servers, servers, in this order.
    pub(crate) machines: IndexMap<String, Machine>,
    /// L2 networks.
    pub(crate) networks: IndexMap<String, Network>,
    /// Feeds and PDUs, each with the machines that are dark without it.
    pub(crate) supplies: Vec<(String, Vec<String>)>,
}

/// What a machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Router,
    BootServer,
    Server,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) kind: Kind,
    /// Its label `role`.
    pub(crate) role: String,
    /// Its label `rack`.
    pub(crate) rack: Option<String>,
    pub(crate) place: Option<Place>,
    pub(crate) ports: Vec<Port>,
    /// On `lo`.
    pub(crate) loopback: Vec<IpNet>,
    /// Whether it runs anything: a mock does not.
    pub(crate) runs: bool,
    pub(crate) router_id: Option<(Ipv4Addr, Option<Place>)>,
    pub(crate) sessions: Vec<Session>,
    /// DHCP relays: the address that asks and the server asked.
    pub(crate) relays: Vec<(IpAddr, IpAddr)>,
    pub(crate) dhcp: Option<Dhcp>,
    /// Ranges that it tells of as a whole.
    pub(crate) aggregates: Vec<(IpNet, Option<Place>)>,
    /// What the files say of its make: tier, processors, memory, image.
    pub(crate) make: String,
    /// SMBIOS serial of a server.
    pub(crate) serial: Option<String>,
    pub(crate) bmc: Option<(IpAddr, Option<Place>)>,
}

/// A plugged NIC.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) network: String,
    pub(crate) place: Option<Place>,
    /// Static addresses.
    pub(crate) addresses: Vec<IpNet>,
    /// Whether the machine tells others of its network.
    pub(crate) told: bool,
    pub(crate) mac: Option<String>,
}

/// A network.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) place: Option<Place>,
    /// The hub's addresses.
    pub(crate) hub: Vec<IpNet>,
    /// Whether BMCs answer on it.
    pub(crate) bmc: bool,
    /// Bytes; none: as the lab has it.
    pub(crate) mtu: Option<u32>,
}

/// One end of a BGP session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) name: String,
    /// Where it stands, and where the ASN of the neighbor does.
    pub(crate) place: Option<Place>,
    pub(crate) asn_place: Option<Place>,
    pub(crate) local: Option<IpAddr>,
    pub(crate) local_asn: u32,
    pub(crate) neighbor: IpAddr,
    pub(crate) asn: Asn,
    pub(crate) passive: bool,
    pub(crate) multihop: bool,
    pub(crate) bfd: bool,
}

/// What a boot server hands out.
#[derive(Debug, Default)]
pub(crate) struct Dhcp {
    pub(crate) ranges: Vec<Range>,
    pub(crate) hosts: Vec<Host>,
    /// Serials that it knows.
    pub(crate) serials: Vec<String>,
}

/// Addresses for machines that nobody knows.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) place: Option<Place>,
    pub(crate) subnet: IpNet,
    pub(crate) start: IpAddr,
    pub(crate) end: IpAddr,
    pub(crate) router: Option<IpAddr>,
}

/// A fixed lease.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) place: Option<Place>,
    pub(crate) mac: String,
    pub(crate) address: IpAddr,
}

/// Where an address is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held<'s> {
    /// Whose it is.
    pub(crate) machine: &'s str,
    /// The network that it is on; none for `lo`.
    pub(crate) network: Option<&'s str>,
    /// With its prefix; a lease has that of the range it is from.
    pub(crate) net: IpNet,
    /// Where the port, machine or lease stands.
    pub(crate) place: Option<Place>,
}

impl Site {
    /// Every address of a machine, static ones and fixed leases, in order.
    pub(crate) fn held(&self) -> Vec<Held<'_>> {
        let mut held = Vec::new();
        let mut nics: HashMap<&str, (&str, &Port)> = HashMap::new();
        for (name, machine) in &self.machines {
            held.extend(machine.loopback.iter().map(|net| Held {
                machine: name,
                network: None,
                net: *net,
                place: machine.place,
            }));
            for port in &machine.ports {
                held.extend(port.addresses.iter().map(|net| Held {
                    machine: name,
                    network: Some(&port.network),
                    net: *net,
                    place: port.place,
                }));
                if let Some(mac) = &port.mac {
                    nics.insert(mac, (name, port));
                }
            }
        }
        held.extend(self.self_made());
        for dhcp in self.dhcp() {
            for host in &dhcp.hosts {
                let Some((machine, port)) = nics.get(host.mac.as_str()) else {
                    continue;
                };
                let range = dhcp
                    .ranges
                    .iter()
                    .find(|it| it.subnet.contains(&host.address));
                let len = range.map_or(host_len(host.address), |it| it.subnet.prefix_len());
                if let Ok(net) = IpNet::new(host.address, len) {
                    held.push(Held {
                        machine,
                        network: Some(&port.network),
                        net,
                        place: host.place,
                    });
                }
            }
        }
        held
    }

    /// IPv6 addresses that virtual machines make themselves, of the prefix that is on their network.
    fn self_made(&self) -> Vec<Held<'_>> {
        let ports = self.machines.iter();
        let ports = ports.flat_map(|(name, it)| it.ports.iter().map(move |port| (name, port)));
        let mut prefixes: HashMap<&str, IpNet> = HashMap::new();
        for (_, port) in ports.clone() {
            let of_hosts = |net: &&IpNet| net.addr().is_ipv6() && net.prefix_len() == 64;
            if let Some(net) = port.addresses.iter().find(of_hosts) {
                prefixes.insert(&port.network, *net);
            }
        }
        let made = ports.filter_map(|(name, port)| {
            if port.addresses.iter().any(|net| net.addr().is_ipv6()) {
                return None;
            }
            let IpNet::V6(prefix) = prefixes.get(port.network.as_str())? else {
                return None;
            };
            let id = interface_id(port.mac.as_deref()?.parse().ok()?);
            let address = u128::from(prefix.network()) | u128::from(id);
            Some(Held {
                machine: name,
                network: Some(&port.network),
                net: IpNet::V6(Ipv6Net::new(address.into(), 64).ok()?),
                place: port.place,
            })
        });
        made.collect()
    }

    /// What each boot server hands out.
    pub(crate) fn dhcp(&self) -> impl Iterator<Item = &Dhcp> {
        self.machines
            .values()
            .filter_map(|machine| machine.dhcp.as_ref())
    }

    /// Machines with their names that are plugged into each network.
    pub(crate) fn ends(&self) -> HashMap<&str, Vec<(&str, &Port)>> {
        let mut ends: HashMap<&str, Vec<(&str, &Port)>> = HashMap::new();
        for (name, machine) in &self.machines {
            for port in &machine.ports {
                ends.entry(&port.network).or_default().push((name, port));
            }
        }
        ends
    }
}

/// The prefix length of an address alone.
pub(crate) fn host_len(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}
