//! Arithmetic: from numbers of racks, spines and servers to ranges, addresses, ASNs and serials. All
//! numbers begin at 0. `reach` has checked that what is asked for exists.

use super::input::Menu;
use crate::allocation::serial as serial_of;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// `ToR`s of a rack.
pub const TORS: u32 = 2;
/// Ranges of a rack: loopbacks of its servers, and a segment for each `ToR`.
pub const RANGES: u32 = 3;
/// Number of the `ToR`'s address in its segment.
const TOR_SEAT: u32 = 1;
/// Number of the boot server's address in each range of its rack.
pub const BOOT_SEAT: u32 = 3;
/// Number of the first other server's address in each range of its rack.
pub const FIRST_SEAT: u32 = 4;
/// Addresses of the BMC pool before the spines': the pool's own and the bridge's.
const BMC_RESERVED: u32 = 2;

/// The two ends of a point-to-point link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkEnds {
    /// The end at the machine that is nearer to the core.
    pub upper: Ipv4Net,
    /// The other.
    pub lower: Ipv4Net,
}

/// Knows every address.
#[derive(Debug, Clone)]
pub struct Allocation<'a> {
    menu: &'a Menu,
    racks: u32,
}

impl<'a> Allocation<'a> {
    /// For a menu whose ranges reach.
    pub fn new(menu: &'a Menu) -> Self {
        Self {
            menu,
            racks: u32::try_from(menu.inventory.racks.len()).unwrap_or(u32::MAX),
        }
    }

    /// ASN of the core.
    pub fn core_asn(&self) -> u32 {
        self.menu.network.asn_base.value - 3
    }

    /// ASN of all spines.
    pub fn spine_asn(&self) -> u32 {
        self.menu.network.asn_base.value - 1
    }

    /// ASN of a rack.
    pub fn rack_asn(&self, rack: u32) -> u32 {
        self.menu.network.asn_base.value + rack
    }

    /// Range number `which` (0 to 2) of a rack.
    pub fn range(&self, rack: u32, which: u32) -> Ipv4Net {
        let ipam = &self.menu.network.ipam;
        let first = u32::from(ipam.node_pool.network()) + ipam.node_offset.value;
        let first = first + ((RANGES * rack + which) << ipam.range_size.value);
        let mask = u8::try_from(ipam.range_mask.value).unwrap_or(32);
        Ipv4Net::new_assert(Ipv4Addr::from(first), mask)
    }

    /// A `ToR`'s address on the segment of its servers. `ToR`s are 0 and 1.
    pub fn tor(&self, rack: u32, tor: u32) -> Ipv4Net {
        nth(self.range(rack, tor + 1), TOR_SEAT)
    }

    /// Address of the server on `seat` in range `which` of its rack.
    pub fn server(&self, rack: u32, which: u32, seat: u32) -> Ipv4Addr {
        nth(self.range(rack, which), seat).addr()
    }

    /// What the boot server of a rack announces to the outside.
    pub fn bastion(&self, rack: u32) -> Ipv4Net {
        host(nth(self.menu.network.exposed.bastion.value, rack).addr())
    }

    /// The link between the core and a spine.
    pub fn core_link(&self, spine: u32) -> LinkEnds {
        let base = self.menu.network.core_spine.value;
        LinkEnds {
            upper: nth(base, 2 * spine),
            lower: nth(base, 2 * spine + 1),
        }
    }

    /// The link between a spine and a `ToR`.
    pub fn fabric_link(&self, spine: u32, rack: u32, tor: u32) -> LinkEnds {
        let pair = spine * TORS * self.racks + TORS * rack + tor;
        let first = u32::from(self.menu.network.spine_tor.value) + 2 * pair;
        let end = |address: u32| Ipv4Net::new_assert(Ipv4Addr::from(address), 31);
        LinkEnds {
            upper: end(first),
            lower: end(first + 1),
        }
    }

    /// The host's address on the network `internet`, which is the way out.
    pub fn internet_host(&self) -> Ipv4Net {
        nth(self.menu.network.internet.value, 1)
    }

    /// The core's address there.
    pub fn internet_core(&self) -> Ipv4Net {
        nth(self.menu.network.internet.value, 2)
    }

    /// The link between the core and `external`.
    pub fn external(&self) -> LinkEnds {
        client(self.menu.network.core_external.value)
    }

    /// The link between the core and `operation`.
    pub fn operation(&self) -> LinkEnds {
        client(self.menu.network.core_operation.value)
    }

    /// The host's address on the BMC network.
    pub fn bmc_host(&self) -> Ipv4Net {
        nth(self.menu.network.ipam.bmc_pool.value, 1)
    }

    /// A spine's address on the BMC network.
    pub fn bmc_spine(&self, spine: u32) -> Ipv4Net {
        nth(self.menu.network.ipam.bmc_pool.value, BMC_RESERVED + spine)
    }

    /// The proxy's address, on the core.
    pub fn proxy(&self) -> Option<Ipv4Net> {
        self.menu.network.proxy.map(|proxy| host(proxy.value))
    }

    /// The two addresses of the time server, and the core's on the same network.
    pub fn ntp(&self) -> Option<([Ipv4Net; 2], Ipv4Net)> {
        let net = self.menu.network.ntp?.value;
        Some(([nth(net, 1), nth(net, 2)], nth(net, 3)))
    }
}

/// SMBIOS serial of a server: the hex SHA-1 of its full name.
pub fn serial(name: &str) -> String {
    serial_of(name)
}

/// Address number `n` after the first of a prefix, with its length.
fn nth(net: Ipv4Net, n: u32) -> Ipv4Net {
    Ipv4Net::new_assert(
        Ipv4Addr::from(u32::from(net.network()) + n),
        net.prefix_len(),
    )
}

fn host(address: Ipv4Addr) -> Ipv4Net {
    Ipv4Net::new_assert(address, 32)
}

fn client(net: Ipv4Net) -> LinkEnds {
    LinkEnds {
        upper: nth(net, 1),
        lower: nth(net, 2),
    }
}
