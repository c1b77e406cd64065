//! From cluster to units and servers, none of them with power yet.

use super::LabError;
use super::boot;
use super::machine::Qemu;
use super::router;
use super::storage::Keepsakes;
use crate::blueprint::{Blueprint, Contents};
use crate::boot::BootSite;
use crate::event::EventBus;
use crate::image::Images;
use crate::machine::Announcement;
use crate::server::{Body, BootTrack, MockBody, Server};
use crate::unit::{Unit, UnitRoot, UnitSpec};
use crate::wiring::Wiring;
use indexmap::IndexMap;
use placemat_host::cgroup::Tree;
use placemat_spec::Cluster;
use placemat_spec::resource::{
    App, Bird, BootServer, ImageSource, Name, Node, NodeIndex, Readiness, Router, Tier,
};
use placemat_spec::selector::{Target, TargetKind};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Units by what they are.
pub(super) type Units = IndexMap<Target, Unit>;
/// What boot servers offer, by boot server.
pub(super) type Sites = HashMap<Target, Arc<BootSite>>;

/// Boot tracks of servers by name. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracks {
    by_name: Arc<RwLock<HashMap<Name, BootTrack>>>,
}

impl Tracks {
    pub(super) fn get(&self, name: &str) -> Option<BootTrack> {
        let tracks = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        tracks.get(name).cloned()
    }

    /// The track of a server, from its first boot on.
    fn of(&self, name: &str, bus: &EventBus) -> BootTrack {
        let mut tracks = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let new = || BootTrack::new(format!("node/{name}"), bus.clone());
        tracks.entry(name.to_owned()).or_insert_with(new).clone()
    }
}

/// Where units have their `/run`, on the lab's tmpfs.
const UNITS_DIR: &str = "/run/unit";

/// What everything that is built shares.
pub(super) struct Workshop {
    pub(super) blueprint: Blueprint,
    pub(super) cluster: Arc<Cluster>,
    pub(super) wiring: Arc<Wiring>,
    pub(super) bus: EventBus,
    pub(super) run_dir: PathBuf,
    pub(super) data_dir: PathBuf,
    pub(super) tasks: TaskTracker,
    pub(super) cancel: CancellationToken,
    pub(super) tracks: Tracks,
    /// Where what guests announce goes.
    pub(super) announced: mpsc::Sender<Announcement>,
    pub(super) qemu: Option<Qemu>,
    pub(super) images: Arc<Images>,
    pub(super) keepsakes: Arc<Keepsakes>,
    pub(super) oci: crate::oci::Images,
    /// Whom servers let in by SSH; empty where no boot server could tell them.
    pub(super) authorized_keys: String,
    pub(super) groups: Option<Tree>,
}

impl Workshop {
    pub(super) fn hub(&self) -> Unit {
        self.unit(UnitSpec::new(
            Target {
                kind: TargetKind::Hub,
                name: "hub".into(),
            },
            UnitRoot::Host,
        ))
    }

    pub(super) fn units(&self) -> Result<(Units, Sites), LabError> {
        let mut units = IndexMap::new();
        let mut sites = HashMap::new();
        for router in self.cluster.routers.values() {
            let unit = self.unit(self.router_spec(router)?);
            units.insert(unit.target().clone(), unit);
        }
        let index = NodeIndex::of(&self.cluster);
        for boot_server in self.cluster.boot_servers.values() {
            let site = self.new_site(boot_server, &index)?;
            let unit = self.unit(self.boot_server_spec(boot_server, &site)?);
            sites.insert(unit.target().clone(), site);
            units.insert(unit.target().clone(), unit);
        }
        for node in self
            .cluster
            .nodes
            .values()
            .filter(|node| node.tier == Tier::Netns)
        {
            let unit = self.unit(self.node_spec(node)?);
            units.insert(unit.target().clone(), unit);
        }
        Ok((units, sites))
    }

    pub(super) fn servers(&self, units: &Units) -> Result<IndexMap<Name, Server>, LabError> {
        let mut servers = IndexMap::new();
        for node in self.cluster.nodes.values() {
            let unit = units.get(&Target::new(TargetKind::Node, &node.name));
            servers.insert(node.name.clone(), self.server(node, unit.cloned())?);
        }
        Ok(servers)
    }

    /// A server; `unit` is what is in one of tier `netns`.
    pub(super) fn server(&self, node: &Node, unit: Option<Unit>) -> Result<Server, LabError> {
        let track = self.tracks.of(&node.name, &self.bus);
        let retired = self.cancel.child_token();
        let body = match (node.tier, unit) {
            (Tier::Full | Tier::Kernel, _) => Body::Machine(self.machine(node, &track, &retired)?),
            (Tier::Netns, Some(unit)) => Body::Unit {
                unit,
                track: track.clone(),
            },
            (Tier::Netns, None) => {
                return Err(LabError(format!("node/{}: its unit is missing", node.name)));
            }
            (Tier::Mock, _) => Body::Mock(MockBody::new(track.clone())),
        };
        Server::new(node.clone(), body, track, self.cluster.dialect, retired).map_err(LabError)
    }

    pub(super) fn new_site(
        &self,
        boot_server: &BootServer,
        index: &NodeIndex<'_>,
    ) -> Result<Arc<BootSite>, LabError> {
        let site = BootSite::new(self.site(boot_server, index)?, self.cancel.child_token());
        site.set_fault(boot_server.faults.http);
        Ok(Arc::new(site))
    }

    pub(super) fn router_spec(&self, router: &Router) -> Result<UnitSpec, LabError> {
        router::spec(
            router,
            &self.blueprint,
            &self.oci,
            self.groups.as_ref(),
            &|folder| self.folder_path(folder),
        )
    }

    pub(super) fn boot_server_spec(
        &self,
        boot_server: &BootServer,
        site: &Arc<BootSite>,
    ) -> Result<UnitSpec, LabError> {
        boot::unit_spec(boot_server, &self.blueprint, site, &self.tracks, &self.bus)
    }

    pub(super) fn unit(&self, spec: UnitSpec) -> Unit {
        let folder = format!("{}-{}", spec.target.kind, spec.target.name);
        Unit::new(
            spec,
            self.wiring.clone(),
            self.bus.clone(),
            Path::new(UNITS_DIR).join(&folder),
            self.run_dir.join("logs").join(&folder),
            self.tasks.clone(),
        )
    }

    pub(super) fn node_spec(&self, node: &Node) -> Result<UnitSpec, LabError> {
        let image = node
            .image
            .as_ref()
            .and_then(|image| self.cluster.images.get(image));
        let Some(ImageSource::Bundle(bundle)) = image.map(|image| &image.source) else {
            return Err(LabError(format!(
                "node/{}: tier netns needs an image bundle",
                node.name
            )));
        };
        let target = Target {
            kind: TargetKind::Node,
            name: node.name.clone(),
        };
        let ready = ["/bin/sh", "-c", "test -S /run/bird/bird.ctl"];
        Ok(UnitSpec {
            apps: vec![App {
                env: BTreeMap::from([("PLACEMAT_SERIAL".to_owned(), node.smbios.serial.clone())]),
                ready: Some(Readiness {
                    command: ready.map(str::to_owned).to_vec(),
                    interval: Duration::from_millis(50),
                    timeout: Duration::from_secs(300),
                }),
                ..App::new("services", &["/sbin/placemat-node"], node.place)
            }],
            ..UnitSpec::new(target, UnitRoot::Tree(bundle.join("rootfs")))
        })
    }
}

/// The configuration is copied: the unit sees none of the directories it may lie in.
pub(super) fn bird_file(bird: &Bird, of: &Blueprint) -> (PathBuf, Contents) {
    (crate::unit::BIRD_CONFIG.into(), of.bird(bird))
}
