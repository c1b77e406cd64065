//! The generated data center as rules look at it: machines with what they are plugged into, their
//! sessions, what DHCP hands out, BMCs, power. Made from the plan, or read back from the files.

mod files;
mod plan;

pub(super) use files::read;
pub(super) use plan::{dhcp, planned};

use super::bird::Asn;
use crate::allocation::interface_id;
use indexmap::IndexMap;
use ipnet::{IpNet, Ipv6Net};
use placemat_spec::Place;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

/// A whole data center.
#[derive(Debug, Default)]
pub(super) struct Site {
    /// Routers, boot servers, servers, in this order.
    pub(super) machines: IndexMap<String, Machine>,
    /// L2 networks.
    pub(super) networks: IndexMap<String, Network>,
    /// Feeds and PDUs, each with the machines that are dark without it.
    pub(super) supplies: Vec<(String, Vec<String>)>,
}

/// What a machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Router,
    BootServer,
    Server,
}

/// One machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) kind: Kind,
    /// Its label `role`.
    pub(super) role: String,
    /// Its label `rack`.
    pub(super) rack: Option<String>,
    pub(super) place: Option<Place>,
    pub(super) ports: Vec<Port>,
    /// On `lo`.
    pub(super) loopback: Vec<IpNet>,
    /// Whether it runs anything: a mock does not.
    pub(super) runs: bool,
    pub(super) router_id: Option<(Ipv4Addr, Option<Place>)>,
    pub(super) sessions: Vec<Session>,
    /// DHCP relays: the address that asks and the server asked.
    pub(super) relays: Vec<(IpAddr, IpAddr)>,
    pub(super) dhcp: Option<Dhcp>,
    /// SMBIOS serial of a server.
    pub(super) serial: Option<String>,
    pub(super) bmc: Option<(IpAddr, Option<Place>)>,
}

/// A plugged NIC.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) network: String,
    pub(super) place: Option<Place>,
    /// Static addresses.
    pub(super) addresses: Vec<IpNet>,
    pub(super) mac: Option<String>,
}

/// A network.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) place: Option<Place>,
    /// The hub's addresses.
    pub(super) hub: Vec<IpNet>,
    /// Whether BMCs answer on it.
    pub(super) bmc: bool,
    /// Bytes; none: as the lab has it.
    pub(super) mtu: Option<u32>,
}

/// One end of a BGP session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) name: String,
    /// Where it stands, and where the ASN of the neighbor does.
    pub(super) place: Option<Place>,
    pub(super) asn_place: Option<Place>,
    pub(super) local: Option<IpAddr>,
    pub(super) local_asn: u32,
    pub(super) neighbor: IpAddr,
    pub(super) asn: Asn,
    pub(super) passive: bool,
    pub(super) multihop: bool,
    pub(super) bfd: bool,
}

/// What a boot server hands out.
#[derive(Debug, Default)]
pub(super) struct Dhcp {
    pub(super) ranges: Vec<Range>,
    pub(super) hosts: Vec<Host>,
    /// Serials that it knows.
    pub(super) serials: Vec<String>,
}

/// Addresses for machines that nobody knows.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) place: Option<Place>,
    pub(super) subnet: IpNet,
    pub(super) start: IpAddr,
    pub(super) end: IpAddr,
    pub(super) router: Option<IpAddr>,
}

/// A fixed lease.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) place: Option<Place>,
    pub(super) mac: String,
    pub(super) address: IpAddr,
}

/// Where an address is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'s> {
    /// Whose it is.
    pub(super) machine: &'s str,
    /// The network that it is on; none for `lo`.
    pub(super) network: Option<&'s str>,
    /// With its prefix; a lease has that of the range it is from.
    pub(super) net: IpNet,
    /// Where the port, machine or lease stands.
    pub(super) place: Option<Place>,
}

impl Site {
    /// Every address of a machine, static ones and fixed leases, in order.
    pub(super) fn held(&self) -> Vec<Held<'_>> {
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
    pub(super) fn dhcp(&self) -> impl Iterator<Item = &Dhcp> {
        self.machines
            .values()
            .filter_map(|machine| machine.dhcp.as_ref())
    }

    /// Machines with their names that are plugged into each network.
    pub(super) fn ends(&self) -> HashMap<&str, Vec<(&str, &Port)>> {
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
pub(super) fn host_len(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}
