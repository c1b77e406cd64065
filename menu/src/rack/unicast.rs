//! What no machine can have for an address: prefixes that are set apart, of which a rack spec may name
//! none. A lab would come up, and packets go nowhere.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use placemat_spec::document::Item;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A prefix that is set apart.
struct Apart {
    prefix: IpNet,
    /// What it is for.
    what: &'static str,
    /// Where that is said.
    rfc: &'static str,
}

const fn v4(first: u8, second: u8, len: u8, what: &'static str, rfc: &'static str) -> Apart {
    let prefix = Ipv4Net::new_assert(Ipv4Addr::new(first, second, 0, 0), len);
    Apart {
        prefix: IpNet::V4(prefix),
        what,
        rfc,
    }
}

const fn v6(first: u16, sixth: u16, len: u8, what: &'static str, rfc: &'static str) -> Apart {
    let prefix = Ipv6Net::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, sixth, 0, 0), len);
    Apart {
        prefix: IpNet::V6(prefix),
        what,
        rfc,
    }
}

const APART: [Apart; 9] = [
    v4(0, 0, 8, "\"this network\"", "RFC 6890, table 1"),
    v4(127, 0, 8, "loopback", "RFC 6890, table 4"),
    v4(169, 254, 16, "link-local", "RFC 6890, table 5"),
    v4(224, 0, 4, "multicast", "RFC 5771"),
    v4(240, 0, 4, "reserved", "RFC 6890, table 15"),
    v6(
        0,
        0,
        96,
        "unspecified, loopback and IPv4-compatible",
        "RFC 4291, section 2.5",
    ),
    v6(0, 0xffff, 96, "IPv4-mapped", "RFC 4291, section 2.5.5.2"),
    v6(0xfe80, 0, 10, "link-local", "RFC 4291, section 2.5.6"),
    v6(0xff00, 0, 8, "multicast", "RFC 4291, section 2.7"),
];

/// Whether machines can have addresses of a prefix; what is no unicast prefix is reported.
pub(super) fn usable(item: &Item, prefix: IpNet) -> bool {
    let overlaps =
        |apart: &&Apart| apart.prefix.contains(&prefix) || prefix.contains(&apart.prefix);
    let Some(apart) = APART.iter().find(overlaps) else {
        return true;
    };
    let other = if prefix.addr().is_ipv4() {
        "private ones are in 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918)"
    } else {
        "private ones are in fd00::/8 (RFC 4193)"
    };
    item.findings().error(
        item.problem(
            "not-unicast",
            "is not for the addresses of machines",
            apart.what,
        )
        .help(format!(
            "{} is {} ({}); {other}",
            apart.prefix, apart.what, apart.rfc
        )),
    );
    false
}
