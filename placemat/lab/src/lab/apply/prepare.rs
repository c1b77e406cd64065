//! Everything that can fail before anything is touched: images, programs, files, what units are to be made of.

use super::super::Lab;
use super::super::build::Workshop;
use super::super::machine::find_qemu;
use super::super::start::authorized_keys;
use super::Compared;
use crate::blueprint::Blueprint;
use crate::boot::{BootSite, SiteSpec};
use crate::change::{Act, Changes, ObjectChange};
use crate::control::Proposal;
use crate::error::{ActError, chain};
use crate::image::{Images, Store, Wanted, Watch};
use crate::plan::Plan;
use crate::unit::UnitSpec;
use placemat_spec::resource::{NodeIndex, Tier};
use placemat_spec::selector::{Target, TargetKind};
use std::collections::HashMap;
use std::sync::Arc;

/// A change that is ready to be made.
pub(super) struct Prepared {
    pub(super) changes: Changes,
    pub(super) old: Blueprint,
    pub(super) new: Blueprint,
    pub(super) plan: Plan,
    pub(super) workshop: Arc<Workshop>,
    /// What routers, boot servers and namespace servers that come or change are made of.
    pub(super) specs: HashMap<Target, UnitSpec>,
    /// What every boot server offers from now on.
    pub(super) offers: HashMap<Target, SiteSpec>,
    /// Of boot servers that come, or serve elsewhere.
    pub(super) sites: HashMap<Target, Arc<BootSite>>,
}

/// Nobody watches: what was to be fetched was, before.
struct Silent;

impl Watch for Silent {
    fn note(&mut self, _: &str) {}
    fn begin(&mut self, _: &str, _: &str) {}
    fn progress(&mut self, _: u64, _: Option<u64>) {}
    fn end(&mut self) {}
}

/// The target that an object of a change is; `None` where it is none of those that run or hold links.
pub(super) fn target_of(object: &str) -> Option<Target> {
    let (kind, name) = object.split_once('/')?;
    let kind = match kind {
        "router" => TargetKind::Router,
        "boot-server" => TargetKind::BootServer,
        "node" => TargetKind::Node,
        "network" => TargetKind::Network,
        _ => return None,
    };
    Some(Target::new(kind, name))
}

impl Lab {
    pub(super) async fn prepare(
        &self,
        compared: Compared,
        proposal: &Proposal,
    ) -> Result<Prepared, ActError> {
        let failed = |why: String| ActError::failed(format!("{why}; nothing was changed"));
        let cluster = compared.blueprint.cluster.clone();
        let found = self.fleet().qemu.clone();
        let qemu = match found {
            Some(qemu) => Some(qemu),
            None => find_qemu(&cluster, &self.inner.options.cache_dir)
                .await
                .map_err(|error| failed(error.to_string()))?,
        };
        let store = Store::new(&proposal.cache_dir);
        let oci = crate::oci::Store::new(&proposal.cache_dir);
        let fetch = move || {
            let images = Images::fetch(&cluster, &store, Wanted::Used, &mut Silent);
            let images = images.map_err(|error| chain(&error))?;
            let oci = crate::oci::Images::prepare(&cluster, &oci);
            Ok::<_, String>((images, oci.map_err(|problems| problems.to_string())?))
        };
        let fetched = tokio::task::spawn_blocking(fetch).await;
        let fetched = fetched.map_err(|error| failed(error.to_string()))?;
        let (images, oci) = fetched.map_err(failed)?;
        let images = Arc::new(images);
        {
            let mut fleet = self.fleet_mut();
            fleet.images.push(images.clone());
            fleet.oci.push(oci.clone());
            fleet.qemu.clone_from(&qemu);
        }
        let inner = &self.inner;
        let mut keys = self.fleet().authorized_keys.clone();
        if keys.is_empty() {
            let made = authorized_keys(&compared.blueprint.cluster, self.run_dir());
            keys = made.map_err(|error| failed(error.to_string()))?;
            self.fleet_mut().authorized_keys.clone_from(&keys);
        }
        let workshop = Workshop {
            cluster: compared.blueprint.cluster.clone(),
            blueprint: compared.blueprint.clone(),
            wiring: inner.wiring.clone(),
            bus: inner.bus.clone(),
            run_dir: inner.options.run_dir.clone(),
            data_dir: inner.options.data_dir.clone(),
            tasks: inner.tasks.clone(),
            cancel: inner.cancel.clone(),
            tracks: inner.tracks.clone(),
            announced: self.announced(),
            qemu,
            images,
            keepsakes: inner.keepsakes.clone(),
            oci,
            authorized_keys: keys,
            groups: inner.options.groups.clone(),
        };
        let lab = self.clone();
        let build = move || lab.build_specs(compared, workshop);
        let built = tokio::task::spawn_blocking(build).await;
        let built = built.map_err(|error| failed(error.to_string()))?;
        built.map_err(|error| failed(error.to_string()))
    }

    fn build_specs(
        &self,
        compared: Compared,
        workshop: Workshop,
    ) -> Result<Prepared, super::super::LabError> {
        let cluster = compared.blueprint.cluster.clone();
        let (mut specs, mut offers, mut sites) = (HashMap::new(), HashMap::new(), HashMap::new());
        let index = NodeIndex::of(&cluster);
        for boot_server in cluster.boot_servers.values() {
            let target = Target::new(TargetKind::BootServer, &boot_server.name);
            offers.insert(target, workshop.site(boot_server, &index)?);
        }
        let stays = |change: &&ObjectChange| change.act != Act::Remove;
        for change in compared.changes.objects.iter().filter(stays) {
            if let Some(folder) = change.object.strip_prefix("data-folder/") {
                workshop.keepsakes.forget_folder(folder);
            }
        }
        for change in compared.changes.objects.iter().filter(stays) {
            let Some(target) = target_of(&change.object) else {
                continue;
            };
            let spec = match target.kind {
                TargetKind::Router => workshop.router_spec(&cluster.routers[&target.name])?,
                TargetKind::BootServer => {
                    let boot_server = &cluster.boot_servers[&target.name];
                    let known = self.fleet().sites.get(&target).cloned();
                    let moves = change.keys.iter().any(|key| key.key == "http-port");
                    let site = if let Some(site) = known.filter(|_| !moves) {
                        site
                    } else {
                        let site = workshop.new_site(boot_server, &index)?;
                        sites.insert(target.clone(), site.clone());
                        site
                    };
                    workshop.boot_server_spec(boot_server, &site)?
                }
                TargetKind::Node if cluster.nodes[&target.name].tier == Tier::Netns => {
                    workshop.node_spec(&cluster.nodes[&target.name])?
                }
                _ => continue,
            };
            specs.insert(target, spec);
        }
        Ok(Prepared {
            changes: compared.changes,
            old: compared.old,
            new: compared.blueprint,
            plan: compared.plan,
            workshop: Arc::new(workshop),
            specs,
            offers,
            sites,
        })
    }
}
