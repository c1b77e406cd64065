//! Faults: each is applied, observed to have taken effect, and healed.

use crate::lab::Lab;
use crate::machine::Machine;
use placemat_host::agent::AgentCommand;
use placemat_spec::event::BootPhase;
use placemat_spec::resource::{DhcpFault, HttpFault};
use placemat_spec::selector::Target;
use std::time::Duration;

/// What breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The plugs of machines are pulled, or feeds and PDUs fail: nothing flushed, BMCs too. What has
    /// another supply goes on.
    PowerLoss,
    /// Every interface loses carrier, on both ends.
    CarrierDown,
    /// A supervised program is killed, and stays dead until healed.
    DaemonKill {
        /// Its name in its unit.
        app: String,
    },
    /// A boot server's HTTP misbehaves.
    BootHttp(HttpFault),
    /// A boot server's DHCP misbehaves.
    BootDhcp(DhcpFault),
}

/// A fault on some targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What breaks.
    pub kind: FaultKind,
    /// What it breaks.
    pub of: Vec<Target>,
}

impl Lab {
    /// Applies a fault to all its targets at once.
    pub async fn apply_fault(&self, fault: &Fault) -> Result<(), String> {
        match &fault.kind {
            FaultKind::PowerLoss => self.cut_mains(&fault.of).await,
            FaultKind::CarrierDown => self.carrier_of(&fault.of, false).await,
            FaultKind::DaemonKill { app } => {
                for target in &fault.of {
                    let unit = self
                        .unit(target)
                        .ok_or_else(|| format!("{target} has no daemons"))?;
                    unit.kill_app(app)
                        .await
                        .map_err(|error| error.to_string())?;
                }
                Ok(())
            }
            FaultKind::BootHttp(how) => self.misbehave_http(&fault.of, Some(*how)),
            FaultKind::BootDhcp(how) => self.misbehave_dhcp(&fault.of, Some(*how)).await,
        }
    }

    fn misbehave_http(&self, of: &[Target], how: Option<HttpFault>) -> Result<(), String> {
        let done = of.iter().map(|target| self.set_http_fault(target, how));
        done.fold(Ok(()), Result::and)
    }

    async fn misbehave_dhcp(&self, of: &[Target], how: Option<DhcpFault>) -> Result<(), String> {
        let mut done = Ok(());
        for target in of {
            // One that fails keeps no other from it.
            done = done.and(self.set_dhcp_fault(target, how).await);
        }
        done
    }

    /// Whether a fault is seen to be in effect on every target.
    pub async fn fault_in_effect(&self, fault: &Fault) -> Result<bool, String> {
        for target in &fault.of {
            let in_effect = match &fault.kind {
                FaultKind::PowerLoss => self.mains_are_cut(target).await,
                FaultKind::CarrierDown => self.carrier_is_down(target).await?,
                FaultKind::DaemonKill { app } => {
                    self.unit(target).is_some_and(|unit| !unit.app_runs(app))
                }
                // Without power nobody is answered: what was done counts.
                FaultKind::BootHttp(_) if !self.is_powered(target).await => true,
                FaultKind::BootHttp(how) => self.http_shows(target, Some(*how)).await?,
                FaultKind::BootDhcp(how) => self.dhcp_shows(target, Some(*how))?,
            };
            if !in_effect {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether every target is seen to be free of a fault. What keeps a target dark beside the
    /// fault, such as a switch that someone else turned off, is not held against it.
    pub async fn fault_is_healed(&self, fault: &Fault) -> Result<bool, String> {
        for target in &fault.of {
            let healed = match &fault.kind {
                FaultKind::PowerLoss => self.mains_are_back(target).await,
                // Without power there is nothing to see; its interfaces come up with it.
                _ if !self.is_powered(target).await => true,
                FaultKind::CarrierDown => {
                    let links = self.links(target).await?;
                    // Not carrier, which takes the other ends, too; but a VM's other ends are there.
                    let vm = self.machine(target).is_some();
                    links.iter().all(|link| link.up && (link.carrier || !vm))
                }
                FaultKind::DaemonKill { app } => {
                    self.unit(target).is_some_and(|unit| unit.app_runs(app))
                }
                FaultKind::BootHttp(_) => {
                    self.http_fault(target)?.is_none() && self.http_shows(target, None).await?
                }
                FaultKind::BootDhcp(_) => self.dhcp_shows(target, None)?,
            };
            if !healed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Undoes a fault. Twice, or of one that was applied in part, is fine.
    pub async fn heal_fault(&self, fault: &Fault) -> Result<(), String> {
        match &fault.kind {
            FaultKind::PowerLoss => self.restore_mains(&fault.of).await,
            FaultKind::CarrierDown => self.carrier_of(&fault.of, true).await,
            FaultKind::DaemonKill { app } => {
                for unit in fault.of.iter().filter_map(|target| self.unit(target)) {
                    unit.release_app(app);
                }
                Ok(())
            }
            FaultKind::BootHttp(_) => self.misbehave_http(&fault.of, None),
            FaultKind::BootDhcp(_) => self.misbehave_dhcp(&fault.of, None).await,
        }
    }

    /// Whether carrier is seen to be gone: by the kernel on the far ends and, of a VM whose guest
    /// can be asked, by the guest. Without power there is nothing to see: what was done counts.
    async fn carrier_is_down(&self, target: &Target) -> Result<bool, String> {
        let machine = self.machine(target);
        if !self.is_powered(target).await {
            let cut = self.wiring().is_cut(target);
            return Ok(cut || machine.is_some_and(|it| it.is_unplugged()));
        }
        let links = self.links(target).await?;
        if links.is_empty() || links.iter().any(|link| link.carrier) {
            return Ok(false);
        }
        match machine {
            Some(machine) => Ok(guest_sees_carrier(&machine).await != Some(true)),
            None => Ok(true),
        }
    }

    async fn carrier_of(&self, targets: &[Target], up: bool) -> Result<(), String> {
        let (machines, targets): (Vec<Target>, Vec<Target>) = targets
            .iter()
            .cloned()
            .partition(|target| self.machine(target).is_some());
        let mut outcome = Ok(());
        for target in machines {
            let Some(machine) = self.machine(&target) else {
                continue;
            };
            let done = if machine.spec().nics.is_empty() {
                Err(format!("{target} has no links"))
            } else {
                let done = machine.set_plugged(up).await;
                done.map_err(|error| crate::error::chain(&error))
            };
            // One that fails keeps no other from it.
            outcome = outcome.and(done);
        }
        let wiring = self.wiring().clone();
        let set = move || {
            let done = targets
                .iter()
                .map(|target| wiring.set_carrier(target, up))
                .fold(Ok(()), Result::and);
            done.map_err(|error| crate::error::chain(&error))
        };
        let done = tokio::task::spawn_blocking(set).await;
        outcome.and(done.map_err(|error| error.to_string())?)
    }
}

/// How long a guest is given to tell of its links.
const ASK: Duration = Duration::from_secs(5);

/// Whether a booted guest sees carrier on any of its NICs; `None` where it cannot be asked: it
/// boots, or has no shell, or its agent is busy.
async fn guest_sees_carrier(machine: &Machine) -> Option<bool> {
    if machine.track().phase() < BootPhase::Agent {
        return None;
    }
    // An interface that is down has no carrier to read, and none that counts.
    let script =
        "for d in /sys/class/net/*/device; do cat ${d%/device}/carrier; done 2>/dev/null; true";
    let command = AgentCommand {
        argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        ..AgentCommand::default()
    };
    let told = machine.exec(&command, ASK).await.ok()?;
    let told_all = told.exit == 0 && !told.stdout.is_empty();
    told_all.then(|| told.stdout.contains(&b'1'))
}
