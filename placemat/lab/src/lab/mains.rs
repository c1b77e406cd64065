//! Mains power: plugs are pulled and put back, with everything that hangs on them and on nothing else.

use super::Lab;
use placemat_spec::selector::{Target, TargetKind};
use placemat_spec::supply::Supply;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::task::JoinSet;

/// The order of a start: what others depend on first.
const ORDER: [TargetKind; 3] = [TargetKind::Router, TargetKind::BootServer, TargetKind::Node];

/// Who hangs on what, and what is lost.
#[derive(Debug)]
pub(super) struct Mains {
    supply: RwLock<Arc<Supply>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Feeds and PDUs that are off, machines that are unplugged.
    lost: HashSet<Target>,
    /// Machines without power for that, each with the number of the loss: power that comes back late
    /// does not come if it was lost again meanwhile.
    dark: HashMap<Target, u64>,
    losses: u64,
}

/// What comes back, and when.
struct Returning {
    machine: Target,
    after: Duration,
    loss: u64,
}

impl Mains {
    pub(super) fn new(supply: Supply) -> Self {
        Self {
            supply: RwLock::new(Arc::new(supply)),
            state: Mutex::default(),
        }
    }

    fn supply(&self) -> Arc<Supply> {
        let supply = self.supply.read().unwrap_or_else(PoisonError::into_inner);
        supply.clone()
    }

    /// Takes note that things are plugged in otherwise from now on; who loses power by that.
    fn replug(&self, supply: Supply, known: impl Fn(&Target) -> bool) -> Vec<Target> {
        let mut own = self.supply.write().unwrap_or_else(PoisonError::into_inner);
        *own = Arc::new(supply);
        drop(own);
        let mut state = self.state();
        state.lost.retain(|it| known(it));
        state.dark.retain(|it, _| known(it));
        let lost: Vec<Target> = state.lost.iter().cloned().collect();
        let supply = self.supply();
        let mut dark = supply.behind(&lost);
        dark.retain(|it| !supply.is_live(it, &state.lost) && !state.dark.contains_key(it));
        state.losses += 1;
        let loss = state.losses;
        let new = dark.iter().map(|machine| (machine.clone(), loss));
        state.dark.extend(new);
        dark
    }

    /// Machines in the dark that have a live supply by now.
    fn returning(&self) -> Vec<Returning> {
        let (supply, state) = (self.supply(), self.state());
        let live = state
            .dark
            .iter()
            .filter(|(it, _)| supply.is_live(it, &state.lost));
        live.map(|(machine, loss)| Returning {
            after: supply.wait(machine, &state.lost),
            machine: machine.clone(),
            loss: *loss,
        })
        .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a loss; the machines that it leaves without power.
    fn lose(&self, of: &[Target]) -> Vec<Target> {
        let supply = self.supply();
        let mut state = self.state();
        state.lost.extend(of.iter().cloned());
        state.losses += 1;
        let loss = state.losses;
        let mut machines = supply.behind(of);
        machines.retain(|machine| !supply.is_live(machine, &state.lost));
        let dark = machines.iter().map(|machine| (machine.clone(), loss));
        state.dark.extend(dark);
        machines
    }

    /// Notes that power is there again; what gets it back.
    fn regain(&self, of: &[Target]) -> Vec<Returning> {
        let supply = self.supply();
        let mut state = self.state();
        state.lost.retain(|lost| !of.contains(lost));
        let machines = supply.behind(of).into_iter();
        let returning = machines.filter_map(|machine| {
            let loss = *state.dark.get(&machine)?;
            supply.is_live(&machine, &state.lost).then(|| Returning {
                after: supply.wait(&machine, &state.lost),
                machine,
                loss,
            })
        });
        returning.collect()
    }

    /// Whether a machine that was to return still is.
    fn take(&self, returning: &Returning) -> bool {
        let supply = self.supply();
        let mut state = self.state();
        let still = state.dark.get(&returning.machine) == Some(&returning.loss)
            && supply.is_live(&returning.machine, &state.lost);
        if still {
            state.dark.remove(&returning.machine);
        }
        still
    }
}

impl Lab {
    /// Takes power from feeds, PDUs and machines: each machine that has no other supply loses it at
    /// once, nothing flushed.
    pub(crate) async fn cut_mains(&self, of: &[Target]) -> Result<(), String> {
        let dark = self.inner.mains.lose(of);
        let acts = dark.into_iter().map(|machine| {
            let lab = self.clone();
            async move { lab.mains(&machine, false).await }
        });
        all(acts).await
    }

    /// Gives power back. Machines whose outlets come back later get it in the background.
    pub(crate) async fn restore_mains(&self, of: &[Target]) -> Result<(), String> {
        self.give_back(self.inner.mains.regain(of)).await
    }

    /// Follows a change of the files: who is plugged in otherwise gets or loses power by it.
    pub(super) async fn resupply(&self) -> Result<(), String> {
        let cluster = self.cluster();
        let known = |it: &Target| match it.kind {
            TargetKind::Feed | TargetKind::Pdu => cluster.feeds.contains_key(&it.name),
            TargetKind::Router => cluster.routers.contains_key(&it.name),
            TargetKind::BootServer => cluster.boot_servers.contains_key(&it.name),
            TargetKind::Node => cluster.nodes.contains_key(&it.name),
            TargetKind::Network | TargetKind::Hub => false,
        };
        let dark = self.inner.mains.replug(Supply::of(&cluster), known);
        let acts = dark.into_iter().map(|machine| {
            let lab = self.clone();
            async move { lab.mains(&machine, false).await }
        });
        let lost = all(acts).await;
        lost.and(self.give_back(self.inner.mains.returning()).await)
    }

    async fn give_back(&self, returning: Vec<Returning>) -> Result<(), String> {
        let (now, later): (Vec<Returning>, Vec<Returning>) = returning
            .into_iter()
            .partition(|returning| returning.after.is_zero());
        for returning in later {
            let (lab, cancel) = (self.clone(), self.inner.cancel.clone());
            self.tasks().spawn(async move {
                let pause = tokio::time::sleep(returning.after);
                if cancel.run_until_cancelled(pause).await.is_none() {
                    return;
                }
                if let Err(error) = lab.plug_in(&returning).await {
                    lab.note_failure(&returning.machine, error);
                }
            });
        }
        let mut done = Ok(());
        for kind in ORDER {
            let some = now.iter().filter(|it| it.machine.kind == kind);
            // One that does not come back keeps no other from it.
            let acts = some.map(|returning| {
                let (lab, returning) = (
                    self.clone(),
                    Returning {
                        machine: returning.machine.clone(),
                        ..*returning
                    },
                );
                async move { lab.plug_in(&returning).await }
            });
            done = done.and(all(acts).await);
        }
        done
    }

    async fn plug_in(&self, returning: &Returning) -> Result<(), String> {
        if self.inner.mains.take(returning) {
            return self.mains(&returning.machine, true).await;
        }
        Ok(())
    }

    /// Whether a feed, PDU or machine is without power, and what hangs on it alone is seen to be dark.
    pub(crate) async fn mains_are_cut(&self, of: &Target) -> bool {
        let dark = {
            let state = self.inner.mains.state();
            if !state.lost.contains(of) {
                return false;
            }
            let supply = self.inner.mains.supply();
            let mut machines = supply.behind(std::slice::from_ref(of));
            machines.retain(|machine| state.dark.contains_key(machine));
            machines
        };
        for machine in &dark {
            if self.is_powered(machine).await {
                return false;
            }
        }
        true
    }

    /// Whether a feed, PDU or machine has its power back, and what hangs on it is seen to have it.
    /// What another loss keeps dark is not held against it.
    pub(crate) async fn mains_are_back(&self, of: &Target) -> bool {
        let live = {
            let state = self.inner.mains.state();
            let supply = self.inner.mains.supply();
            let mut machines = supply.behind(std::slice::from_ref(of));
            machines.retain(|machine| supply.is_live(machine, &state.lost));
            let waits = |machine| state.dark.contains_key(machine);
            if state.lost.contains(of) || machines.iter().any(waits) {
                return false;
            }
            machines
        };
        for machine in &live {
            if !self.has_power_again(machine).await {
                return false;
            }
        }
        true
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
}

async fn all<F>(acts: impl Iterator<Item = F>) -> Result<(), String>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut acts: JoinSet<Result<(), String>> = acts.collect();
    let mut outcome = Ok(());
    while let Some(done) = acts.join_next().await {
        outcome = outcome.and(done.unwrap_or_else(|error| Err(error.to_string())));
    }
    outcome
}
