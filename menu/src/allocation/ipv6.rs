//! IPv6: one pool, cut into /64s by number.
//!
//! | /64 | holds |
//! |---|---|
//! | 0 | loopbacks of spines and super-spines, numbered as in IPv4 |
//! | 1 | the core: its loopback is 1, links from `2 s` |
//! | 2 | links between pods and super-spines |
//! | 16 to 18 | networks behind the core |
//! | `256 + 4 (r-1)` | loopbacks of rack `r`, by seat |
//! | next two | its segments, where servers make up their own addresses from the MAC |
//! | next | its links: `2 (2 (spine-1) + (tor-1))`, and from 1024 those of the boot server |

use super::{Addresses, Allocation, MAX_PODS, Seat, Switch, identity, mac};
use crate::rack::Family;
use ipnet::Ipv6Net;
use std::net::Ipv6Addr;

/// /64s at the start that no rack gets.
pub(super) const RESERVED: u64 = 256;
/// /64s of a rack.
pub(super) const PER_RACK: u64 = 4;
/// Number before the first link of a boot server among those of its rack.
pub(super) const BOOT_LINKS: u32 = 511;
/// Number of the /64 of the first network behind the core.
const NETWORKS: u64 = 16;

impl Allocation {
    /// IPv6 loopback of a switch that stands in no rack.
    pub fn switch_loopback6(&self, switch: Switch) -> Option<Ipv6Addr> {
        self.has_ipv6(|| at(self.subnet(0), switch.number().into()))
    }

    /// Prefix that holds the IPv6 loopbacks of all spines and super-spines.
    pub fn switch_loopbacks6(&self) -> Option<Ipv6Net> {
        self.has_ipv6(|| self.subnet(0))
    }

    /// IPv6 loopback of the core router.
    pub fn core_loopback6(&self) -> Option<Ipv6Addr> {
        self.has_ipv6(|| at(self.subnet(1), 1))
    }

    /// IPv6 loopback of whatever sits in a rack.
    pub fn loopback6(&self, rack: u32, seat: Seat) -> Option<Ipv6Addr> {
        self.has_ipv6(|| at(self.of_rack(rack, 0), seat.number().into()))
    }

    /// The IPv6 prefix of a ToR's segment.
    pub fn segment6(&self, rack: u32, tor: u32) -> Option<Ipv6Net> {
        self.has_ipv6(|| self.of_rack(rack, tor.into()))
    }

    /// The address that a server's NIC (from 0) gives itself on the segment of a ToR.
    pub fn own6(&self, rack: u32, tor: u32, server: u32, nic: u32) -> Option<Ipv6Net> {
        let segment = self.segment6(rack, tor)?;
        let id = identity::interface_id(mac(rack, server, nic));
        Some(Ipv6Net::new_assert(at(segment, id), 64))
    }

    /// The subnet of network `index` behind the core.
    pub fn core_network6(&self, index: u32) -> Option<Ipv6Net> {
        self.has_ipv6(|| self.subnet(NETWORKS + u64::from(index)))
    }

    pub(super) fn gateway6(&self, rack: u32, tor: u32) -> Option<Ipv6Net> {
        let segment = self.segment6(rack, tor)?;
        Some(Ipv6Net::new_assert(at(segment, 1), 64))
    }

    pub(super) fn rack_link6(&self, rack: u32, index: u32) -> Ipv6Addr {
        at(self.of_rack(rack, 3), 2 * u64::from(index))
    }

    pub(super) fn core_link6(&self, switch: u32) -> Ipv6Addr {
        at(self.subnet(1), 2 * u64::from(switch))
    }

    pub(super) fn pod_link6(&self, super_spine: u32, pod: u32, spine: u32) -> Ipv6Addr {
        // 64 spines of up to 999 pods, each with 64 links: they never change place.
        let spines = u64::from(pod - 1) * 64 + u64::from(spine - 1);
        at(
            self.subnet(2),
            2 * (spines * 64 + u64::from(super_spine - 1)),
        )
    }

    fn has_ipv6<T>(&self, make: impl FnOnce() -> T) -> Option<T> {
        (self.family != Family::Ipv4).then(make)
    }

    fn of_rack(&self, rack: u32, index: u64) -> Ipv6Net {
        self.subnet(RESERVED + PER_RACK * u64::from(rack - 1) + index)
    }

    fn subnet(&self, number: u64) -> Ipv6Net {
        let first = u128::from(self.ipv6.network()) + (u128::from(number) << 64);
        Ipv6Net::new_assert(first.into(), 64)
    }
}

/// The end of a link whose first address is given.
pub(super) fn end(first: Ipv6Addr, n: u128) -> Ipv6Net {
    Ipv6Net::new_assert((u128::from(first) + n).into(), 127)
}

/// Address `n` of a router (1 or 2) on a network behind the core.
pub fn on_network(v4: ipnet::Ipv4Net, v6: Option<Ipv6Net>, n: u32) -> Addresses {
    let first = u32::from(v4.network());
    Addresses {
        v4: Some(ipnet::Ipv4Net::new_assert(
            (first + n).into(),
            v4.prefix_len(),
        )),
        v6: v6.map(|net| Ipv6Net::new_assert(at(net, n.into()), 64)),
    }
}

fn at(subnet: Ipv6Net, n: u64) -> Ipv6Addr {
    (u128::from(subnet.network()) + u128::from(n)).into()
}

const _: () = assert!(2 * (MAX_PODS as u64 * 64 * 64) < 1 << 32);
