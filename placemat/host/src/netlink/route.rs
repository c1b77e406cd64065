//! Routes as the kernel has them (the FIB).

use super::{Netlink, NetlinkError};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteProtocol,
    RouteScope, RouteType, RouteVia,
};
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

    /// Makes a gateway on the link with this index the default route of its family.
    pub fn add_default_route(&mut self, via: IpAddr, index: u32) -> Result<(), NetlinkError> {
        let everything = match via {
            IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
            IpAddr::V6(_) => IpNet::V6(Ipv6Net::default()),
        };
        self.add_route(everything, via, index)
    }

    /// Routes `to` by way of a gateway of the same family on the link with this index.
    pub fn add_route(&mut self, to: IpNet, via: IpAddr, index: u32) -> Result<(), NetlinkError> {
        let address = |address| match address {
            IpAddr::V4(v4) => RouteAddress::Inet(v4),
            IpAddr::V6(v6) => RouteAddress::Inet6(v6),
        };
        let mut message = RouteMessage::default();
        message.header.address_family = match via {
            IpAddr::V4(_) => AddressFamily::Inet,
            IpAddr::V6(_) => AddressFamily::Inet6,
        };
        message.header.table = MAIN_TABLE;
        message.header.protocol = RouteProtocol::Static;
        message.header.scope = RouteScope::Universe;
        message.header.kind = RouteType::Unicast;
        message.header.destination_prefix_length = to.prefix_len();
        message.attributes = vec![
            RouteAttribute::Destination(address(to.network())),
            RouteAttribute::Gateway(address(via)),
            RouteAttribute::Oif(index),
        ];
        self.request(
            RouteNetlinkMessage::NewRoute(message),
            NLM_F_CREATE | NLM_F_REPLACE,
            || format!("add a route to {to} by way of {via}"),
        )
    }

    /// Indices of the links over which packets to an address leave: of the route that the kernel
    /// would take, every next hop's. None where there is no route.
    pub fn ways_to(&mut self, address: IpAddr) -> Result<Vec<u32>, NetlinkError> {
        let mut message = RouteMessage::default();
        let (family, length, to) = match address {
            IpAddr::V4(v4) => (AddressFamily::Inet, 32, RouteAddress::Inet(v4)),
            IpAddr::V6(v6) => (AddressFamily::Inet6, 128, RouteAddress::Inet6(v6)),
        };
        message.header.address_family = family;
        message.header.destination_prefix_length = length;
        message.header.flags = RouteFlags::FibMatch;
        message.attributes.push(RouteAttribute::Destination(to));
        let mut ways = Vec::new();
        let asked = self.exchange(
            RouteNetlinkMessage::GetRoute(message),
            NLM_F_REQUEST | NLM_F_ACK,
            |answer| {
                if let RouteNetlinkMessage::NewRoute(message) = answer {
                    let hops = route_of(&message).into_iter().flat_map(|route| route.hops);
                    ways.extend(hops.map(|(_, index)| index));
                }
            },
        );
        match asked {
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(libc::ENETUNREACH | libc::EHOSTUNREACH)
                ) =>
            {
                Ok(Vec::new())
            }
            Err(source) => Err(NetlinkError::new(
                format!("look up the route to {address}"),
                source,
            )),
            Ok(()) => Ok(ways),
        }
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
            RouteAttribute::Oif(index) => interface = Some(*index),
            RouteAttribute::MultiPath(paths) => hops = paths.iter().map(hop_of).collect(),
            other => gateway = gateway.or(gateway_of(other)),
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
    let gateway = path.attributes.iter().find_map(gateway_of);
    (gateway, path.interface_index)
}

/// A next hop's address. One of the other family is an attribute of its own: IPv4 by way of IPv6
/// (RFC 8950).
fn gateway_of(attribute: &RouteAttribute) -> Option<IpAddr> {
    match attribute {
        RouteAttribute::Gateway(address) => ip(address),
        RouteAttribute::Via(RouteVia::Inet(address)) => Some(IpAddr::V4(*address)),
        RouteAttribute::Via(RouteVia::Inet6(address)) => Some(IpAddr::V6(*address)),
        _ => None,
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some(IpAddr::V4(*address)),
        RouteAddress::Inet6(address) => Some(IpAddr::V6(*address)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kernel says of 10.69.0.4/32 with these next hops.
    fn told(attribute: RouteAttribute) -> FibRoute {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = 32;
        let to = RouteAddress::Inet("10.69.0.4".parse().unwrap());
        message.attributes = vec![RouteAttribute::Destination(to), attribute];
        message.attributes.push(RouteAttribute::Oif(2));
        route_of(&message).unwrap()
    }

    #[test]
    fn a_next_hop_may_be_of_the_other_family() {
        let address: std::net::Ipv6Addr = "fd00::1".parse().unwrap();
        let via = RouteAttribute::Via(RouteVia::Inet6(address));
        let hops = told(via.clone()).hops;
        assert_eq!(hops, [(Some(IpAddr::V6(address)), 2)]);
        let mut path = RouteNextHop::default();
        path.interface_index = 3;
        path.attributes = vec![via];
        let mut told = told(RouteAttribute::MultiPath(vec![path])).hops;
        assert_eq!(told.remove(0), (Some(IpAddr::V6(address)), 3));
    }
}
