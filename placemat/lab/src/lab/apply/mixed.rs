//! What a lab is made from after a change of which some failed: the new files, but for what failed, which is as it was and
//! has only the interfaces that are there. Pure.

use crate::blueprint::Blueprint;
use crate::plan::{Plan, ends};
use indexmap::IndexMap;
use placemat_spec::resource::{Interface, Name};
use placemat_spec::selector::{Target, TargetKind};
use std::collections::{BTreeMap, HashSet};

pub(super) fn mixed(
    old: &Blueprint,
    new: &Blueprint,
    failed: &BTreeMap<Target, String>,
    there: &Plan,
) -> Blueprint {
    if failed.is_empty() {
        return new.clone();
    }
    let mut cluster = (*new.cluster).clone();
    let mut plugged: HashSet<(&Target, &str, &str)> = HashSet::new();
    for pair in &there.pairs {
        plugged.extend(ends(pair).map(|end| (&end.target, &*end.interface, &*pair.network)));
    }
    let wired = |target: &Target, interfaces: &mut Vec<Interface>| {
        interfaces.retain(|it| plugged.contains(&(target, &*it.name, &*it.network)));
    };
    let mut as_before = Vec::new();
    for target in failed.keys() {
        let name = &target.name;
        if let Some(router) = old.cluster.routers.get(name) {
            as_before.extend(router.bird.iter().map(|bird| bird.config.clone()));
            as_before.extend(router.init_scripts.iter().cloned());
        }
        if let Some(server) = old.cluster.boot_servers.get(name) {
            as_before.extend(server.bird.iter().map(|bird| bird.config.clone()));
        }
        match target.kind {
            TargetKind::Network => revert(&mut cluster.networks, &old.cluster.networks, name),
            TargetKind::Router => {
                revert(&mut cluster.routers, &old.cluster.routers, name);
                if let Some(router) = cluster.routers.get_mut(name) {
                    wired(target, &mut router.interfaces);
                }
            }
            TargetKind::BootServer => {
                revert(&mut cluster.boot_servers, &old.cluster.boot_servers, name);
                if let Some(server) = cluster.boot_servers.get_mut(name) {
                    wired(target, &mut server.interfaces);
                }
            }
            TargetKind::Node => revert(&mut cluster.nodes, &old.cluster.nodes, name),
            TargetKind::Feed | TargetKind::Pdu | TargetKind::Hub => {}
        }
    }
    Blueprint::mixed(cluster, new, old, &as_before)
}

fn revert<T: Clone>(to: &mut IndexMap<Name, T>, from: &IndexMap<Name, T>, name: &str) {
    match from.get(name) {
        Some(was) => {
            to.insert(name.to_owned(), was.clone());
        }
        None => {
            to.shift_remove(name);
        }
    }
}
