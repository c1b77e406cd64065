//! The pure allocator: which prefix, address, ASN, MAC and serial belongs to what.
//!
//! Everything is arithmetic on rack and seat numbers, so that nothing depends on how many racks
//! there are: a rack added at the end moves nothing that was there. Each pool is cut into blocks,
//! one run of blocks a rack:
//!
//! | pool | rack `r` (from 1) owns | inside |
//! |---|---|---|
//! | node | 3 blocks of 64 from `192 (r-1)` | loopbacks by seat, the segment of ToR 1, that of ToR 2 |
//! | fabric | 1 block of 64 (more with over 15 spines) | /31s: `2 (spine-1) + (tor-1)`; the last two go to the boot server |
//! | loopback | | spine `s` is address `s` |
//! | bmc | 1 block of 64 from `256 + 64 (r-1)` | by seat; the pool's first address is the hub's |
//!
//! Seats of a rack: ToRs 1 and 2, boot server 3, servers from 4.

mod exhaustion;

use crate::rack::DataCenter;
use ipnet::Ipv4Net;
use placemat_spec::Problem;
use placemat_spec::value::Mac;
use sha1::{Digest, Sha1};
use std::fmt::Write as _;
use std::net::Ipv4Addr;

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

/// The two ends of a point-to-point link, both /31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkEnds {
    /// The spine's end; on a boot link, the ToR's.
    pub upper: Ipv4Net,
    /// The ToR's end; on a boot link, the boot server's.
    pub lower: Ipv4Net,
}

/// Addresses for one data center whose pools were found to be large enough.
#[derive(Debug, Clone)]
pub struct Allocation {
    node: Ipv4Net,
    fabric: Ipv4Net,
    loopback: Ipv4Net,
    bmc: Ipv4Net,
    fabric_block: u32,
    asn_base: u32,
}

impl Allocation {
    /// Checks that pools and ASNs reach, and do not overlap.
    pub fn new(dc: &DataCenter) -> Result<Self, Vec<Problem>> {
        let fabric_block = fabric_block(dc.spines);
        let problems = exhaustion::check(dc, fabric_block);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            node: dc.pools.node.prefix,
            fabric: dc.pools.fabric.prefix,
            loopback: dc.pools.loopback.prefix,
            bmc: dc.pools.bmc.prefix,
            fabric_block,
            asn_base: dc.asn_base.number,
        })
    }

    /// The ASN that all spines share.
    pub fn spine_asn(&self) -> u32 {
        self.asn_base
    }

    /// The ASN of a rack: its ToRs, boot server and servers.
    pub fn rack_asn(&self, rack: u32) -> u32 {
        self.asn_base + rack
    }

    /// Loopback of a spine.
    pub fn spine_loopback(&self, spine: u32) -> Ipv4Addr {
        nth(self.loopback, spine)
    }

    /// Loopback of whatever sits in a rack.
    pub fn loopback(&self, rack: u32, seat: Seat) -> Ipv4Addr {
        nth(self.node, NODE_BLOCKS * BLOCK * (rack - 1) + seat.number())
    }

    /// The segment of a ToR and the servers' NICs towards it.
    pub fn segment(&self, rack: u32, tor: u32) -> Ipv4Net {
        let first = nth(self.node, BLOCK * (NODE_BLOCKS * (rack - 1) + tor));
        Ipv4Net::new_assert(first, block_prefix_len(BLOCK))
    }

    /// The ToR's own address on its segment: always the first.
    pub fn gateway(&self, rack: u32, tor: u32) -> Ipv4Net {
        self.on_segment(rack, tor, 1)
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
        self.link(rack, 2 * (spine - 1) + (tor - 1))
    }

    /// The link between a ToR and the boot server of its rack.
    pub fn boot_link(&self, rack: u32, tor: u32) -> LinkEnds {
        self.link(rack, self.fabric_block / 2 - 3 + tor)
    }

    /// The hub's address on the BMC network.
    pub fn bmc_hub(&self) -> Ipv4Net {
        Ipv4Net::new_assert(nth(self.bmc, 1), self.bmc.prefix_len())
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

    fn link(&self, rack: u32, index: u32) -> LinkEnds {
        let first = self.fabric_block * (rack - 1) + 2 * index;
        LinkEnds {
            upper: Ipv4Net::new_assert(nth(self.fabric, first), 31),
            lower: Ipv4Net::new_assert(nth(self.fabric, first + 1), 31),
        }
    }
}

/// MAC of a server's NIC (NICs from 0): QEMU's prefix, then 14 bits of rack, 6 of seat, 4 of NIC.
pub fn mac(rack: u32, server: u32, nic: u32) -> Mac {
    let [_, a, b, c] = ((rack << 10) | (Seat::Server(server).number() << 4) | nic).to_be_bytes();
    Mac([0x52, 0x54, 0x00, a, b, c])
}

/// SMBIOS serial of a machine: the hex SHA-1 of its name, as placemat v2 has it.
pub fn serial(name: &str) -> String {
    Sha1::digest(name.as_bytes())
        .iter()
        .fold(String::with_capacity(40), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Addresses of the fabric pool that one rack takes: two a ToR and spine, and four for the boot
/// server, with room for 15 spines before it grows.
fn fabric_block(spines: u32) -> u32 {
    (4 * spines + 4).next_power_of_two().max(BLOCK)
}

fn block_prefix_len(block: u32) -> u8 {
    // A power of two has at most 31 trailing zeros.
    32 - u8::try_from(block.trailing_zeros()).unwrap_or(32)
}

/// Address number `n` of a prefix. [`exhaustion`] has checked that it is inside.
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

    #[test]
    fn macs_are_unicast_and_tell_rack_seat_and_nic() {
        assert_eq!(mac(1, 1, 0).to_string(), "52:54:00:00:04:40");
        assert_eq!(mac(1, 1, 1).to_string(), "52:54:00:00:04:41");
        assert_eq!(mac(16_383, 44, 1).to_string(), "52:54:00:ff:fe:f1");
    }

    #[test]
    fn serials_are_those_of_placemat_v2() {
        assert_eq!(
            serial("rack1-cs1"),
            "4ae0771764376e0184274e24e0b18abd8fa5f285"
        );
    }
}
