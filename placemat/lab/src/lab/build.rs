//! From cluster to units and servers, none of them with power yet.

use super::LabError;
use super::boot;
use super::machine::Qemu;
use super::router;
use super::storage::ClassLocks;
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
use placemat_spec::resource::{App, Bird, ImageSource, Name, Node, NodeIndex, Readiness, Tier};
use placemat_spec::selector::{Target, TargetKind};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Units by what they are.
pub(super) type Units = IndexMap<Target, Unit>;
/// What boot servers offer, by boot server.
pub(super) type Sites = HashMap<Target, Arc<BootSite>>;
/// Boot tracks of servers by name.
pub(super) type Tracks = Arc<HashMap<Name, BootTrack>>;

/// Where units have their `/run`, on the lab's tmpfs.
const UNITS_DIR: &str = "/run/unit";

/// What everything that is built shares.
pub(super) struct Workshop {
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
    pub(super) class_locks: Mutex<ClassLocks>,
    /// Data folders whose files are together.
    pub(super) made_folders: Mutex<HashSet<Name>>,
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
            let unit = self.unit(router::spec(
                router,
                &self.oci,
                self.groups.as_ref(),
                &|folder| self.folder_path(folder),
            )?);
            units.insert(unit.target().clone(), unit);
        }
        let index = NodeIndex::of(&self.cluster);
        for boot_server in self.cluster.boot_servers.values() {
            let site = self.site(boot_server, &index)?;
            let spec = boot::unit_spec(boot_server, &site, &self.tracks, &self.bus)?;
            let unit = self.unit(spec);
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
            let track = self.tracks[&node.name].clone();
            let target = Target::new(TargetKind::Node, &node.name);
            let body = match node.tier {
                Tier::Full | Tier::Kernel => Body::Machine(self.machine(node, &track)?),
                Tier::Netns => Body::Unit {
                    unit: units[&target].clone(),
                    track: track.clone(),
                },
                Tier::Mock => Body::Mock(MockBody::new(track.clone())),
            };
            let server =
                Server::new(node.clone(), body, track, self.cluster.dialect).map_err(LabError)?;
            servers.insert(node.name.clone(), server);
        }
        Ok(servers)
    }

    fn unit(&self, spec: UnitSpec) -> Unit {
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

    fn node_spec(&self, node: &Node) -> Result<UnitSpec, LabError> {
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
pub(super) fn bird_file(bird: &Bird) -> Result<(PathBuf, Vec<u8>), LabError> {
    let contents = std::fs::read(&bird.config)
        .map_err(|error| LabError(format!("read {}: {error}", bird.config.display())))?;
    Ok((crate::unit::BIRD_CONFIG.into(), contents))
}
