//! The pure allocator: which prefix, address, ASN, MAC and serial belongs to what.
//!
//! Everything is arithmetic on rack and seat numbers, so that nothing depends on how many racks
//! there are: a rack, a pod or a server added at the end moves nothing that was there. Each pool is
//! cut into blocks, one run of blocks a rack or pod:
//!
//! | pool | rack `r` (from 1) owns | inside |
//! |---|---|---|
//! | node | 3 blocks of 64 from `192 (r-1)` | loopbacks by seat, the segment of ToR 1, that of ToR 2 |
//! | fabric | 1 block of 64 (more with over 15 spines) | /31s: `2 (spine-1) + (tor-1)`; the last two go to the boot server |
//! | loopback | | spine or super-spine `s` is address `s`; spine `s` of pod `p` is `64 p + s` |
//! | bmc | 1 block of 64 from `256 + 64 (r-1)` | by seat; the pool's first address is the hub's, the second the core's |
//! | pods | pod `p`: 1 block, a /31 for each spine and super-spine | `(spine-1) super-spines + (super-1)` |
//! | core | | the core's loopback is address 1, the link to switch `s` the /31 from `2 s` |
//! | ipv6 | 4 /64 from `256 + 4 (r-1)` | loopbacks, two segments, links; numbers inside as in IPv4 |
//!
//! Seats of a rack: ToRs 1 and 2, boot server 3, servers from 4. `asn` has the ASNs.
//!
//! Every value is the sum of its [`Terms`], which an allocation that was asked to ([`Allocation::noting`])
//! keeps, so that each can tell where it comes from.

mod asn;
mod exhaustion;
mod identity;
mod ipam;
mod ipv6;
mod terms;

pub(crate) use identity::interface_id;
pub use identity::serial;
pub use ipam::Ipam;
pub(crate) use terms::{End, Ledger, Pool};
pub use terms::{Made, Start, Step, Terms};

use crate::rack::{Asn, DataCenter, Family};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use placemat_spec::Problem;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Addresses in one block.
const BLOCK: u32 = 64;
/// Blocks of the node pool that a rack owns: loopbacks and two segments.
const NODE_BLOCKS: u32 = 3;
/// Addresses at the start of the BMC pool that no rack gets: the hub's, and room for switches.
const BMC_RESERVED: u32 = 256;
/// First and last seat-like number of a segment that is leased to machines nobody knows.
const GUEST_SEATS: (u32, u32) = (48, 62);
/// Most servers in one rack: seats 4 to 47.
pub const MAX_SERVERS: usize = 44;
/// Most racks: what the MAC scheme can number.
pub const MAX_RACKS: usize = (1 << 14) - 1;
/// Most pods: what a link's name has room for.
pub const MAX_PODS: u32 = 999;

/// A place in a rack, numbered from 1 in each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// ToR 1 or 2.
    Tor(u32),
    /// The boot server.
    Boot,
    /// A server.
    Server(u32),
}

impl Seat {
    fn number(self) -> u32 {
        match self {
            Self::Tor(tor) => tor,
            Self::Boot => 3,
            Self::Server(server) => 3 + server,
        }
    }

    fn step(self) -> Step {
        Step::times(1, "seat", self.number())
    }
}

/// A switch that stands in no rack, numbered from 1 in each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// A spine of a data center without pods.
    Spine(u32),
    /// A spine of a pod: pod, then spine.
    PodSpine(u32, u32),
    /// A super-spine.
    SuperSpine(u32),
}

impl Switch {
    /// Its number among loopbacks. Switches of a pod come after 64 others.
    fn steps(self) -> impl Iterator<Item = Step> {
        let (pod, what, number) = match self {
            Self::Spine(number) => (None, "spine", number),
            Self::SuperSpine(number) => (None, "super-spine", number),
            Self::PodSpine(pod, number) => (Some(pod), "spine", number),
        };
        let pod = pod.map(|pod| Step::times(BLOCK, "pod", pod));
        pod.into_iter().chain([Step::times(1, what, number)])
    }
}

/// Addresses of one interface, in the families that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Addresses {
    /// IPv4.
    pub v4: Option<Ipv4Net>,
    /// IPv6.
    pub v6: Option<Ipv6Net>,
}

/// The two ends of a point-to-point link, /31 and /127.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkEnds {
    /// The end nearer to the core; on a boot link, the ToR's.
    pub upper: Addresses,
    /// The other end.
    pub lower: Addresses,
}

/// Addresses for one data center whose pools were found to be large enough.
#[derive(Debug, Clone)]
pub struct Allocation {
    node: Pool<Ipv4Net>,
    fabric: Pool<Ipv4Net>,
    loopback: Pool<Ipv4Net>,
    bmc: Pool<Ipv4Net>,
    pods: Pool<Ipv4Net>,
    core: Pool<Ipv4Net>,
    ipv6: Pool<Ipv6Net>,
    bastion: Option<Pool<Ipv4Net>>,
    bastion6: Option<Pool<Ipv6Net>>,
    ledger: Ledger,
    family: Family,
    super_spines: u32,
    fabric_block: u32,
    pod_block: u32,
    asn: Asn,
}

impl Allocation {
    /// Checks that pools and ASNs reach, and do not overlap.
    pub fn new(dc: &DataCenter) -> Result<Self, Vec<Problem>> {
        let problems = exhaustion::check(dc);
        if !problems.is_empty() {
            return Err(problems);
        }
        let bastion = |key: &str| {
            let mut all = dc.exposed.iter();
            all.find(|range| range.name == key).map(|it| it.prefix)
        };
        let pools = &dc.pools;
        let pool = |key, pool: crate::rack::Pool<Ipv4Net>| Pool {
            key,
            prefix: pool.prefix,
        };
        Ok(Self {
            node: pool("pools.node", pools.node),
            fabric: pool("pools.fabric", pools.fabric),
            loopback: pool("pools.loopback", pools.loopback),
            bmc: pool("pools.bmc", pools.bmc),
            pods: pool("pools.pods", pools.pods),
            core: pool("pools.core", pools.core),
            ipv6: Pool {
                key: "pools.ipv6",
                prefix: pools.ipv6.prefix,
            },
            bastion: match bastion("bastion") {
                Some(IpNet::V4(prefix)) => Some(Pool {
                    key: "exposed.bastion",
                    prefix,
                }),
                _ => None,
            },
            bastion6: match bastion("bastion6") {
                Some(IpNet::V6(prefix)) => Some(Pool {
                    key: "exposed.bastion6",
                    prefix,
                }),
                _ => None,
            },
            ledger: Ledger::default(),
            family: dc.family,
            super_spines: dc.super_spines,
            fabric_block: fabric_block(dc.spines),
            pod_block: pod_block(dc.spines, dc.super_spines),
            asn: dc.asn,
        })
    }

    /// The same, and how each value is made is kept for [`Allocation::terms`].
    #[must_use]
    pub fn noting(self) -> Self {
        Self {
            ledger: Ledger::noting(),
            ..self
        }
    }

    /// How a value was made. None where it was not, or not noted.
    pub fn terms(&self, made: Made) -> Option<Terms> {
        self.ledger.terms(made)
    }

    /// Loopback of a switch that stands in no rack.
    pub fn switch_loopback(&self, switch: Switch) -> Ipv4Addr {
        let steps: Vec<Step> = switch.steps().collect();
        self.ledger.v4(self.loopback, &steps)
    }

    /// Loopback of the core router.
    pub fn core_loopback(&self) -> Ipv4Addr {
        self.ledger.v4(self.core, &[Step::Fixed(1, "loopback")])
    }

    /// Loopback of whatever sits in a rack.
    pub fn loopback(&self, rack: u32, seat: Seat) -> Ipv4Addr {
        self.ledger.v4(self.node, &[of_rack(rack), seat.step()])
    }

    /// The address of a rack's boot server among the exposed ones.
    pub fn bastion(&self, rack: u32) -> Option<Ipv4Addr> {
        let rack = Step::after_first(1, "rack", rack);
        Some(self.ledger.v4(self.bastion?, &[rack]))
    }

    /// The same of IPv6.
    pub fn bastion6(&self, rack: u32) -> Option<Ipv6Addr> {
        let rack = Step::after_first(1, "rack", rack);
        Some(self.ledger.v6(self.bastion6?, &[rack]))
    }

    /// The segment of a ToR and the servers' NICs towards it.
    pub fn segment(&self, rack: u32, tor: u32) -> Ipv4Net {
        let first = self.ledger.v4(self.node, &[of_rack(rack), segment(tor)]);
        Ipv4Net::new_assert(first, block_prefix_len(BLOCK))
    }

    /// The ToR's own addresses on its segment: always the first.
    pub fn gateway(&self, rack: u32, tor: u32) -> Addresses {
        Addresses {
            v4: Some(self.on_segment(rack, tor, Step::Fixed(1, "gateway"))),
            v6: self.gateway6(rack, tor),
        }
    }

    /// A server's address on the segment of a ToR, leased by DHCP.
    pub fn lease(&self, rack: u32, tor: u32, server: u32) -> Ipv4Net {
        self.on_segment(rack, tor, Seat::Server(server).step())
    }

    /// First and last address of a segment that machines without a fixed lease get.
    pub fn guests(&self, rack: u32, tor: u32) -> (Ipv4Addr, Ipv4Addr) {
        let (first, last) = GUEST_SEATS;
        let on = |step| self.on_segment(rack, tor, step).addr();
        (
            on(Step::Fixed(first.into(), "first guest")),
            on(Step::Fixed(last.into(), "last guest")),
        )
    }

    /// The link between a spine and a ToR.
    pub fn fabric_link(&self, spine: u32, rack: u32, tor: u32) -> LinkEnds {
        self.link(
            |end| {
                let block = Step::after_first(self.fabric_block, "rack", rack);
                let spine = Step::after_first(4, "spine", spine);
                let tor = Step::after_first(2, "ToR", tor);
                let steps = [block, spine, tor, Step::end(end)];
                self.ledger.v4(self.fabric, &steps)
            },
            |end| self.fabric_link6(spine, rack, tor, end),
        )
    }

    /// The link between a ToR and the boot server of its rack. It has IPv4 in every family, since
    /// DHCP does.
    pub fn boot_link(&self, rack: u32, tor: u32) -> LinkEnds {
        let v4 = |end| {
            let block = Step::after_first(self.fabric_block, "rack", rack);
            // The last two links of the rack.
            let boot = Step::Fixed(i128::from(self.fabric_block) - 4, "boot links");
            let tor = Step::after_first(2, "ToR", tor);
            let steps = [block, boot, tor, Step::end(end)];
            self.ledger.v4(self.fabric, &steps)
        };
        let ends = self.link(v4, |end| self.boot_link6(rack, tor, end));
        LinkEnds {
            upper: Addresses {
                v4: Some(Ipv4Net::new_assert(v4(End::Upper), 31)),
                ..ends.upper
            },
            lower: Addresses {
                v4: Some(Ipv4Net::new_assert(v4(End::Lower), 31)),
                ..ends.lower
            },
        }
    }

    /// The link between a super-spine and a spine of a pod.
    pub fn pod_link(&self, super_spine: u32, pod: u32, spine: u32) -> LinkEnds {
        self.link(
            |end| {
                let block = Step::after_first(self.pod_block, "pod", pod);
                let spine = Step::after_first(2 * self.super_spines, "spine", spine);
                let above = Step::after_first(2, "super-spine", super_spine);
                let steps = [block, spine, above, Step::end(end)];
                self.ledger.v4(self.pods, &steps)
            },
            |end| self.pod_link6(super_spine, pod, spine, end),
        )
    }

    /// The link between the core and spine or super-spine `switch`.
    pub fn core_link(&self, switch: u32) -> LinkEnds {
        let what = match self.super_spines {
            0 => "spine",
            _ => "super-spine",
        };
        let switch = Step::times(2, what, switch);
        self.link(
            |end| self.ledger.v4(self.core, &[switch, Step::end(end)]),
            |end| self.core_link6(switch, end),
        )
    }

    /// The hub's address on the BMC network.
    pub fn bmc_hub(&self) -> Ipv4Net {
        self.on_bmc_network(Step::Fixed(1, "hub"))
    }

    /// The core's address on the BMC network.
    pub fn bmc_core(&self) -> Ipv4Net {
        self.on_bmc_network(Step::Fixed(2, "core"))
    }

    /// The BMC of a server.
    pub fn bmc(&self, rack: u32, server: u32) -> Ipv4Addr {
        let reserved = Step::Fixed(BMC_RESERVED.into(), "reserved");
        let rack = Step::after_first(BLOCK, "rack", rack);
        let steps = [reserved, rack, Seat::Server(server).step()];
        self.ledger.v4(self.bmc, &steps)
    }

    fn on_bmc_network(&self, own: Step) -> Ipv4Net {
        let address = self.ledger.v4(self.bmc, &[own]);
        Ipv4Net::new_assert(address, self.bmc.prefix.prefix_len())
    }

    fn on_segment(&self, rack: u32, tor: u32, own: Step) -> Ipv4Net {
        let steps = [of_rack(rack), segment(tor), own];
        let address = self.ledger.v4(self.node, &steps);
        Ipv4Net::new_assert(address, block_prefix_len(BLOCK))
    }

    /// The ends of a link, in the families of links.
    fn link(&self, v4: impl Fn(End) -> Ipv4Addr, v6: impl Fn(End) -> Ipv6Addr) -> LinkEnds {
        let ends = |end| Addresses {
            v4: (self.family != Family::Ipv6).then(|| Ipv4Net::new_assert(v4(end), 31)),
            v6: (self.family != Family::Ipv4).then(|| Ipv6Net::new_assert(v6(end), 127)),
        };
        LinkEnds {
            upper: ends(End::Upper),
            lower: ends(End::Lower),
        }
    }
}

/// Where what a rack has of the node pool begins.
fn of_rack(rack: u32) -> Step {
    Step::after_first(NODE_BLOCKS * BLOCK, "rack", rack)
}

fn segment(tor: u32) -> Step {
    Step::times(BLOCK, "segment", tor)
}

/// Addresses of the fabric pool that one rack takes: two a ToR and spine, and four for the boot
/// server, with room for 15 spines before it grows.
fn fabric_block(spines: u32) -> u32 {
    (4 * spines + 4).next_power_of_two().max(BLOCK)
}

/// Addresses of the pods' pool that one pod takes.
fn pod_block(spines: u32, super_spines: u32) -> u32 {
    (2 * spines * super_spines).next_power_of_two()
}

fn block_prefix_len(block: u32) -> u8 {
    // A power of two has at most 31 trailing zeros.
    32 - u8::try_from(block.trailing_zeros()).unwrap_or(32)
}

/// Address number `n` of a prefix, from 0. [`exhaustion`] has checked that it is inside.
fn nth(prefix: Ipv4Net, n: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(prefix.network()) + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_a_rack_fit_its_block_and_do_not_meet() {
        for (spines, block) in [(1, 64), (15, 64), (16, 128), (64, 512)] {
            assert_eq!(fabric_block(spines), block);
            // The last link of the last spine ends where the boot links begin, or before.
            let last_spine_link = 2 * (spines - 1) + 1;
            let first_boot_link = block / 2 - 2;
            assert!(last_spine_link < first_boot_link);
        }
    }
}
