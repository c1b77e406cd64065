//! Routes as the kernel has them (the FIB).

use super::{Netlink, NetlinkError};
use ipnet::IpNet;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteNextHop};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use std::net::IpAddr;

/// The main table's number (linux/rtnetlink.h: `RT_TABLE_MAIN`).
pub(super) const MAIN_TABLE: u8 = 254;

/// A route of the main table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FibRoute {
    /// Destination.
    pub to: IpNet,
    /// Next hops: address (absent: on the link itself) and index of the interface.
    pub hops: Vec<(Option<IpAddr>, u32)>,
}

impl Netlink {
    /// Every IPv4 and IPv6 route of the main table.
    pub fn routes(&mut self) -> Result<Vec<FibRoute>, NetlinkError> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut message = RouteMessage::default();
            message.header.address_family = family;
            self.dump(
                RouteNetlinkMessage::GetRoute(message),
                "list routes",
                |answer| {
                    if let RouteNetlinkMessage::NewRoute(message) = answer
                        && message.header.table == MAIN_TABLE
                    {
                        routes.extend(route_of(&message));
                    }
                },
            )?;
        }
        Ok(routes)
    }
}

fn route_of(message: &RouteMessage) -> Option<FibRoute> {
    let mut to = None;
    let mut gateway = None;
    let mut interface = None;
    let mut hops = Vec::new();
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => to = ip(address),
            RouteAttribute::Gateway(address) => gateway = ip(address),
            RouteAttribute::Oif(index) => interface = Some(*index),
            RouteAttribute::MultiPath(paths) => hops = paths.iter().map(hop_of).collect(),
            _ => {}
        }
    }
    let default = match message.header.address_family {
        AddressFamily::Inet6 => IpAddr::from([0_u16; 8]),
        _ => IpAddr::from([0_u8; 4]),
    };
    let to = IpNet::new(
        to.unwrap_or(default),
        message.header.destination_prefix_length,
    )
    .ok()?;
    hops.extend(interface.map(|index| (gateway, index)));
    Some(FibRoute { to, hops })
}

fn hop_of(path: &RouteNextHop) -> (Option<IpAddr>, u32) {
    let gateway = path
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Gateway(address) => ip(address),
            _ => None,
        });
    (gateway, path.interface_index)
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some(IpAddr::V4(*address)),
        RouteAddress::Inet6(address) => Some(IpAddr::V6(*address)),
        _ => None,
    }
}
