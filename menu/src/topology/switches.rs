//! Spines and super-spines, and the links above them.

use super::build::{pods, racks, tors};
use super::links::{Peer, interfaces, sessions};
use super::{PeerKind, Role, Router, Session, Speaker, core, fabric};
use crate::allocation::{Addresses, Allocation, LinkEnds, Switch};
use crate::rack::DataCenter;

pub(super) fn switch_name(switch: Switch) -> String {
    match switch {
        Switch::Spine(spine) => format!("spine-{spine}"),
        Switch::PodSpine(pod, spine) => format!("pod{pod}-spine-{spine}"),
        Switch::SuperSpine(number) => format!("super-spine-{number}"),
    }
}

/// The link between a super-spine and a spine of a pod.
pub(super) fn pod_link_name(super_spine: u32, pod: u32, spine: u32) -> String {
    format!("x{super_spine}-p{pod}s{spine}")
}

/// The spine of a rack with this number.
pub(super) fn spine_of(dc: &DataCenter, rack: u32, spine: u32) -> Switch {
    match dc.pod(rack) {
        Some(pod) => Switch::PodSpine(pod, spine),
        None => Switch::Spine(spine),
    }
}

/// What the core is linked to.
pub(super) fn top(dc: &DataCenter) -> impl Iterator<Item = (u32, Switch)> + use<> {
    let (count, switch): (u32, fn(u32) -> Switch) = match dc.pods {
        0 => (dc.spines, Switch::Spine),
        _ => (dc.super_spines, Switch::SuperSpine),
    };
    (1..=count).map(move |number| (number, switch(number)))
}

/// Super-spines, then spines, pod by pod.
pub(super) fn all(dc: &DataCenter, allocation: &Allocation) -> Vec<Router> {
    let supers = (1..=dc.super_spines).map(|number| super_spine(dc, allocation, number));
    let of_pods = pods(dc).flat_map(|pod| (1..=dc.spines).map(move |spine| (Some(pod), spine)));
    let alone = (1..=dc.spines).filter(|_| dc.pods == 0);
    let spines = alone
        .map(|spine| (None, spine))
        .chain(of_pods)
        .map(|(pod, number)| spine(dc, allocation, pod, number));
    supers.chain(spines).collect()
}

/// One link of a switch.
struct Link {
    network: String,
    peer: Peer,
    local: Addresses,
    neighbor: Addresses,
}

fn super_spine(dc: &DataCenter, allocation: &Allocation, number: u32) -> Router {
    let own = Switch::SuperSpine(number);
    let below = pods(dc).flat_map(|pod| {
        (1..=dc.spines).map(move |spine| {
            let switch = Switch::PodSpine(pod, spine);
            let LinkEnds { upper, lower } = allocation.pod_link(number, pod, spine);
            Link {
                network: pod_link_name(number, pod, spine),
                peer: Peer {
                    name: switch_name(switch),
                    kind: PeerKind::Spine,
                    asn: allocation.switch_asn(switch),
                },
                local: upper,
                neighbor: lower,
            }
        })
    });
    let links = core_link(dc, allocation, number).into_iter().chain(below);
    router(dc, allocation, own, links.collect())
}

fn spine(dc: &DataCenter, allocation: &Allocation, pod: Option<u32>, number: u32) -> Router {
    let (own, above): (Switch, Vec<Link>) = match pod {
        None => (
            Switch::Spine(number),
            core_link(dc, allocation, number).into_iter().collect(),
        ),
        Some(pod) => {
            let supers = (1..=dc.super_spines).map(|super_spine| {
                let switch = Switch::SuperSpine(super_spine);
                let LinkEnds { upper, lower } = allocation.pod_link(super_spine, pod, number);
                Link {
                    network: pod_link_name(super_spine, pod, number),
                    peer: Peer {
                        name: switch_name(switch),
                        kind: PeerKind::SuperSpine,
                        asn: allocation.switch_asn(switch),
                    },
                    local: lower,
                    neighbor: upper,
                }
            });
            (Switch::PodSpine(pod, number), supers.collect())
        }
    };
    let below = racks(dc)
        .filter(|rack| dc.pod(*rack) == pod)
        .flat_map(|rack| {
            tors(dc, rack).map(move |tor| {
                let LinkEnds { upper, lower } = allocation.fabric_link(number, rack, tor);
                Link {
                    network: fabric::link_name(number, rack, tor),
                    peer: Peer {
                        name: fabric::tor_name(rack, tor),
                        kind: PeerKind::Tor,
                        asn: allocation.tor_asn(rack, tor),
                    },
                    local: upper,
                    neighbor: lower,
                }
            })
        });
    let links = above.into_iter().chain(below).collect();
    router(dc, allocation, own, links)
}

/// The link of a switch at the top to the core.
fn core_link(dc: &DataCenter, allocation: &Allocation, number: u32) -> Option<Link> {
    dc.core.as_ref()?;
    let LinkEnds { upper, lower } = allocation.core_link(number);
    Some(Link {
        network: core::link_name(dc, number),
        peer: Peer {
            name: core::NAME.into(),
            kind: PeerKind::Core,
            asn: allocation.core_asn(),
        },
        local: lower,
        neighbor: upper,
    })
}

fn router(dc: &DataCenter, allocation: &Allocation, own: Switch, links: Vec<Link>) -> Router {
    let (role, pod) = match own {
        Switch::Spine(_) => (Role::Spine, None),
        Switch::PodSpine(pod, _) => (Role::Spine, Some(pod)),
        Switch::SuperSpine(_) => (Role::SuperSpine, None),
    };
    let sessions: Vec<Session> = links
        .iter()
        .flat_map(|link| sessions(dc, &link.peer, link.local, link.neighbor))
        .collect();
    let to_core = links.iter().any(|link| link.peer.kind == PeerKind::Core);
    Router {
        speaker: Speaker {
            name: switch_name(own),
            asn: allocation.switch_asn(own),
            loopback: allocation.switch_loopback(own),
            loopback6: allocation.switch_loopback6(own),
            addresses: Vec::new(),
            sessions,
        },
        role,
        rack: None,
        pod,
        interfaces: interfaces(links.into_iter().map(|link| (link.network, link.local))),
        segment: None,
        gateways: Vec::new(),
        aggregates: if to_core {
            core::aggregates(dc)
        } else {
            Vec::new()
        },
        announced: Vec::new(),
        init_scripts: Vec::new(),
        apps: Vec::new(),
    }
}
