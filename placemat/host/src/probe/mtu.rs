//! The MTU that links of a lab should have: what passes from this host to the outside unbroken.

use crate::netlink::{Netlink, NetlinkError};
use std::net::Ipv4Addr;
use std::path::Path;

/// An address that is nobody's (192.0.0.0/24, RFC 6890): the way to it is the way to the outside.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 10);
/// The least that IPv6 allows (RFC 8200 section 5). Less is no measure for a lab.
const LEAST: u32 = 1280;

/// In bytes: the smallest MTU of the links that lead to the outside; without any, of the physical
/// links that are up. `None` where there is nothing to go by.
pub fn find() -> Result<Option<u32>, NetlinkError> {
    let mut netlink = Netlink::open()?;
    let ways = netlink.ways_to(OUTSIDE.into())?;
    let links = netlink.links()?;
    let on_the_way = links.iter().filter(|link| ways.contains(&link.index));
    let physical = |name: &str| {
        Path::new("/sys/class/net")
            .join(name)
            .join("device")
            .exists()
    };
    let up = links.iter().filter(|link| link.up && physical(&link.name));
    let smallest = on_the_way.map(|link| link.mtu).min();
    let smallest = smallest.or_else(|| up.map(|link| link.mtu).min());
    Ok(smallest.filter(|mtu| *mtu >= LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::VethEnd;
    use crate::netns::apart::apart;

    #[test]
    fn the_smallest_on_the_way_counts() {
        apart(|| {
            assert!(find().is_ok_and(|mtu| mtu.is_none()));
            let mut netlink = Netlink::open().expect("netlink");
            let end = |name, mtu| VethEnd {
                name,
                netns: None,
                mac: None,
                mtu: Some(mtu),
            };
            netlink
                .create_veth(end("out0", 1400), end("peer0", 1400))
                .expect("a pair");
            netlink
                .create_veth(end("out1", 9000), end("peer1", 9000))
                .expect("a pair");
            for link in netlink.links().expect("links") {
                netlink.set_up(&link.name, true).expect("up");
                let address = match link.name.as_str() {
                    "out0" => "192.0.0.1/24",
                    "out1" => "10.0.0.1/24",
                    _ => continue,
                };
                netlink
                    .add_address(link.index, address.parse().expect("an address"))
                    .expect("address");
            }
            assert_eq!(find().expect("netlink"), Some(1400));
        });
    }
}
