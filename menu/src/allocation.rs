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

mod asn;
mod exhaustion;
mod identity;
mod ipam;
mod ipv6;

pub(crate) use identity::interface_id;
pub use identity::{mac, serial};
pub use ipam::Ipam;
pub use ipv6::on_network;

use crate::rack::{Asn, DataCenter, Exposed, Family};
use ipnet::{Ipv4Net, Ipv6Net};
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
    fn number(self) -> u32 {
        match self {
            Self::Spine(number) | Self::SuperSpine(number) => number,
            Self::PodSpine(pod, spine) => BLOCK * pod + spine,
        }
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
    node: Ipv4Net,
    fabric: Ipv4Net,
    loopback: Ipv4Net,
    bmc: Ipv4Net,
    pods: Ipv4Net,
    core: Ipv4Net,
    ipv6: Ipv6Net,
    bastion: Option<Ipv4Net>,
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
        let bastion = |range: &&Exposed| range.name == "bastion";
        Ok(Self {
            node: dc.pools.node.prefix,
            fabric: dc.pools.fabric.prefix,
            loopback: dc.pools.loopback.prefix,
            bmc: dc.pools.bmc.prefix,
            pods: dc.pools.pods.prefix,
            core: dc.pools.core.prefix,
            ipv6: dc.pools.ipv6.prefix,
            bastion: dc.exposed.iter().find(bastion).map(|range| range.prefix),
            family: dc.family,
            super_spines: dc.super_spines,
            fabric_block: fabric_block(dc.spines),
            pod_block: pod_block(dc.spines, dc.super_spines),
            asn: dc.asn,
        })
    }

    /// Loopback of a switch that stands in no rack.
    pub fn switch_loopback(&self, switch: Switch) -> Ipv4Addr {
        nth(self.loopback, switch.number())
    }

    /// Loopback of the core router.
    pub fn core_loopback(&self) -> Ipv4Addr {
        nth(self.core, 1)
    }

    /// Loopback of whatever sits in a rack.
    pub fn loopback(&self, rack: u32, seat: Seat) -> Ipv4Addr {
        nth(self.node, NODE_BLOCKS * BLOCK * (rack - 1) + seat.number())
    }

    /// The address of a rack's boot server among the exposed ones.
    pub fn bastion(&self, rack: u32) -> Option<Ipv4Addr> {
        Some(nth(self.bastion?, rack - 1))
    }

    /// The segment of a ToR and the servers' NICs towards it.
    pub fn segment(&self, rack: u32, tor: u32) -> Ipv4Net {
        let first = nth(self.node, BLOCK * (NODE_BLOCKS * (rack - 1) + tor));
        Ipv4Net::new_assert(first, block_prefix_len(BLOCK))
    }

    /// The ToR's own addresses on its segment: always the first.
    pub fn gateway(&self, rack: u32, tor: u32) -> Addresses {
        Addresses {
            v4: Some(self.on_segment(rack, tor, 1)),
            v6: self.gateway6(rack, tor),
        }
    }

    /// A server's address on the segment of a ToR, leased by DHCP.
    pub fn lease(&self, rack: u32, tor: u32, server: u32) -> Ipv4Net {
        self.on_segment(rack, tor, Seat::Server(server).number())
    }

    /// First and last address of a segment that machines without a fixed lease get.
    pub fn guests(&self, rack: u32, tor: u32) -> (Ipv4Addr, Ipv4Addr) {
        let (first, last) = GUEST_SEATS;
        (
            self.on_segment(rack, tor, first).addr(),
            self.on_segment(rack, tor, last).addr(),
        )
    }

    /// The link between a spine and a ToR.
    pub fn fabric_link(&self, spine: u32, rack: u32, tor: u32) -> LinkEnds {
        let index = 2 * (spine - 1) + (tor - 1);
        self.link(self.rack_link(rack, index), self.rack_link6(rack, index))
    }

    /// The link between a ToR and the boot server of its rack. It has IPv4 in every family, since
    /// DHCP does.
    pub fn boot_link(&self, rack: u32, tor: u32) -> LinkEnds {
        let first = self.rack_link(rack, self.fabric_block / 2 - 3 + tor);
        let (upper, lower) = pair(first);
        let ends = self.link(first, self.rack_link6(rack, ipv6::BOOT_LINKS + tor));
        LinkEnds {
            upper: Addresses {
                v4: Some(upper),
                ..ends.upper
            },
            lower: Addresses {
                v4: Some(lower),
                ..ends.lower
            },
        }
    }

    /// The link between a super-spine and a spine of a pod.
    pub fn pod_link(&self, super_spine: u32, pod: u32, spine: u32) -> LinkEnds {
        let index = (spine - 1) * self.super_spines + (super_spine - 1);
        let first = nth(self.pods, self.pod_block * (pod - 1) + 2 * index);
        self.link(first, self.pod_link6(super_spine, pod, spine))
    }

    /// The link between the core and spine or super-spine `switch`.
    pub fn core_link(&self, switch: u32) -> LinkEnds {
        self.link(nth(self.core, 2 * switch), self.core_link6(switch))
    }

    /// The hub's address on the BMC network.
    pub fn bmc_hub(&self) -> Ipv4Net {
        Ipv4Net::new_assert(nth(self.bmc, 1), self.bmc.prefix_len())
    }

    /// The core's address on the BMC network.
    pub fn bmc_core(&self) -> Ipv4Net {
        Ipv4Net::new_assert(nth(self.bmc, 2), self.bmc.prefix_len())
    }

    /// The BMC of a server.
    pub fn bmc(&self, rack: u32, server: u32) -> Ipv4Addr {
        let seat = Seat::Server(server).number();
        nth(self.bmc, BMC_RESERVED + BLOCK * (rack - 1) + seat)
    }

    fn on_segment(&self, rack: u32, tor: u32, number: u32) -> Ipv4Net {
        let segment = self.segment(rack, tor);
        Ipv4Net::new_assert(nth(segment, number), segment.prefix_len())
    }

    fn rack_link(&self, rack: u32, index: u32) -> Ipv4Addr {
        nth(self.fabric, self.fabric_block * (rack - 1) + 2 * index)
    }

    /// The ends of a link from its first addresses, in the families of links.
    fn link(&self, v4: Ipv4Addr, v6: Ipv6Addr) -> LinkEnds {
        let (upper, lower) = pair(v4);
        let v4 = |net| (self.family != Family::Ipv6).then_some(net);
        let v6 = |n| (self.family != Family::Ipv4).then(|| ipv6::end(v6, n));
        LinkEnds {
            upper: Addresses {
                v4: v4(upper),
                v6: v6(0),
            },
            lower: Addresses {
                v4: v4(lower),
                v6: v6(1),
            },
        }
    }
}

fn pair(first: Ipv4Addr) -> (Ipv4Net, Ipv4Net) {
    let second = Ipv4Addr::from(u32::from(first) + 1);
    (
        Ipv4Net::new_assert(first, 31),
        Ipv4Net::new_assert(second, 31),
    )
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
