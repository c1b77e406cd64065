//! Addresses of links.

use super::{Netlink, NetlinkError};
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use std::net::IpAddr;

impl Netlink {
    /// Adds an address, with its prefix length, to the link with this index. One that it has
    /// already stays.
    ///
    /// IPv6 duplicate address detection is left out: the lab's file has been checked for
    /// duplicates, and detection would keep the address unusable for a second.
    pub fn add_address(&mut self, index: u32, address: IpNet) -> Result<(), NetlinkError> {
        let mut message = message(index, address);
        match address.addr() {
            IpAddr::V4(_) => {
                if let IpNet::V4(net) = address
                    && net.prefix_len() < 31
                {
                    message
                        .attributes
                        .push(AddressAttribute::Broadcast(net.broadcast()));
                }
            }
            IpAddr::V6(_) => {
                message.header.flags = AddressHeaderFlags::Nodad;
            }
        }
        self.request(
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_REPLACE,
            || format!("add address {address}"),
        )
    }
}

impl Netlink {
    /// Removes an address, with its prefix length, from the link with this index. One that it does
    /// not have is no error: with the first address of a subnet the kernel removes the others.
    pub fn remove_address(&mut self, index: u32, address: IpNet) -> Result<(), NetlinkError> {
        let request = RouteNetlinkMessage::DelAddress(message(index, address));
        let removed = self.request(request, 0, || format!("remove address {address}"));
        match removed {
            Err(error) if error.source.kind() == std::io::ErrorKind::AddrNotAvailable => Ok(()),
            done => done,
        }
    }

    /// Removes every address of the link with this index but the loopback's own and link-local ones.
    pub fn flush_addresses(&mut self, index: u32) -> Result<(), NetlinkError> {
        let mut found = Vec::new();
        let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        self.dump(request, "list addresses", |answer| {
            if let RouteNetlinkMessage::NewAddress(message) = answer
                && message.header.index == index
            {
                found.push(message);
            }
        })?;
        for message in found {
            let local = message
                .attributes
                .iter()
                .find_map(|attribute| match attribute {
                    AddressAttribute::Local(address) | AddressAttribute::Address(address) => {
                        Some(*address)
                    }
                    _ => None,
                });
            if local.is_some_and(|address| address.is_loopback() || is_link_local(address)) {
                continue;
            }
            let removed = self.request(RouteNetlinkMessage::DelAddress(message), 0, || {
                "remove an address".into()
            });
            match removed {
                // With the first address of a subnet the kernel removes the others.
                Err(error) if error.source.kind() == std::io::ErrorKind::AddrNotAvailable => {}
                done => done?,
            }
        }
        Ok(())
    }
}

/// A message about one address of a link.
fn message(index: u32, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.prefix_len = address.prefix_len();
    message.header.family = match address {
        IpNet::V4(_) => AddressFamily::Inet,
        IpNet::V6(_) => AddressFamily::Inet6,
    };
    message.attributes = vec![
        AddressAttribute::Local(address.addr()),
        AddressAttribute::Address(address.addr()),
    ];
    message
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
