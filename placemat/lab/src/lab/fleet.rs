//! What a lab has at the moment, and what it is made from.

use super::build::{Sites, Units};
use super::machine::Qemu;
use crate::blueprint::Blueprint;
use crate::image::Images;
use crate::oci;
use crate::server::Server;
use indexmap::IndexMap;
use placemat_spec::Cluster;
use placemat_spec::resource::Name;
use placemat_spec::selector::{Target, TargetKind};
use std::collections::HashMap;
use std::sync::Arc;

/// What a change of the lab replaces, piece by piece.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) blueprint: Blueprint,
    pub(super) units: Units,
    pub(super) servers: IndexMap<Name, Server>,
    pub(super) sites: Sites,
    pub(super) qemu: Option<Qemu>,
    /// Held for as long as disks may lie over them.
    pub(super) images: Vec<Arc<Images>>,
    /// Held for as long as containers may run on them.
    pub(super) oci: Vec<oci::Images>,
    /// What boot servers hand out for `placemat ssh`; empty until there is one.
    pub(super) authorized_keys: String,
}

impl Fleet {
    /// Takes out what is gone.
    pub(super) fn remove(&mut self, target: &Target) {
        self.units.shift_remove(target);
        self.sites.remove(target);
        if target.kind == TargetKind::Node {
            self.servers.shift_remove(&target.name);
        }
    }

    /// Puts everything in the order of the files.
    pub(super) fn sort_as(&mut self, cluster: &Cluster) {
        let of = |kind: TargetKind, name: &Name| Target::new(kind, name);
        let routers = cluster.routers.keys().map(|it| of(TargetKind::Router, it));
        let servers = cluster.boot_servers.keys();
        let servers = servers.map(|it| of(TargetKind::BootServer, it));
        let nodes = cluster.nodes.keys().map(|it| of(TargetKind::Node, it));
        let order: HashMap<Target, usize> = routers
            .chain(servers)
            .chain(nodes)
            .enumerate()
            .map(|(index, target)| (target, index))
            .collect();
        let place = |target: &Target| order.get(target).copied().unwrap_or(usize::MAX);
        self.units.sort_by_key(|target, _| place(target));
        self.servers
            .sort_by_key(|name, _| place(&of(TargetKind::Node, name)));
    }
}
