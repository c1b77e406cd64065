//! The live lab: start, what can be done to it, shutdown.

mod apply;
mod bmc;
mod boot;
mod build;
mod console;
mod fleet;
mod machine;
mod mains;
mod observe;
mod router;
mod routing;
mod run;
mod shutdown;
mod start;
mod storage;

use crate::control::protocol::{ObjectStatus, Status};
use crate::error::{ActError, chain};
use crate::event::EventBus;
use crate::forward::Forwards;
use crate::machine::Machine;
use crate::server::{Body, Server};
use crate::unit::{Unit, UnitError};
use crate::wiring::{Watched, Wiring};
use placemat_bmc::chassis::{Cause, PowerCommand};
use placemat_host::container::{Container, Process, Program};
use placemat_spec::Cluster;
use placemat_spec::event::{LabEventKind, LabPhase};
use placemat_spec::power::PowerAction;
use placemat_spec::selector::{Selector, Target, TargetKind};
use placemat_spec::supply::Supply;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a lab must know besides its cluster.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// Lab id, unique on the host.
    pub id: String,
    /// Lab name.
    pub name: String,
    /// Run directory, as seen from inside the sandbox.
    pub run_dir: PathBuf,
    /// Data directory: volumes, NVRAM, TPM.
    pub data_dir: PathBuf,
    /// Where what can be found out again is kept: the accelerator probe.
    pub cache_dir: PathBuf,
    /// Disk images and data files that its nodes have volumes of.
    pub images: Arc<crate::image::Images>,
    /// MTU in bytes of links whose file says none; `None`: the kernel's 1500.
    pub mtu: Option<u32>,
    /// What networks with `use-nat` reach the outside by; `None` where there is none of them.
    pub outside: Option<crate::outside::Exit>,
    /// What the host gets of it, and the host's network namespace.
    pub attach: Option<(crate::attach::Attachment, placemat_host::netns::Netns)>,
    /// When the clock of its events began.
    pub epoch: std::time::Instant,
    /// OCI images that routers run on.
    pub oci: crate::oci::Images,
    /// Control groups; needed where a router has limits.
    pub groups: Option<placemat_host::cgroup::Tree>,
}

pub use apply::Step;

/// Why a lab could not be started: a sentence that names object and act.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LabError(pub String);

/// Names that an error lists of many.
const FEW: usize = 12;

/// A live lab. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Lab {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: LabOptions,
    bus: EventBus,
    wiring: Arc<Wiring>,
    hub: Unit,
    fleet: RwLock<fleet::Fleet>,
    /// Held by whoever changes what it is made from.
    applying: tokio::sync::Mutex<()>,
    mains: mains::Mains,
    tracks: build::Tracks,
    keepsakes: Arc<storage::Keepsakes>,
    forwards: Forwards,
    bmcs: bmc::Bmcs,
    /// What did not start with the lab, and why.
    unstarted: Mutex<HashMap<Target, String>>,
    tasks: TaskTracker,
    cancel: CancellationToken,
    phase: Mutex<LabPhase>,
}

/// A command's output.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Exit code, or 128 + signal number.
    pub exit: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Lab {
    /// What it is made from now.
    pub fn cluster(&self) -> Arc<Cluster> {
        self.fleet().blueprint.cluster.clone()
    }

    /// Its events.
    pub fn bus(&self) -> &EventBus {
        &self.inner.bus
    }

    /// Its links.
    pub fn wiring(&self) -> &Arc<Wiring> {
        &self.inner.wiring
    }

    /// A router, boot server or namespace server.
    pub fn unit(&self, target: &Target) -> Option<Unit> {
        match target.kind {
            TargetKind::Hub => Some(self.inner.hub.clone()),
            _ => self.fleet().units.get(target).cloned(),
        }
    }

    /// A server.
    pub fn server(&self, name: &str) -> Option<Server> {
        self.fleet().servers.get(name).cloned()
    }

    /// All servers, in file order.
    pub fn servers(&self) -> Vec<Server> {
        self.fleet().servers.values().cloned().collect()
    }

    fn fleet_mut(&self) -> RwLockWriteGuard<'_, fleet::Fleet> {
        let fleet = self.inner.fleet.write();
        fleet.unwrap_or_else(PoisonError::into_inner)
    }

    fn fleet(&self) -> RwLockReadGuard<'_, fleet::Fleet> {
        let fleet = self.inner.fleet.read();
        fleet.unwrap_or_else(PoisonError::into_inner)
    }

    /// Its run directory, as seen from inside of the sandbox.
    pub(crate) fn run_dir(&self) -> &Path {
        &self.inner.options.run_dir
    }

    /// Ports of the host that lead into it.
    pub fn forwards(&self) -> &Forwards {
        &self.inner.forwards
    }

    /// Ends with the lab.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.inner.cancel
    }

    /// Opens sockets on what `TARGET[:INTERFACE]` or `NETWORK` names.
    pub async fn capture(&self, what: &str) -> Result<Vec<Watched>, ActError> {
        let (name, interface) = match what.split_once(':') {
            Some((name, interface)) => (name, Some(interface.to_owned())),
            None => (what, None),
        };
        let target = self.target(name)?;
        let wiring = self.inner.wiring.clone();
        let open = move || {
            let opened = if target.kind == TargetKind::Network {
                wiring.capture_network(&target.name)
            } else {
                wiring.capture(&target, interface.as_deref())
            };
            opened.map_err(|error| ActError::failed(chain(&error)))
        };
        let watched = tokio::task::spawn_blocking(open)
            .await
            .map_err(|error| ActError::failed(error.to_string()))??;
        if watched.len() > placemat_host::descriptor::MOST {
            return Err(ActError::refused(format!(
                "{what} has {} links, and at most {} are captured at a time: name an interface or a network",
                watched.len(),
                placemat_host::descriptor::MOST
            )));
        }
        Ok(watched)
    }

    /// Where background work of the lab is tracked.
    pub fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    /// Resolves `node/N`, `router/N`, `hub` or a bare unique name.
    pub fn target(&self, text: &str) -> Result<Target, ActError> {
        let unknown = |message: String| ActError::unknown_target(message);
        let targets = Selector::parse(text)
            .and_then(|selector| selector.resolve(&self.cluster()))
            .map_err(|error| unknown(format!("{}; {}", error.message, error.hint)))?;
        match <[Target; 1]>::try_from(targets) {
            Ok([target]) => Ok(target),
            Err(many) => {
                let names: Vec<String> =
                    many.iter().take(FEW).map(|it| format!("`{it}`")).collect();
                let more = many.len().saturating_sub(FEW);
                let more = (more > 0).then(|| format!(" and {more} more"));
                Err(unknown(format!(
                    "`{text}` means {} objects; name one: {}{}",
                    many.len(),
                    names.join(", "),
                    more.unwrap_or_default()
                )))
            }
        }
    }

    /// Whether commands in it go through a guest agent.
    pub fn is_vm(&self, target: &Target) -> bool {
        target.kind == TargetKind::Node && !self.fleet().units.contains_key(target)
    }

    /// Starts a program in anything that is not a VM.
    pub async fn spawn(
        &self,
        target: &Target,
        program: Program,
    ) -> Result<(Container, Process), ActError> {
        let unit = self
            .unit(target)
            .ok_or_else(|| ActError::refused(format!("{target} runs no commands")))?;
        unit.exec(program)
            .await
            .map_err(|error: UnitError| ActError::failed(error.to_string()))
    }

    /// The lab as it is now.
    pub fn status(&self) -> Status {
        let unstarted = self.inner.unstarted.lock();
        let unstarted = unstarted.unwrap_or_else(PoisonError::into_inner).clone();
        // What has power now was started by somebody since.
        let problem =
            |target: &Target, power: bool| unstarted.get(target).filter(|_| !power).cloned();
        let accel = self.accel_in_words();
        let fleet = self.fleet();
        let units = fleet
            .units
            .values()
            .filter(|unit| unit.target().kind != TargetKind::Node)
            .map(|unit| ObjectStatus {
                target: unit.target().to_string(),
                tier: None,
                power: unit.is_on(),
                phase: None,
                phase_ms: None,
                boots: unit.boots(),
                bmc: None,
                image: None,
                problem: problem(unit.target(), unit.is_on()).or_else(|| unit.problem()),
            });
        let servers = fleet.servers.values().map(|server| ObjectStatus {
            target: server.target().to_string(),
            tier: Some(format!("{:?}", server.node().tier).to_lowercase()),
            power: server.track().phase() != placemat_spec::event::BootPhase::Off,
            phase: Some(server.track().phase()),
            phase_ms: Some(server.track().phase_for().as_secs_f64() * 1000.0),
            boots: server.track().boots(),
            bmc: self.bmc_address(server).map(|address| address.to_string()),
            image: server.track().image(),
            problem: problem(
                &server.target(),
                server.track().phase() != placemat_spec::event::BootPhase::Off,
            )
            .or_else(|| match server.body() {
                Body::Unit { unit, .. } => unit.problem(),
                Body::Machine(_) | Body::Mock(_) => None,
            }),
        });
        Status {
            id: self.inner.options.id.clone(),
            name: self.inner.options.name.clone(),
            phase: self.phase(),
            uptime_ms: self.inner.bus.now_ms(),
            accel,
            objects: units.chain(servers).collect(),
        }
    }

    /// The accelerator of its VMs and why, in words; empty without VMs.
    pub fn accel_in_words(&self) -> String {
        let words = |accel: &placemat_host::probe::accel::AccelReport| {
            format!("{} ({})", accel.accelerator, accel.reason)
        };
        let qemu = self.fleet().qemu.clone();
        qemu.map(|qemu| words(&qemu.accel)).unwrap_or_default()
    }

    /// How much longer than on a machine with KVM one should wait for things here; at least 1. A
    /// guest computes many times slower under TCG, but mostly waits, as its firmware does.
    pub fn waiting_factor(&self) -> f64 {
        let qemu = self.fleet().qemu.clone();
        let slowness = qemu.map_or(1.0, |qemu| qemu.accel.slowness);
        slowness.sqrt().clamp(1.0, 4.0)
    }

    /// Phase of its life.
    pub fn phase(&self) -> LabPhase {
        *self
            .inner
            .phase
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn set_phase(&self, phase: LabPhase) {
        *self
            .inner
            .phase
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = phase;
        self.inner.bus.emit("lab", LabEventKind::Lab { phase });
    }

    /// Acts on the power of anything that has some.
    pub async fn power(
        &self,
        target: &Target,
        action: PowerAction,
        cause: &str,
    ) -> Result<(), ActError> {
        if Supply::is_source(target) {
            let one = std::slice::from_ref(target);
            match action {
                PowerAction::On => self.restore_mains(one).await?,
                PowerAction::ForceOff => self.cut_mains(one).await?,
                _ => {
                    let why = format!("{target} can be turned on and off, nothing else");
                    return Err(ActError::refused(why));
                }
            }
            return Ok(());
        }
        if let Some(server) = self.node_server(target) {
            let command = match action {
                PowerAction::On => PowerCommand::On,
                PowerAction::ForceOff => PowerCommand::Off,
                PowerAction::GracefulShutdown => PowerCommand::Shutdown,
                PowerAction::GracefulRestart => PowerCommand::Restart,
                PowerAction::ForceRestart => PowerCommand::Reset,
                PowerAction::PowerCycle => PowerCommand::Cycle,
            };
            return Ok(server.power(command, Cause::Operator).await?);
        }
        self.switch_unit(target, action, cause).await
    }

    async fn switch_unit(
        &self,
        target: &Target,
        action: PowerAction,
        cause: &str,
    ) -> Result<(), ActError> {
        let unit = self
            .unit(target)
            .ok_or_else(|| ActError::refused(format!("{target} has no power switch")))?;
        let off = !matches!(action, PowerAction::On);
        let on = !matches!(
            action,
            PowerAction::ForceOff | PowerAction::GracefulShutdown
        );
        if off {
            unit.power_off(cause)
                .await
                .map_err(|error| error.to_string())?;
        }
        if on {
            unit.power_on(cause)
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Pulls the plug of anything, or puts it back: a server's BMC goes with it.
    pub async fn mains(&self, target: &Target, on: bool) -> Result<(), String> {
        if let Some(server) = self.node_server(target) {
            return server.mains(on).await;
        }
        let action = if on {
            PowerAction::On
        } else {
            PowerAction::ForceOff
        };
        let done = self.switch_unit(target, action, "feed").await;
        done.map_err(|error| error.message)
    }

    /// The virtual machine of a server of tier `full` or `kernel`.
    pub(crate) fn machine(&self, target: &Target) -> Option<Machine> {
        let server = self.node_server(target)?;
        server.body().machine().cloned()
    }

    fn node_server(&self, target: &Target) -> Option<Server> {
        (target.kind == TargetKind::Node)
            .then(|| self.server(&target.name))
            .flatten()
    }
}
