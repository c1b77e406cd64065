//! Faults: each is applied, observed to have taken effect, and healed.

use crate::lab::Lab;
use placemat_spec::selector::{Target, TargetKind};
use tokio::task::JoinSet;

/// What breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The plug is pulled: nothing flushed, BMCs too.
    PowerLoss,
    /// Every interface loses carrier, on both ends.
    CarrierDown,
    /// A supervised program is killed, and stays dead until healed.
    DaemonKill {
        /// Its name in its unit.
        app: String,
    },
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
            FaultKind::PowerLoss => self.mains_of(&fault.of, false).await,
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
        }
    }

    /// Whether a fault is seen to be in effect on every target.
    pub async fn fault_in_effect(&self, fault: &Fault) -> Result<bool, String> {
        for target in &fault.of {
            let in_effect = match &fault.kind {
                FaultKind::PowerLoss => !self.is_powered(target).await,
                FaultKind::CarrierDown => {
                    let links = self.links(target).await?;
                    !links.is_empty() && links.iter().all(|link| !link.carrier)
                }
                FaultKind::DaemonKill { app } => {
                    self.unit(target).is_some_and(|unit| !unit.app_runs(app))
                }
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
                FaultKind::PowerLoss => self.has_power_again(target).await,
                // Without power there is nothing to see; its interfaces come up with it.
                _ if !self.is_powered(target).await => true,
                FaultKind::CarrierDown => {
                    // Not carrier: that takes the other ends, too.
                    let links = self.links(target).await?;
                    links.iter().all(|link| link.up)
                }
                FaultKind::DaemonKill { app } => {
                    self.unit(target).is_some_and(|unit| unit.app_runs(app))
                }
            };
            if !healed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the plug is in, and what should run with it runs: a server whose policy leaves it
    /// off after an outage is as it should be.
    async fn has_power_again(&self, target: &Target) -> bool {
        let server = (target.kind == TargetKind::Node).then(|| self.server(&target.name));
        match server.flatten().map(|server| server.bmc().chassis()) {
            Some(chassis) if !chassis.mains => false,
            Some(chassis) if !chassis.is_on() => true,
            _ => self.is_powered(target).await,
        }
    }

    /// Undoes a fault. Twice, or of one that was applied in part, is fine.
    pub async fn heal_fault(&self, fault: &Fault) -> Result<(), String> {
        match &fault.kind {
            FaultKind::PowerLoss => {
                let mut healed = Ok(());
                // In the order of a start: what others depend on first.
                for kinds in [
                    &[TargetKind::Router][..],
                    &[TargetKind::BootServer],
                    &[TargetKind::Node],
                ] {
                    let some: Vec<Target> = fault
                        .of
                        .iter()
                        .filter(|target| kinds.contains(&target.kind))
                        .cloned()
                        .collect();
                    // One that does not come back keeps no other from it.
                    healed = healed.and(self.mains_of(&some, true).await);
                }
                healed
            }
            FaultKind::CarrierDown => self.carrier_of(&fault.of, true).await,
            FaultKind::DaemonKill { app } => {
                for unit in fault.of.iter().filter_map(|target| self.unit(target)) {
                    unit.release_app(app);
                }
                Ok(())
            }
        }
    }

    async fn mains_of(&self, targets: &[Target], on: bool) -> Result<(), String> {
        let mut acts = JoinSet::new();
        for target in targets {
            let (lab, target) = (self.clone(), target.clone());
            acts.spawn(async move { lab.mains(&target, on).await });
        }
        let mut outcome = Ok(());
        while let Some(done) = acts.join_next().await {
            outcome = outcome.and(done.unwrap_or_else(|error| Err(error.to_string())));
        }
        outcome
    }

    async fn carrier_of(&self, targets: &[Target], up: bool) -> Result<(), String> {
        let (wiring, targets) = (self.wiring().clone(), targets.to_vec());
        let set = move || {
            let done = targets
                .iter()
                .map(|target| wiring.set_carrier(target, up))
                .fold(Ok(()), Result::and);
            done.map_err(|error| crate::error::chain(&error))
        };
        tokio::task::spawn_blocking(set)
            .await
            .map_err(|error| error.to_string())?
    }
}
