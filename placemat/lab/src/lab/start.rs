//! Start: networks and routers, their daemons, boot servers, servers.

use super::build::{Tracks, Workshop};
use super::fleet::Fleet;
use super::mains::Mains;
use super::storage::Keepsakes;
use super::{Inner, Lab, LabError, LabOptions};
use crate::blueprint::Blueprint;
use crate::event::EventBus;
use crate::forward::Forwards;
use crate::limits::Demand;
use crate::plan::Plan;
use crate::server::Server;
use crate::unit::Unit;
use crate::wiring::Wiring;
use ipnet::IpNet;
use placemat_bmc::chassis::{Cause, PowerCommand};
use placemat_host::probe::limit::allow_open_files;
use placemat_spec::Cluster;
use placemat_spec::event::{BootPhase, LabEventKind, LabPhase};
use placemat_spec::resource::{Name, Tier};
use placemat_spec::selector::{Target, TargetKind};
use placemat_spec::supply::Supply;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A VM that takes longer than this to boot gives its seat to the next.
const LONGEST_BOOT: Duration = Duration::from_secs(60);

/// A server that is not up after this holds up what depends on it no longer.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

impl Lab {
    /// Makes the lab's links and everything on them, without power.
    pub async fn create(cluster: Cluster, options: LabOptions) -> Result<Self, LabError> {
        let events = options.run_dir.join("events.jsonl");
        let file = File::create(&events)
            .map_err(|error| LabError(format!("create {}: {error}", events.display())))?;
        let bus = EventBus::new(Some(file), options.epoch);
        bus.emit(
            "lab",
            LabEventKind::Lab {
                phase: LabPhase::Links,
            },
        );
        let read =
            tokio::task::spawn_blocking(move || Blueprint::read(cluster, &HashMap::new())).await;
        let blueprint = read.map_err(|error| LabError(error.to_string()))??;
        let cluster = blueprint.cluster.clone();
        let wiring = wire(cluster.clone(), options.mtu).await?;
        let tasks = TaskTracker::new();
        let cancel = CancellationToken::new();
        if let Some(exit) = &options.outside {
            let logs = options.run_dir.join("logs").join("hub-hub");
            crate::outside::open(exit, &cluster, &logs, &bus, &tasks, &cancel).await?;
        }
        if let Some((attachment, host)) = &options.attach {
            attachment.make(host).await?;
            let text = attachment.to_string();
            bus.emit("hub", LabEventKind::Note { text });
        }
        let qemu = super::machine::find_qemu(&cluster, &options.cache_dir).await?;
        if let Some(accel) = qemu.as_ref().map(|qemu| &qemu.accel) {
            let text = format!("servers run under {} ({})", accel.accelerator, accel.reason);
            bus.emit("lab", LabEventKind::Note { text });
        }
        let (tracks, keepsakes) = (Tracks::default(), Arc::new(Keepsakes::default()));
        let authorized_keys = authorized_keys(&cluster, &options.run_dir)?;
        let (announced, inbox) = tokio::sync::mpsc::channel(super::bmc::INBOX);
        let workshop = Workshop {
            blueprint: blueprint.clone(),
            cluster,
            wiring: wiring.clone(),
            bus: bus.clone(),
            run_dir: options.run_dir.clone(),
            data_dir: options.data_dir.clone(),
            tasks: tasks.clone(),
            cancel: cancel.clone(),
            tracks: tracks.clone(),
            announced: announced.clone(),
            qemu: qemu.clone(),
            images: options.images.clone(),
            keepsakes: keepsakes.clone(),
            oci: options.oci.clone(),
            authorized_keys: authorized_keys.clone(),
            groups: options.groups.clone(),
        };
        let (logs, until) = (options.run_dir.join(crate::log::DIR), cancel.clone());
        tasks.spawn(async move { crate::log::keep_times(logs, until).await });
        let build = move || {
            let (units, sites) = workshop.units()?;
            let servers = workshop.servers(&units)?;
            let hub = workshop.hub();
            Ok::<_, LabError>((hub, units, sites, servers, Supply::of(&workshop.cluster)))
        };
        // Disks are copied and devices made.
        let (hub, units, sites, servers, supply) = tokio::task::spawn_blocking(build)
            .await
            .map_err(|error| LabError(error.to_string()))??;
        Ok(Self {
            inner: Arc::new(Inner {
                mains: Mains::new(supply),
                fleet: RwLock::new(Fleet {
                    blueprint,
                    units,
                    servers,
                    sites,
                    qemu,
                    images: vec![options.images.clone()],
                    oci: vec![options.oci.clone()],
                    authorized_keys,
                }),
                applying: tokio::sync::Mutex::default(),
                options,
                bus,
                wiring,
                hub,
                tracks,
                keepsakes,
                forwards: Forwards::default(),
                bmcs: super::bmc::Bmcs::new(announced, inbox),
                tasks,
                cancel,
                unstarted: Mutex::default(),
                phase: Mutex::new(LabPhase::Links),
            }),
        })
    }

    /// Powers everything on, in order. What does not start is an event on that object, and one of
    /// the sentences that this gives; everything else goes on.
    pub async fn start(&self) -> Result<Vec<String>, LabError> {
        self.inner
            .hub
            .power_on("start")
            .await
            .map_err(|error| LabError(error.to_string()))?;
        self.set_phase(LabPhase::Routers);
        let mut failures = self.power_on_all(TargetKind::Router).await;
        self.set_phase(LabPhase::BootServers);
        failures.extend(self.power_on_all(TargetKind::BootServer).await);
        failures.extend(self.serve_http());
        failures.extend(self.serve_bmcs());
        self.set_phase(LabPhase::Nodes);
        self.follow_bgp();
        failures.extend(self.start_servers().await);
        self.set_phase(LabPhase::Running);
        Ok(failures)
    }

    /// Makes an event of what happened to one object, and a sentence that names it.
    pub(super) fn note_failure(&self, target: &Target, text: String) -> String {
        let sentence = format!("{target}: {text}");
        let note = LabEventKind::Note { text };
        self.inner.bus.emit(target.to_string(), note);
        sentence
    }

    /// As [`note_failure`](Self::note_failure), of what did not start; its status tells, too.
    fn note_unstarted(&self, target: &Target, why: &str) -> String {
        let text = format!("did not start: {why}");
        let unstarted = self.inner.unstarted.lock();
        let mut unstarted = unstarted.unwrap_or_else(PoisonError::into_inner);
        unstarted.insert(target.clone(), text.clone());
        self.note_failure(target, text)
    }

    async fn power_on_all(&self, kind: TargetKind) -> Vec<String> {
        let mut starting = JoinSet::new();
        let mut units: Vec<Unit> = self.fleet().units.values().cloned().collect();
        units.retain(|unit| unit.target().kind == kind);
        for unit in units {
            let lab = self.clone();
            starting.spawn(async move {
                match unit.power_on("start").await {
                    Ok(ready) => {
                        let all = ready.wait().await;
                        // Each is an event of its own already.
                        let problem = unit.problem();
                        let problem = problem.or_else(|| (!all).then(|| "is not ready".into()));
                        problem.map(|why| format!("{}: {why}", unit.target()))
                    }
                    Err(error) => Some(lab.note_unstarted(unit.target(), &error.to_string())),
                }
            });
        }
        failures(starting).await
    }

    /// Powers servers on, each after what it depends on, with as many VMs booting at once as the
    /// cores bear: under TCG one that waits its turn is up sooner than if all crawled.
    async fn start_servers(&self) -> Vec<String> {
        let mut servers = self.servers();
        servers.retain(|server| server.node().autostart);
        let failures = self.start_these(servers).await.into_iter();
        failures
            .map(|(target, why)| format!("{target}: did not start: {why}"))
            .collect()
    }

    /// The same for some; those that did not start, and why.
    pub(super) async fn start_these(&self, servers: Vec<Server>) -> Vec<(Target, String)> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let seats = Arc::new(Semaphore::new(cores.max(2)));
        // What did not get power will not come up: nobody waits for it.
        let hopeless: Hopeless = servers
            .iter()
            .map(|server| (server.node().name.clone(), CancellationToken::new()))
            .collect();
        let hopeless = Arc::new(hopeless);
        let mut starting = JoinSet::new();
        for server in servers {
            let (lab, seats) = (self.clone(), seats.clone());
            let hopeless = hopeless.clone();
            starting.spawn(async move {
                let missing = lab.until_up(&server.node().depends_on, &hopeless).await;
                if !missing.is_empty() {
                    let missing = missing.join(" and ");
                    let text = format!("starts without {missing}, which it depends on");
                    lab.note_failure(&server.target(), text);
                }
                let failure = lab.start_server(&server, seats).await.err()?;
                if let Some(token) = hopeless.get(&server.node().name) {
                    token.cancel();
                }
                lab.note_unstarted(&server.target(), &failure);
                Some((server.target(), failure))
            });
        }
        let mut unstarted = Vec::new();
        while let Some(done) = starting.join_next().await {
            unstarted.extend(done.ok().flatten());
        }
        unstarted
    }

    async fn start_server(&self, server: &Server, seats: Arc<Semaphore>) -> Result<(), String> {
        let on = server.power(PowerCommand::On, Cause::Lab);
        if server.body().machine().is_none() {
            return on.await;
        }
        // The semaphore is never closed.
        let seat = seats.acquire_owned().await.ok();
        on.await?;
        let (server, cancel) = (server.clone(), self.inner.cancel.clone());
        self.tasks().spawn(async move {
            let up = server.track().wait_for(BootPhase::Userspace);
            let _ = cancel.run_until_cancelled(timeout(LONGEST_BOOT, up)).await;
            drop(seat);
        });
        Ok(())
    }

    /// Waits until servers of these names have booted, and gives those that did not. Everything else
    /// was started before.
    async fn until_up(&self, names: &[Name], hopeless: &Hopeless) -> Vec<String> {
        let mut missing = Vec::new();
        for server in names.iter().filter_map(|name| self.server(name)) {
            // A mock has power and nothing to boot.
            let up = match server.node().tier {
                Tier::Mock => BootPhase::Power,
                Tier::Full | Tier::Kernel | Tier::Netns => BootPhase::Agent,
            };
            let Some(gone) = hopeless.get(&server.node().name) else {
                continue;
            };
            if !server.node().autostart {
                continue;
            }
            let wait = gone.run_until_cancelled(server.track().wait_for(up));
            let waited = timeout(LONGEST_WAIT, wait).await;
            if !matches!(waited, Ok(Some(()))) {
                missing.push(server.target().to_string());
            }
            if waited.is_err() {
                let waited = LONGEST_WAIT.as_secs();
                let text = format!("is not up after {waited} s; what depends on it starts anyway");
                let object = server.target().to_string();
                self.inner.bus.emit(object, LabEventKind::Note { text });
            }
        }
        missing
    }
}

/// For each server, whether it is known that it will not come up.
type Hopeless = HashMap<Name, CancellationToken>;

async fn failures(mut set: JoinSet<Option<String>>) -> Vec<String> {
    let mut failures = Vec::new();
    while let Some(done) = set.join_next().await {
        failures.extend(done.unwrap_or_else(|error| Some(error.to_string())));
    }
    failures
}

/// The key that `placemat ssh` has, made where there is a boot server to hand it out.
pub(super) fn authorized_keys(cluster: &Cluster, run_dir: &Path) -> Result<String, LabError> {
    if cluster.boot_servers.is_empty() {
        return Ok(String::new());
    }
    let file = run_dir.join(crate::ssh::KEY_FILE);
    let made = crate::ssh::make(&file);
    made.map_err(|error| LabError(format!("make an SSH key in {}: {error}", file.display())))
}

async fn wire(cluster: Arc<Cluster>, mtu: Option<u32>) -> Result<Arc<Wiring>, LabError> {
    let work = move || {
        let mut plan = Plan::of(&cluster);
        plan.default_mtu(mtu);
        // Many containers are more than shells let a process open.
        let files = Demand::of(&cluster, &plan).own_files.likely;
        if let Err(error) = allow_open_files(files) {
            tracing::warn!(%error, files, "cannot raise the limit of open files");
        }
        Wiring::create(&plan, |target| loopback_of(&cluster, target))
    };
    let wiring = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| LabError(error.to_string()))?
        .map_err(|error| LabError(crate::error::chain(&error)))?;
    Ok(Arc::new(wiring))
}

/// Static loopback addresses. A node's are its own doing.
pub(super) fn loopback_of(cluster: &Cluster, target: &Target) -> Vec<IpNet> {
    let router = cluster
        .routers
        .get(&target.name)
        .map(|router| &router.loopback);
    let boot_server = cluster
        .boot_servers
        .get(&target.name)
        .map(|each| &each.loopback);
    match target.kind {
        TargetKind::Router => router.cloned().unwrap_or_default(),
        TargetKind::BootServer => boot_server.cloned().unwrap_or_default(),
        _ => Vec::new(),
    }
}
