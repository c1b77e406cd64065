//! `pools:`: where addresses come from.

use super::unicast;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use placemat_spec::Place;
use placemat_spec::document::{Fields, Item};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Where addresses come from.
#[derive(Debug, Clone, Copy)]
pub struct Pools {
    /// Loopbacks and server segments of racks.
    pub node: Pool<Ipv4Net>,
    /// Point-to-point links below spines.
    pub fabric: Pool<Ipv4Net>,
    /// Loopbacks of spines and super-spines.
    pub loopback: Pool<Ipv4Net>,
    /// BMCs.
    pub bmc: Pool<Ipv4Net>,
    /// Point-to-point links between pods and super-spines.
    pub pods: Pool<Ipv4Net>,
    /// The core router's loopback and links.
    pub core: Pool<Ipv4Net>,
    /// Everything of IPv6.
    pub ipv6: Pool<Ipv6Net>,
}

/// One pool.
#[derive(Debug, Clone, Copy)]
pub struct Pool<Net> {
    /// All of it.
    pub prefix: Net,
    /// Where it stands; nowhere where it is the default.
    pub place: Option<Place>,
}

impl Pools {
    /// What a rack spec that does not name an IPv4 pool gets: room for 341 racks and 1,023 pods.
    pub fn default_prefix(key: &str) -> Ipv4Net {
        let (address, len) = match key {
            "node" => ([10, 69, 0, 0], 16),
            "fabric" => ([10, 70, 0, 0], 16),
            "loopback" => ([10, 71, 0, 0], 16),
            "bmc" => ([10, 72, 0, 0], 16),
            "pods" => ([10, 73, 0, 0], 16),
            _ => ([10, 74, 0, 0], 24),
        };
        Ipv4Net::new_assert(Ipv4Addr::from(address), len)
    }

    /// The same for IPv6, a unique local prefix (RFC 4193).
    pub fn default_ipv6() -> Ipv6Net {
        Ipv6Net::new_assert(Ipv6Addr::new(0xfd69, 0, 0, 0, 0, 0, 0, 0), 48)
    }
}

pub(super) fn pools(fields: &mut Fields) -> Pools {
    let mut given = fields.opt("pools").and_then(|it| it.fields());
    let ipv6 = given.as_mut().and_then(|pools| pools.opt("ipv6"));
    let ipv6 = ipv6.and_then(|it| prefix6(&it));
    let mut pool = |key: &'static str| {
        let given = given.as_mut().and_then(|pools| pools.opt(key));
        let given = given.and_then(|it| prefix(&it));
        Pool {
            prefix: given.map_or(Pools::default_prefix(key), |(prefix, _)| prefix),
            place: given.map(|(_, place)| place),
        }
    };
    let pools = Pools {
        node: pool("node"),
        fabric: pool("fabric"),
        loopback: pool("loopback"),
        bmc: pool("bmc"),
        pods: pool("pods"),
        core: pool("core"),
        ipv6: Pool {
            prefix: ipv6.map_or(Pools::default_ipv6(), |(prefix, _)| prefix),
            place: ipv6.map(|(_, place)| place),
        },
    };
    if let Some(given) = given {
        given.finish();
    }
    pools
}

const PREFIX: &str = "an IPv4 prefix such as `10.69.0.0/20`";
const PREFIX6: &str = "an IPv6 prefix such as `fd69::/48`";

/// An IPv4 prefix that machines can have addresses of, and where it stands.
pub(super) fn prefix(item: &Item) -> Option<(Ipv4Net, Place)> {
    let prefix = item.parse("bad-prefix", PREFIX, network::<Ipv4Net>)?;
    unicast::usable(item, prefix.value.into()).then_some((prefix.value, prefix.place))
}

/// The same of IPv6.
pub(super) fn prefix6(item: &Item) -> Option<(Ipv6Net, Place)> {
    let prefix = item.parse("bad-prefix", PREFIX6, network::<Ipv6Net>)?;
    unicast::usable(item, prefix.value.into()).then_some((prefix.value, prefix.place))
}

/// A prefix without host bits.
fn network<Net>(text: &str) -> Result<Net, String>
where
    Net: std::str::FromStr + Copy + Into<IpNet>,
{
    let family = std::any::type_name::<Net>();
    let family = if family.ends_with("Ipv6Net") {
        "IPv6"
    } else {
        "IPv4"
    };
    let prefix: Net = text
        .parse()
        .map_err(|_| format!("not an {family} prefix"))?;
    let whole: IpNet = prefix.into();
    if whole.trunc() == whole {
        Ok(prefix)
    } else {
        Err(format!("host bits are set: {} is meant?", whole.trunc()))
    }
}
