//! `core:` and `exposed:`: the router above the fabric, what lies behind it, and what it is told of.

use super::{Family, pools, unicast};
use ipnet::{IpNet, Ipv4Net};
use placemat_spec::document::{Fields, Item};
use placemat_spec::{Place, Problem};
use std::net::{IpAddr, Ipv4Addr};

/// The core router. Networks and services are there where they are named.
#[derive(Debug, Clone, Default)]
pub struct Core {
    /// The way out to the host's network, behind NAT.
    pub internet: Option<Ipv4Net>,
    /// A network outside of the data center.
    pub external: Option<Ipv4Net>,
    /// Where operators sit.
    pub operation: Option<Ipv4Net>,
    /// Address of the HTTP proxy.
    pub proxy: Option<Ipv4Addr>,
    /// Address of the NTP server.
    pub ntp: Option<Ipv4Addr>,
    /// Whether proxy and NTP server run on it; else they are addresses for what the user runs.
    pub runs_services: bool,
    /// Where each key stands.
    pub places: Vec<(&'static str, Place)>,
}

impl Core {
    /// Networks behind it with their keys, in the order of its interfaces.
    pub fn networks(&self) -> impl Iterator<Item = (&'static str, Ipv4Net)> {
        [
            ("internet", self.internet),
            ("external", self.external),
            ("operation", self.operation),
        ]
        .into_iter()
        .filter_map(|(key, net)| Some((key, net?)))
    }

    /// Addresses of its services with their keys.
    pub fn services(&self) -> impl Iterator<Item = (&'static str, Ipv4Addr)> {
        [("proxy", self.proxy), ("ntp", self.ntp)]
            .into_iter()
            .filter_map(|(key, address)| Some((key, address?)))
    }

    /// Where a key stands.
    pub fn place(&self, key: &str) -> Option<Place> {
        let found = self.places.iter().find(|(name, _)| *name == key);
        found.map(|(_, place)| *place)
    }
}

/// A range that machines announce addresses of, and that the core is told of as a whole.
#[derive(Debug, Clone)]
pub struct Exposed {
    /// Its key: `load-balancer`, `bastion`, `egress` or `global`, of IPv6 with a `6` behind it.
    pub name: &'static str,
    /// All of it.
    pub prefix: IpNet,
    /// Where it stands.
    pub place: Place,
}

/// Most hosts on a network that is no link, and fewest.
const NETWORK_LENGTHS: std::ops::RangeInclusive<u8> = 8..=29;

/// Whether services run.
const SERVICES: [(&str, bool); 2] = [("address", false), ("run", true)];

pub(super) fn core(fields: &mut Fields) -> Option<Core> {
    let mut fields = fields.opt("core")?.fields()?;
    let mut core = Core::default();
    let mut places = Vec::new();
    for (key, net) in [
        ("internet", &mut core.internet),
        ("external", &mut core.external),
        ("operation", &mut core.operation),
    ] {
        let Some((prefix, place)) = fields.opt(key).and_then(|it| network(&it)) else {
            continue;
        };
        *net = Some(prefix);
        places.push((key, place));
    }
    for (key, address) in [("proxy", &mut core.proxy), ("ntp", &mut core.ntp)] {
        let Some(item) = fields.opt(key) else {
            continue;
        };
        let wanted = "an IPv4 address such as `10.75.3.1`";
        let given = item.parse("bad-address", wanted, |text| {
            text.parse::<Ipv4Addr>().map_err(|_| "not an IPv4 address")
        });
        let given = given.filter(|given| unicast::usable(&item, IpAddr::from(given.value).into()));
        if let Some(given) = given {
            *address = Some(given.value);
            places.push((key, given.place));
        }
    }
    let at = fields.key_place("services");
    let services = fields.opt("services");
    let services = services.and_then(|it| it.choice(&SERVICES));
    core.runs_services = services.is_some_and(|it| it.value);
    if let (true, None, None, Some(at)) = (core.runs_services, core.proxy, core.ntp, at) {
        fields.findings().error(
            Problem::new("no-services", "the core has no service to run")
                .at(at, "nothing to run")
                .help("add the address of one: `proxy: 10.75.3.1`, `ntp: 10.75.3.2`"),
        );
    }
    fields.finish();
    core.places = places;
    Some(core)
}

/// A prefix with room for a router at each end.
fn network(item: &Item) -> Option<(Ipv4Net, Place)> {
    let (prefix, place) = pools::prefix(item)?;
    if NETWORK_LENGTHS.contains(&prefix.prefix_len()) {
        return Some((prefix, place));
    }
    let message = format!("cannot be a /{}", prefix.prefix_len());
    item.findings().error(
        item.problem("bad-network", &message, "not a network of hosts")
            .help("a network of hosts is a /8 to a /29"),
    );
    None
}

/// `has_core`: whether there is anybody to tell.
pub(super) fn exposed(fields: &mut Fields, has_core: bool, family: Family) -> Vec<Exposed> {
    let Some(item) = fields.opt("exposed") else {
        return Vec::new();
    };
    if !has_core && item.tree().as_map().is_some() {
        item.findings().error(
            item.problem("no-core", "needs a core", "nobody to expose them to")
                .help("add `core: {}`, or networks behind it"),
        );
    }
    let Some(mut fields) = item.fields() else {
        return Vec::new();
    };
    let mut exposed = Vec::new();
    for name in ["load-balancer", "bastion", "egress", "global"] {
        let Some((prefix, place)) = fields.opt(name).and_then(|it| pools::prefix(&it)) else {
            continue;
        };
        exposed.push(Exposed {
            name,
            prefix: prefix.into(),
            place,
        });
    }
    for name in ["load-balancer6", "bastion6", "egress6", "global6"] {
        let Some(item) = fields.opt(name) else {
            continue;
        };
        if family == Family::Ipv4 {
            item.findings().error(
                item.problem("no-ipv6", "needs IPv6", "of no use here")
                    .help("add `family: dual` or `family: ipv6`"),
            );
        }
        if let Some((prefix, place)) = pools::prefix6(&item) {
            exposed.push(Exposed {
                name,
                prefix: prefix.into(),
                place,
            });
        }
    }
    fields.finish();
    exposed
}
