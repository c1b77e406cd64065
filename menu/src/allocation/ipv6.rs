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

use super::terms::{End, Step};
use super::{Addresses, Allocation, MAX_PODS, Pool, Seat, Switch, identity};
use crate::rack::Family;
use ipnet::{Ipv4Net, Ipv6Net};
use std::net::Ipv6Addr;

/// /64s at the start that no rack gets.
pub(super) const RESERVED: u64 = 256;
/// /64s of a rack.
pub(super) const PER_RACK: u64 = 4;
/// Number of the first address of a boot server's links among those of its rack.
const BOOT_LINKS: i128 = 1024;
/// Number of the /64 of the first network behind the core.
const NETWORKS: i128 = 16;
/// Number of the /64 of the core, and of links between pods and super-spines.
const CORE: Step = Step::subnet(1, "core");
const PODS: Step = Step::subnet(2, "pods");
/// Addresses of the links of one spine: 64 super-spines at most.
const OF_SPINE: u32 = 2 * 64;
/// Addresses of the links of a pod: 64 spines at most, so that they never change place.
const OF_POD: u32 = 64 * OF_SPINE;

impl Allocation {
    /// IPv6 loopback of a switch that stands in no rack.
    pub fn switch_loopback6(&self, switch: Switch) -> Option<Ipv6Addr> {
        self.has_ipv6(|| self.v6(&switch.steps().collect::<Vec<_>>()))
    }

    /// Prefix that holds the IPv6 loopbacks of all spines and super-spines.
    pub fn switch_loopbacks6(&self) -> Option<Ipv6Net> {
        self.has_ipv6(|| self.subnet(&[]))
    }

    /// IPv6 loopback of the core router.
    pub fn core_loopback6(&self) -> Option<Ipv6Addr> {
        self.has_ipv6(|| self.v6(&[CORE, Step::Fixed(1, "loopback")]))
    }

    /// IPv6 loopback of whatever sits in a rack.
    pub fn loopback6(&self, rack: u32, seat: Seat) -> Option<Ipv6Addr> {
        let [first, rack] = of_rack(rack);
        self.has_ipv6(|| self.v6(&[first, rack, seat.step()]))
    }

    /// The IPv6 prefix of a ToR's segment.
    pub fn segment6(&self, rack: u32, tor: u32) -> Option<Ipv6Net> {
        self.has_ipv6(|| self.subnet(&segment(rack, tor)))
    }

    /// The address that a server's NIC (from 0) gives itself on the segment of a ToR.
    pub fn own6(&self, rack: u32, tor: u32, server: u32, nic: u32) -> Option<Ipv6Net> {
        let mac = self.mac(rack, server, nic);
        let id = Step::InterfaceId(mac, identity::interface_id(mac));
        self.on_segment6(rack, tor, id)
    }

    pub(super) fn gateway6(&self, rack: u32, tor: u32) -> Option<Ipv6Net> {
        self.on_segment6(rack, tor, Step::Fixed(1, "gateway"))
    }

    fn on_segment6(&self, rack: u32, tor: u32, own: Step) -> Option<Ipv6Net> {
        let [first, rack, segment] = segment(rack, tor);
        self.has_ipv6(|| Ipv6Net::new_assert(self.v6(&[first, rack, segment, own]), 64))
    }

    pub(super) fn fabric_link6(&self, spine: u32, rack: u32, tor: u32, end: End) -> Ipv6Addr {
        let [first, rack] = of_rack(rack);
        let spine = Step::after_first(4, "spine", spine);
        let tor = Step::after_first(2, "ToR", tor);
        self.v6(&[first, rack, LINKS, spine, tor, Step::end(end)])
    }

    pub(super) fn boot_link6(&self, rack: u32, tor: u32, end: End) -> Ipv6Addr {
        let [first, rack] = of_rack(rack);
        let boot = Step::Fixed(BOOT_LINKS, "boot links");
        let tor = Step::after_first(2, "ToR", tor);
        self.v6(&[first, rack, LINKS, boot, tor, Step::end(end)])
    }

    pub(super) fn core_link6(&self, switch: Step, end: End) -> Ipv6Addr {
        self.v6(&[CORE, switch, Step::end(end)])
    }

    pub(super) fn pod_link6(&self, super_spine: u32, pod: u32, spine: u32, end: End) -> Ipv6Addr {
        let pod = Step::after_first(OF_POD, "pod", pod);
        let spine = Step::after_first(OF_SPINE, "spine", spine);
        let above = Step::after_first(2, "super-spine", super_spine);
        self.v6(&[PODS, pod, spine, above, Step::end(end)])
    }

    /// Addresses number `n` on a network behind the core: `index` numbers networks from 0, `own` says
    /// whose they are.
    pub fn on_network(
        &self,
        (key, net): (&'static str, Ipv4Net),
        index: u32,
        n: u32,
        own: &'static str,
    ) -> Addresses {
        let own = Step::Fixed(n.into(), own);
        let pool = Pool { key, prefix: net };
        let v6 = self.has_ipv6(|| {
            let network = Step::times(1, "network", index).of_subnets();
            self.v6(&[Step::subnet(NETWORKS, "behind the core"), network, own])
        });
        Addresses {
            v4: Some(Ipv4Net::new_assert(
                self.ledger.v4(pool, &[own]),
                net.prefix_len(),
            )),
            v6: v6.map(|address| Ipv6Net::new_assert(address, 64)),
        }
    }

    fn has_ipv6<T>(&self, make: impl FnOnce() -> T) -> Option<T> {
        (self.family != Family::Ipv4).then(make)
    }

    fn v6(&self, steps: &[Step]) -> Ipv6Addr {
        self.ledger.v6(self.ipv6, steps)
    }

    fn subnet(&self, steps: &[Step]) -> Ipv6Net {
        Ipv6Net::new_assert(self.v6(steps), 64)
    }
}

/// The /64 of a rack's links.
const LINKS: Step = Step::subnet(3, "links");

fn of_rack(rack: u32) -> [Step; 2] {
    [
        Step::subnet(RESERVED.into(), "reserved"),
        Step::after_first(PER_RACK, "rack", rack).of_subnets(),
    ]
}

fn segment(rack: u32, tor: u32) -> [Step; 3] {
    let [first, rack] = of_rack(rack);
    [first, rack, Step::times(1, "segment", tor).of_subnets()]
}

const _: () = assert!(OF_POD as u64 * (MAX_PODS as u64) < 1 << 32);
