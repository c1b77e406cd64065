//! Whether pools, ranges, networks and services keep clear of each other.

use crate::rack::{DataCenter, Pool};
use ipnet::{IpNet, Ipv4Net};
use placemat_spec::{Place, Problem};

/// What takes up addresses.
struct Claim {
    /// How messages call it.
    what: String,
    prefix: IpNet,
    /// None of a default pool.
    place: Option<Place>,
}

pub(super) fn check(dc: &DataCenter) -> Vec<Problem> {
    let claims = claims(dc);
    let mut problems = Vec::new();
    for (i, claim) in claims.iter().enumerate() {
        for other in &claims[..i] {
            if !claim.prefix.contains(&other.prefix) && !other.prefix.contains(&claim.prefix) {
                continue;
            }
            let message = format!(
                "{} {} overlaps {} {}",
                claim.what, claim.prefix, other.what, other.prefix
            );
            let mut problem = Problem::new("pools-overlap", message);
            // The defaults do not overlap, so at least one of the two has a place.
            for claim in [claim, other] {
                problem = match claim.place {
                    Some(place) => problem.at(place, claim.what.clone()),
                    None => problem.help(format!(
                        "{} is the default of {}: give it a prefix of its own",
                        claim.prefix, claim.what
                    )),
                };
            }
            problems.push(problem);
        }
    }
    problems
}

/// Everything in use; a pool that is named counts as such.
fn claims(dc: &DataCenter) -> Vec<Claim> {
    fn pool<Net: Into<IpNet>>(key: &str, pool: Pool<Net>, in_use: bool) -> Option<Claim> {
        (in_use || pool.place.is_some()).then(|| Claim {
            what: format!("pool `{key}`"),
            prefix: pool.prefix.into(),
            place: pool.place,
        })
    }
    let pools = &dc.pools;
    let of_pools = [
        pool("node", pools.node, true),
        pool("fabric", pools.fabric, true),
        pool("loopback", pools.loopback, true),
        pool("bmc", pools.bmc, true),
        pool("pods", pools.pods, dc.pods > 0),
        pool("core", pools.core, dc.core.is_some()),
        pool("ipv6", pools.ipv6, dc.has_ipv6()),
    ];
    let exposed = dc.exposed.iter().map(|range| Claim {
        what: format!("range `{}`", range.name),
        prefix: range.prefix,
        place: Some(range.place),
    });
    let core = dc.core.iter().flat_map(|core| {
        let networks = core.networks().map(|(key, net)| ("network", key, net));
        let services = core
            .services()
            .map(|(key, address)| ("address", key, Ipv4Net::from(address)));
        networks.chain(services).map(|(what, key, prefix)| Claim {
            what: format!("{what} `{key}`"),
            prefix: IpNet::from(prefix),
            place: core.place(key),
        })
    });
    of_pools
        .into_iter()
        .flatten()
        .chain(exposed)
        .chain(core)
        .collect()
}
