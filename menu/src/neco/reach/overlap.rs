//! No range may meet another.

use crate::neco::allocation::TORS;
use crate::neco::input::Menu;
use ipnet::Ipv4Net;
use placemat_spec::problem::Findings;
use placemat_spec::{Place, Problem};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

/// A stretch of addresses.
struct Used {
    /// Its key.
    key: &'static str,
    /// First and last address.
    range: RangeInclusive<u32>,
    /// Where it stands.
    place: Place,
}

/// Two that meet are an error; pods' addresses, which nothing here uses, a warning.
pub(super) fn check(menu: &Menu, findings: &Findings) {
    let all = used(menu);
    for (index, one) in all.iter().enumerate() {
        for other in &all[..index] {
            if one.range.start() > other.range.end() || other.range.start() > one.range.end() {
                continue;
            }
            let problem = Problem::new(
                "overlap",
                format!("`{}` and `{}` overlap", other.key, one.key),
            )
            .at(one.place, shown(one))
            .at(other.place, shown(other))
            .help("give each addresses of its own");
            match one.key {
                "pod" => findings.warning(problem),
                _ => findings.error(problem),
            }
        }
    }
}

fn shown(used: &Used) -> String {
    let [first, last] = [used.range.start(), used.range.end()].map(|it| Ipv4Addr::from(*it));
    if first == last {
        first.to_string()
    } else {
        format!("{first} to {last}")
    }
}

fn used(menu: &Menu) -> Vec<Used> {
    let (network, ipam) = (&menu.network, &menu.network.ipam);
    let spines = menu.inventory.spines.value;
    let racks = u32::try_from(menu.inventory.racks.len()).unwrap_or(u32::MAX);
    let net = |key, net: placemat_spec::document::At<Ipv4Net>| Used {
        key,
        range: net.network().into()..=net.broadcast().into(),
        place: net.place,
    };
    let counted = |key, first: u32, count: u32, place| Used {
        key,
        range: first..=first + (count - 1),
        place,
    };
    let exposed = &network.exposed;
    let core = u32::from(network.core_spine.network());
    let mut all = vec![
        net("node-ipv4-pool", ipam.node_pool),
        net("bmc-ipv4-pool", ipam.bmc_pool),
        net("internet", network.internet),
        counted(
            "spine-tor",
            network.spine_tor.value.into(),
            2 * TORS * racks * spines,
            network.spine_tor.place,
        ),
        counted("core-spine", core, 2 * spines, network.core_spine.place),
        net("core-external", network.core_external),
        net("core-operation", network.core_operation),
        net("loadbalancer", exposed.load_balancer),
        net("bastion", exposed.bastion),
        net("egress", exposed.egress),
        net("global", exposed.global),
    ];
    all.extend(
        network
            .proxy
            .map(|it| counted("proxy", it.value.into(), 1, it.place)),
    );
    all.extend(network.ntp.map(|it| net("ntp", it)));
    all.extend(network.pod.map(|it| net("pod", it)));
    all
}
