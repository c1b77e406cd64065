//! A server of tier `full` or `kernel`: a machine that QEMU runs.
//!
//! Power-on starts a QEMU, power-off kills it: the plug, nothing is flushed. A guest that powers
//! itself off ends its QEMU, and the machine can be powered on again. A guest that reboots stays in
//! its QEMU, and that counts as a boot. A QEMU that dies from outside is news, which the machine's
//! keeper answers by [`DeathPolicy`].
//!
//! ```text
//! MachineSpec --command--> arguments --launch--> QEMU --keeper--> phases, news, end
//!                                                  console --scan--> signs
//! ```

mod announce;
mod boot_order;
mod command;
mod console;
mod hardware;
mod keeper;
mod launch;
mod qcow2;
mod scan;
mod screen;
mod seed;
mod share;
mod spec;
mod tpm;
mod volume;

pub use announce::{ANNOUNCE_CHANNEL, Announcement, BadLine};
pub use boot_order::{Bootable, boot_order, own_order};
pub use command::{AGENT_CHANNEL, Descriptors, arguments};
pub use console::{Console, ConsoleOff, ConsoleSession};
pub use hardware::DeathPolicy;
pub use launch::LaunchError;
pub use qcow2::backing_name as base_name;
pub use screen::ScreenError;
pub use seed::Seed;
pub use spec::{
    BootTarget, Carrier, DirectKernel, Disk, DiskCache, DiskFormat, MachineFirmware, MachineSpec,
    Share, Tpm,
};
pub use volume::{DiskContent, VolumeError, disk_size, make_disk, make_vars};

use crate::server::BootTrack;
use keeper::Life;
use placemat_host::agent::{AgentCommand, AgentError, AgentOutput};
use placemat_host::qmp::{Qmp, QmpError, commands};
use placemat_host::tap::Tap;
use placemat_spec::event::BootPhase;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a hard reset may take until QEMU reports it.
const RESET_PATIENCE: Duration = Duration::from_secs(30);
/// How long a guest may take until something in it listens on the agent's channel; one that still boots does so in its time.
const CONTACT: Duration = Duration::from_secs(30);

/// Why a machine did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// It did not start.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// It has no power.
    #[error("{machine} has no power")]
    Off {
        /// The machine.
        machine: String,
    },
    /// QEMU refused or did not answer.
    #[error("{act} {machine}")]
    Monitor {
        /// What was to be done.
        act: &'static str,
        /// The machine.
        machine: String,
        /// What its monitor said.
        source: QmpError,
    },
    /// The reset never came.
    #[error("reset {machine}: QEMU took the command, but did not reset")]
    NoReset {
        /// The machine.
        machine: String,
    },
    /// Nothing in its guest has opened the agent's channel.
    #[error(
        "no guest agent answers in {machine}: nothing there has opened its channel within {} s",
        waited.as_secs()
    )]
    NoAgent {
        /// The machine.
        machine: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It was reset in the middle of a command in its guest.
    #[error("{machine} rebooted during the command")]
    Rebooted {
        /// The machine.
        machine: String,
    },
    /// Its guest agent failed.
    #[error("guest of {machine}")]
    Agent {
        /// The machine.
        machine: String,
        /// What its agent said.
        source: AgentError,
    },
}

/// What a machine did of its own accord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineNews {
    /// Its guest powered it off.
    GuestOff,
    /// Its guest rebooted it.
    GuestReset,
    /// Its QEMU died. The machine is off.
    Died {
        /// How, in words.
        how: String,
        /// How far its boot had come.
        after: BootPhase,
    },
}

/// What a machine needs besides its spec.
#[derive(Debug)]
pub struct MachineSetup {
    /// One TAP a NIC, in order. The machine keeps them for all its lives, and takes their carrier
    /// away while it is off.
    pub taps: Vec<Tap>,
    /// Where its phases go.
    pub track: BootTrack,
    /// How long firmware that found nothing to boot waits until it tries again, as servers do;
    /// `None`: it stays there.
    pub boot_retry: Option<Duration>,
    /// Where what its guest announces goes.
    pub announced: mpsc::Sender<Announcement>,
    /// Where its tasks are tracked.
    pub tasks: TaskTracker,
    /// Ends it.
    pub cancel: CancellationToken,
}

/// A machine. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Machine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    spec: MachineSpec,
    setup: MachineSetup,
    /// Those of `setup`, until they are let go.
    taps: Mutex<Arc<Vec<Tap>>>,
    console: Console,
    /// The running QEMU; its keeper takes it away.
    life: watch::Sender<Option<Arc<Life>>>,
    /// What boots of the running QEMU try first; `None`: the machine's own order.
    armed: Mutex<Option<BootTarget>>,
    news: mpsc::UnboundedSender<MachineNews>,
    unheard: Mutex<Option<mpsc::UnboundedReceiver<MachineNews>>>,
    /// Held by whoever changes the power, or the carrier.
    turn: tokio::sync::Mutex<()>,
    /// A fault has taken its carrier: every life begins without, until it is healed.
    unplugged: AtomicBool,
    /// It is to be off for good.
    halted: CancellationToken,
}

impl Machine {
    /// A machine that is off.
    pub fn new(spec: MachineSpec, mut setup: MachineSetup) -> Self {
        let taps = std::mem::take(&mut setup.taps);
        let (news, unheard) = mpsc::unbounded_channel();
        let machine = Self {
            inner: Arc::new(Inner {
                armed: Mutex::new(None),
                spec,
                setup,
                taps: Mutex::new(Arc::new(taps)),
                console: Console::default(),
                life: watch::Sender::new(None),
                news,
                unheard: Mutex::new(Some(unheard)),
                turn: tokio::sync::Mutex::new(()),
                unplugged: AtomicBool::new(false),
                halted: CancellationToken::new(),
            }),
        };
        machine.set_carrier(false);
        machine
    }

    /// What it was made from.
    pub fn spec(&self) -> &MachineSpec {
        &self.inner.spec
    }

    /// Its serial console.
    pub fn console(&self) -> &Console {
        &self.inner.console
    }

    /// Its phases.
    pub fn track(&self) -> &BootTrack {
        &self.inner.setup.track
    }

    /// What it does of its own accord. `None` when somebody listens already.
    pub fn news(&self) -> Option<mpsc::UnboundedReceiver<MachineNews>> {
        lock(&self.inner.unheard).take()
    }

    /// Whether it runs.
    pub fn is_on(&self) -> bool {
        self.inner.life.borrow().is_some()
    }

    /// Process id of its QEMU, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.inner.life.borrow().as_ref().and_then(|life| life.pid)
    }

    /// Powers it on and returns once its guest runs. `first` comes first in this boot and those
    /// after it, until [`arm`](Self::arm) says otherwise; `None`: the machine's own order. Fine
    /// when it is on already.
    pub async fn power_on(
        &self,
        first: Option<BootTarget>,
        cause: &str,
    ) -> Result<(), MachineError> {
        let _turn = self.inner.turn.lock().await;
        if self.is_on() {
            return Ok(());
        }
        if self.inner.halted.is_cancelled() {
            return Err(self.off());
        }
        self.inner.console.begin_boot();
        self.attach_queues();
        self.set_carrier(true);
        let taps = self.taps();
        let launch = launch::launch(&self.inner.spec, &taps, first);
        // A QEMU that hangs as it starts must not hold up the end of the lab.
        let launched = self.inner.halted.run_until_cancelled(launch).await;
        let launched = launched
            .ok_or_else(|| self.off())
            .and_then(|launched| launched.map_err(MachineError::from))
            .inspect_err(|_| self.set_carrier(false))?;
        if self.is_unplugged() {
            // No frame has passed: the far end is down already. Now its guest sees it, too.
            self.set_links(&launched.qmp, false).await?;
        }
        *lock(&self.inner.armed) = first;
        let track = self.track();
        track.power(true, cause);
        track.begin();
        let (life, keeper) = keeper::keep(self, launched);
        self.inner.life.send_replace(Some(life));
        self.inner.setup.tasks.spawn(keeper);
        Ok(())
    }

    /// Pulls the plug and returns once nothing runs any more. Fine when it is off already.
    pub async fn power_off(&self, cause: &str) {
        let _turn = self.inner.turn.lock().await;
        self.cut(cause).await;
    }

    async fn cut(&self, cause: &str) {
        let life = self.inner.life.borrow().clone();
        if let Some(life) = life {
            life.cut(cause);
            self.ended().await;
        }
    }

    /// Waits until it is off.
    pub async fn ended(&self) {
        // The sender lives in `self`, so the channel cannot close.
        let _ = self.inner.life.subscribe().wait_for(Option::is_none).await;
    }

    /// Hard reset. Returns once QEMU has done it and the firmware starts anew.
    pub async fn reset(&self, first: Option<BootTarget>) -> Result<(), MachineError> {
        let _turn = self.inner.turn.lock().await;
        let life = self.life()?;
        self.arm_life(&life, first).await?;
        let mut resets = life.resets.subscribe();
        resets.mark_unchanged();
        let done = life.qmp.run(commands::system_reset {}).await;
        done.map_err(self.failed("reset"))?;
        tokio::select! {
            reset = timeout(RESET_PATIENCE, resets.changed()) => match reset {
                Ok(Ok(())) => Ok(()),
                _ => Err(MachineError::NoReset {
                    machine: self.inner.spec.name.clone(),
                }),
            },
            () = self.ended() => Err(self.off()),
        }
    }

    /// Pulls the cables of all its NICs, or plugs them in again: neither its guest nor the far ends
    /// have carrier then. It stays so from one power-on to the next.
    pub async fn set_plugged(&self, plugged: bool) -> Result<(), MachineError> {
        let _turn = self.inner.turn.lock().await;
        self.inner.unplugged.store(!plugged, Ordering::Release);
        let Ok(life) = self.life() else {
            return Ok(());
        };
        self.set_carrier(true);
        self.set_links(&life.qmp, plugged).await
    }

    /// Whether its cables are pulled.
    pub fn is_unplugged(&self) -> bool {
        self.inner.unplugged.load(Ordering::Acquire)
    }

    async fn set_links(&self, qmp: &Qmp, up: bool) -> Result<(), MachineError> {
        for index in 0..self.inner.spec.nics.len() {
            let name = Bootable::Nic(index).id();
            let done = qmp.run(commands::set_link { name, up }).await;
            done.map_err(self.failed("set the links of"))?;
        }
        Ok(())
    }

    /// Says what the next boots of the running machine try first, however they come about; `None`:
    /// the machine's own order. Nothing happens when it is off.
    pub async fn arm(&self, first: Option<BootTarget>) -> Result<(), MachineError> {
        match self.life() {
            Ok(life) => self.arm_life(&life, first).await,
            Err(_) => Ok(()),
        }
    }

    async fn arm_life(&self, life: &Life, first: Option<BootTarget>) -> Result<(), MachineError> {
        if *lock(&self.inner.armed) == first {
            return Ok(());
        }
        // QEMU hands the order to the firmware at the next reset. No two devices may have the same
        // place at any time, so all give up theirs first.
        let order = boot_order(&self.inner.spec, first);
        let none = order.iter().map(|(id, _)| (id, -1));
        let places = order.iter().map(|(id, place)| (id, i64::from(*place)));
        for (id, place) in none.chain(places) {
            let path = format!("/machine/peripheral/{id}");
            let done = life.qmp.qom_set(&path, "bootindex", json!(place)).await;
            done.map_err(self.failed("set the boot order of"))?;
        }
        *lock(&self.inner.armed) = first;
        Ok(())
    }

    /// Presses the ACPI power button and returns at once.
    pub async fn shutdown(&self) -> Result<(), MachineError> {
        let done = self.life()?.qmp.run(commands::system_powerdown {}).await;
        done.map(|_| ())
            .map_err(self.failed("press the power button of"))
    }

    /// Sends a diagnostic interrupt.
    pub async fn nmi(&self) -> Result<(), MachineError> {
        let done = self.life()?.qmp.run(commands::inject_nmi {}).await;
        done.map(|_| ()).map_err(self.failed("send an NMI to"))
    }

    /// Takes it down in order and for good: the power button and `grace` for the guest, then the
    /// plug. Nothing powers it on again.
    pub async fn halt(&self, grace: Duration, cause: &str) {
        let in_order = async {
            if self.shutdown().await.is_ok() {
                self.ended().await;
            }
        };
        // A guest that takes no notice, or a QEMU that hangs, is what the plug is for.
        let _ = timeout(grace, in_order).await;
        self.inner.halted.cancel();
        // Whoever has the turn may wait for a QEMU that does not answer.
        if let Ok(life) = self.life() {
            life.cut(cause);
        }
        self.power_off(cause).await;
    }

    /// Runs a program in the guest, through its agent, once that listens. `patience` bounds the whole.
    pub async fn exec(
        &self,
        command: &AgentCommand,
        patience: Duration,
    ) -> Result<AgentOutput, MachineError> {
        let life = self.life()?;
        let mut off = self.inner.life.subscribe();
        let machine = self.inner.spec.name.clone();
        let end = Instant::now() + patience;
        let contact = patience.min(CONTACT);
        let mut listening = life.listening.subscribe();
        tokio::select! {
            heard = timeout(contact, listening.wait_for(|it| *it)) => if heard.is_err() {
                return Err(MachineError::NoAgent { machine, waited: contact });
            },
            _ = off.wait_for(Option::is_none) => return Err(MachineError::Off { machine }),
        }
        let patience = end.saturating_duration_since(Instant::now());
        let mut resets = life.resets.subscribe();
        // Without these two, a command that the guest took down with it would keep the channel
        // from whoever asks the next boot.
        tokio::select! {
            done = life.agent.exec(command, patience) => {
                done.map_err(|source| MachineError::Agent { machine, source })
            }
            Ok(()) = resets.changed() => Err(MachineError::Rebooted { machine }),
            _ = off.wait_for(Option::is_none) => Err(MachineError::Off { machine }),
        }
    }

    fn life(&self) -> Result<Arc<Life>, MachineError> {
        self.inner.life.borrow().clone().ok_or_else(|| self.off())
    }

    fn off(&self) -> MachineError {
        MachineError::Off {
            machine: self.inner.spec.name.clone(),
        }
    }

    fn failed(&self, act: &'static str) -> impl FnOnce(QmpError) -> MachineError {
        let machine = self.inner.spec.name.clone();
        move |source| MachineError::Monitor {
            act,
            machine,
            source,
        }
    }

    fn taps(&self) -> Arc<Vec<Tap>> {
        lock(&self.inner.taps).clone()
    }

    /// Lets go of its TAP devices, whose names another machine may have then. It must have been halted.
    pub fn release_taps(&self) {
        *lock(&self.inner.taps) = Arc::default();
    }

    fn attach_queues(&self) {
        for tap in self.taps().iter() {
            if let Err(error) = tap.attach_queues() {
                tracing::warn!(machine = %self.inner.spec.name, %error, "attach queues of a TAP");
            }
        }
    }

    /// Carrier of the far ends: there is none without power, nor while the cables are pulled.
    fn set_carrier(&self, power: bool) {
        let on = power && !self.is_unplugged();
        for tap in self.taps().iter() {
            if let Err(error) = tap.set_carrier(on) {
                tracing::warn!(machine = %self.inner.spec.name, %error, "set carrier of a TAP");
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
