//! Arithmetic: from numbers of racks, spines and servers to ranges, addresses, ASNs and serials. All
//! numbers begin at 0. `reach` has checked that what is asked for exists.

use super::input::Menu;
use crate::allocation::{End, Ledger, Made, Pool, Step, Terms, serial as serial_of};
use ipnet::Ipv4Net;
use placemat_spec::document::At;
use std::net::Ipv4Addr;

/// `ToR`s of a rack.
pub const TORS: u32 = 2;
/// Ranges of a rack: loopbacks of its servers, and a segment for each `ToR`.
pub const RANGES: u32 = 3;
/// Number of the `ToR`'s address in its segment.
pub const TOR_SEAT: u32 = 1;
/// Number of the boot server's address in each range of its rack.
pub const BOOT_SEAT: u32 = 3;
/// Number of the first other server's address in each range of its rack.
pub const FIRST_SEAT: u32 = 4;
/// Addresses of the BMC pool before the spines': the pool's own and the bridge's.
pub const BMC_RESERVED: u32 = 2;

/// The two ends of a point-to-point link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkEnds {
    /// The end at the machine that is nearer to the core.
    pub upper: Ipv4Net,
    /// The other.
    pub lower: Ipv4Net,
}

/// Knows every address. Each is the sum of its [`Terms`], which are kept where somebody wants to know.
#[derive(Debug, Clone)]
pub struct Allocation<'a> {
    menu: &'a Menu,
    racks: u32,
    ledger: Ledger,
}

impl<'a> Allocation<'a> {
    /// For a menu whose ranges reach.
    pub fn new(menu: &'a Menu) -> Self {
        Self {
            menu,
            racks: u32::try_from(menu.inventory.racks.len()).unwrap_or(u32::MAX),
            ledger: Ledger::default(),
        }
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

    /// ASN of the core.
    pub fn core_asn(&self) -> u32 {
        self.asn(Step::Fixed(-3, "core"))
    }

    /// ASN of all spines.
    pub fn spine_asn(&self) -> u32 {
        self.asn(Step::Fixed(-1, "spines"))
    }

    /// ASN of a rack.
    pub fn rack_asn(&self, rack: u32) -> u32 {
        self.asn(Step::times(1, "rack", rack))
    }

    fn asn(&self, step: Step) -> u32 {
        self.ledger.asn(self.menu.network.asn_base.value, &[step])
    }

    /// Range number `which` (0 to 2) of a rack.
    pub fn range(&self, rack: u32, which: u32) -> Ipv4Net {
        let mask = self.menu.network.ipam.range_mask.value;
        let first = self.in_range(rack, which, None);
        Ipv4Net::new_assert(first, u8::try_from(mask).unwrap_or(32))
    }

    /// A `ToR`'s address on the segment of its servers. `ToR`s are 0 and 1.
    pub fn tor(&self, rack: u32, tor: u32) -> Ipv4Net {
        let range = self.range(rack, tor + 1);
        let own = self.in_range(rack, tor + 1, Some(Step::Fixed(TOR_SEAT.into(), "ToR")));
        Ipv4Net::new_assert(own, range.prefix_len())
    }

    /// Address of the server on `seat` in range `which` of its rack.
    pub fn server(&self, rack: u32, which: u32, seat: u32) -> Ipv4Addr {
        self.in_range(rack, which, Some(Step::times(1, "seat", seat)))
    }

    fn in_range(&self, rack: u32, which: u32, own: Option<Step>) -> Ipv4Addr {
        let ipam = &self.menu.network.ipam;
        let pool = pool("node-ipv4-pool", ipam.node_pool);
        let size = 1_i128 << ipam.range_size.value;
        let mut steps = vec![
            Step::Fixed(ipam.node_offset.value.into(), "node-ipv4-offset"),
            Step::times(i128::from(RANGES) * size, "rack", rack),
            Step::times(size, "range", which),
        ];
        steps.extend(own);
        self.ledger.v4(pool, &steps)
    }

    /// What the boot server of a rack announces to the outside.
    pub fn bastion(&self, rack: u32) -> Ipv4Net {
        let bastion = pool("exposed.bastion", self.menu.network.exposed.bastion);
        host(self.ledger.v4(bastion, &[Step::times(1, "rack", rack)]))
    }

    /// The link between the core and a spine.
    pub fn core_link(&self, spine: u32) -> LinkEnds {
        let base = pool("core-spine", self.menu.network.core_spine);
        let spine = Step::after_first(2, "spine", spine + 1);
        let end = |end| self.on(base, &[spine, Step::end(end)]);
        LinkEnds {
            upper: end(End::Upper),
            lower: end(End::Lower),
        }
    }

    /// The link between a spine and a `ToR`.
    pub fn fabric_link(&self, spine: u32, rack: u32, tor: u32) -> LinkEnds {
        let base = Pool {
            key: "spine-tor",
            prefix: host(self.menu.network.spine_tor.value),
        };
        let of_spine = Step::after_first(2 * TORS * self.racks, "spine", spine + 1);
        let of_rack = Step::times(2 * TORS, "rack", rack);
        let tor = Step::after_first(2, "ToR", tor + 1);
        let end = |end| {
            let address = self
                .ledger
                .v4(base, &[of_spine, of_rack, tor, Step::end(end)]);
            Ipv4Net::new_assert(address, 31)
        };
        LinkEnds {
            upper: end(End::Upper),
            lower: end(End::Lower),
        }
    }

    /// The host's address on the network `internet`, which is the way out.
    pub fn internet_host(&self) -> Ipv4Net {
        self.on(self.internet(), &[Step::Fixed(1, "host")])
    }

    /// The core's address there.
    pub fn internet_core(&self) -> Ipv4Net {
        self.on(self.internet(), &[Step::Fixed(2, "core")])
    }

    fn internet(&self) -> Pool<Ipv4Net> {
        pool("internet", self.menu.network.internet)
    }

    /// The link between the core and `external`.
    pub fn external(&self) -> LinkEnds {
        self.client(pool("core-external", self.menu.network.core_external))
    }

    /// The link between the core and `operation`.
    pub fn operation(&self) -> LinkEnds {
        self.client(pool("core-operation", self.menu.network.core_operation))
    }

    fn client(&self, net: Pool<Ipv4Net>) -> LinkEnds {
        LinkEnds {
            upper: self.on(net, &[Step::Fixed(1, "core")]),
            lower: self.on(net, &[Step::Fixed(2, "client")]),
        }
    }

    /// The host's address on the BMC network.
    pub fn bmc_host(&self) -> Ipv4Net {
        self.on(self.bmcs(), &[Step::Fixed(1, "host")])
    }

    /// A spine's address on the BMC network.
    pub fn bmc_spine(&self, spine: u32) -> Ipv4Net {
        let reserved = Step::Fixed(BMC_RESERVED.into(), "reserved");
        let spine = Step::after_first(1, "spine", spine + 1);
        self.on(self.bmcs(), &[reserved, spine])
    }

    fn bmcs(&self) -> Pool<Ipv4Net> {
        pool("bmc-ipv4-pool", self.menu.network.ipam.bmc_pool)
    }

    /// The proxy's address, on the core.
    pub fn proxy(&self) -> Option<Ipv4Net> {
        let proxy = self.menu.network.proxy?;
        let given = Pool {
            key: "proxy",
            prefix: host(proxy.value),
        };
        Some(self.on(given, &[]))
    }

    /// The two addresses of the time server, and the core's on the same network.
    pub fn ntp(&self) -> Option<([Ipv4Net; 2], Ipv4Net)> {
        let net = pool("ntp", self.menu.network.ntp?);
        let on = |n, own| self.on(net, &[Step::Fixed(n, own)]);
        let servers = [on(1, "time server"), on(2, "time server")];
        Some((servers, on(3, "core")))
    }

    /// An address of a prefix, with its length.
    fn on(&self, pool: Pool<Ipv4Net>, steps: &[Step]) -> Ipv4Net {
        Ipv4Net::new_assert(self.ledger.v4(pool, steps), pool.prefix.prefix_len())
    }
}

/// A prefix of the menu, by its key.
fn pool(key: &'static str, prefix: At<Ipv4Net>) -> Pool<Ipv4Net> {
    Pool {
        key,
        prefix: prefix.value,
    }
}

/// SMBIOS serial of a server: the hex SHA-1 of its full name.
pub fn serial(name: &str) -> String {
    serial_of(name)
}

fn host(address: Ipv4Addr) -> Ipv4Net {
    Ipv4Net::new_assert(address, 32)
}
