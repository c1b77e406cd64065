//! Ordered shutdown: servers, boot servers, routers; then whatever still runs in the background.

use super::Lab;
use placemat_bmc::chassis::{Cause, PowerCommand};
use placemat_spec::event::{BootPhase, LabPhase};
use placemat_spec::selector::TargetKind;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What a booted guest is given to power itself off before the plug is pulled.
const GRACE: Duration = Duration::from_millis(700);

/// What background work is given to end once all is off. The kernel ends what does not.
const LAST: Duration = Duration::from_secs(10);

impl Lab {
    /// Takes everything down. Never stops early: what fails is told, and the rest goes on.
    pub async fn shutdown(&self) -> Vec<String> {
        self.set_phase(LabPhase::Stopping);
        let mut failures = Vec::new();
        let mut stopping = JoinSet::new();
        for server in self.servers() {
            stopping.spawn(async move {
                if let Some(machine) = server.body().machine() {
                    let booted = server.track().phase() == BootPhase::Agent;
                    let grace = if booted { GRACE } else { Duration::ZERO };
                    machine.halt(grace, "down").await;
                }
                server.power(PowerCommand::Off, Cause::Lab).await
            });
        }
        collect(stopping, &mut failures).await;
        for kind in [TargetKind::BootServer, TargetKind::Router, TargetKind::Hub] {
            let mut stopping = JoinSet::new();
            let mut units: Vec<_> = self.fleet().units.values().cloned().collect();
            units.push(self.inner.hub.clone());
            for unit in units {
                if unit.target().kind == kind {
                    stopping.spawn(async move {
                        unit.halt().await;
                        Ok(())
                    });
                }
            }
            collect(stopping, &mut failures).await;
        }
        if self.inner.options.attach.is_some() {
            let gone = tokio::task::spawn_blocking(crate::attach::detach).await;
            let told = |error: String| format!("take the host's link away: {error}");
            match gone {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failures.push(told(crate::error::chain(&error))),
                Err(error) => failures.push(told(error.to_string())),
            }
        }
        self.inner.cancel.cancel();
        self.inner.tasks.close();
        if timeout(LAST, self.inner.tasks.wait()).await.is_err() {
            let (left, waited) = (self.inner.tasks.len(), LAST.as_secs());
            failures.push(format!(
                "{left} tasks of the lab did not end within {waited} s"
            ));
        }
        self.set_phase(LabPhase::Stopped);
        failures
    }
}

async fn collect(mut set: JoinSet<Result<(), String>>, failures: &mut Vec<String>) {
    while let Some(done) = set.join_next().await {
        failures.extend(done.unwrap_or_else(|error| Err(error.to_string())).err());
    }
}
