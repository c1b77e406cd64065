//! The handle on one BMC: holds the chassis, carries out its effects on the machine one at a
//! time, and is what IPMI, Redfish, the CLI and scenarios all call.

use crate::boot::BootOverride;
use crate::chassis::{
    Cause, Chassis, Command, Effect, Fact, Identify, Power, PowerCommand, PowerPolicy, Refusal,
};
use crate::fault::{Fault, Faults};
use crate::hardware::{Hardware, HardwareError};
use crate::identity::Identity;
use crate::redfish::Limits;
use crate::sel::{Event, Sel};
use crate::user::{Accounts, LockoutPolicy, UserTable};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Why a BMC did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// The rules forbid it now.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The machine could not.
    #[error("{command}")]
    Machine {
        /// What was to be done.
        command: &'static str,
        /// Why it was not.
        source: HardwareError,
    },
    /// Too many orders wait for their turn already.
    #[error("too many commands wait for the machine")]
    Busy,
    /// The plug was pulled in the middle of it.
    #[error("mains power went away during the command")]
    Interrupted,
}

/// Orders that may wait for their turn. Clients send again what takes long, so there may be some.
const QUEUE: usize = 64;

/// What a BMC is made from.
pub struct Settings {
    /// Names and numbers.
    pub identity: Identity,
    /// Who may log in.
    pub users: UserTable,
    /// When users are locked out.
    pub lockout: LockoutPolicy,
    /// What to do when mains power comes back.
    pub policy: PowerPolicy,
    /// How long a power cycle stays off (IPMI 2.0 section 28.3: at least a second).
    pub cycle_pause: Duration,
    /// What a client of Redfish may take up.
    pub limits: Limits,
    /// Faults in effect from the start.
    pub faults: Faults,
}

impl Settings {
    /// The usual: nobody is locked out, the previous state comes back after a loss of mains power, a
    /// second's pause in a power cycle, no faults.
    pub fn new(identity: Identity, users: UserTable) -> Self {
        Self {
            identity,
            users,
            lockout: LockoutPolicy::default(),
            policy: PowerPolicy::Previous,
            cycle_pause: Duration::from_secs(1),
            limits: Limits::default(),
            faults: Faults::default(),
        }
    }
}

/// A BMC. Clones are the same BMC.
#[derive(Clone)]
pub struct Bmc {
    inner: Arc<Inner>,
}

struct Inner {
    identity: RwLock<Arc<Identity>>,
    accounts: Accounts,
    cycle_pause: Duration,
    limits: Limits,
    hardware: Arc<dyn Hardware>,
    born: Instant,
    chassis: watch::Sender<Chassis>,
    faults: watch::Sender<Faults>,
    sel: std::sync::Mutex<Sel>,
    /// Held by whoever acts on the machine, so that effects never mix.
    turn: Mutex<()>,
    tasks: TaskTracker,
    runtime: Handle,
}

impl Bmc {
    /// A BMC in front of a machine that is off. Its acts run on the Tokio runtime that this is
    /// called in, from whatever thread they are asked for.
    pub fn new(settings: Settings, hardware: Arc<dyn Hardware>) -> Self {
        let mut chassis = Chassis::default();
        chassis.policy = settings.policy;
        Self {
            inner: Arc::new(Inner {
                identity: RwLock::new(Arc::new(settings.identity)),
                accounts: Accounts::new(settings.users, settings.lockout),
                cycle_pause: settings.cycle_pause,
                limits: settings.limits,
                hardware,
                born: Instant::now(),
                chassis: watch::Sender::new(chassis),
                faults: watch::Sender::new(settings.faults),
                sel: std::sync::Mutex::default(),
                turn: Mutex::new(()),
                tasks: TaskTracker::new(),
                runtime: Handle::current(),
            }),
        }
    }

    /// Names and numbers.
    pub fn identity(&self) -> Arc<Identity> {
        let identity = self.inner.identity.read();
        identity.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It is told its address, with the length of its network's prefix in bits. Those who serve it
    /// there do so by themselves.
    pub fn set_address(&self, address: IpAddr, prefix_len: u8) {
        let identity = self.inner.identity.write();
        let mut identity = identity.unwrap_or_else(PoisonError::into_inner);
        let identity = Arc::make_mut(&mut *identity);
        (identity.address, identity.prefix_len) = (address, prefix_len);
    }

    /// The users, listed.
    pub fn users(&self) -> &UserTable {
        self.inner.accounts.users()
    }

    /// The users, logging in.
    pub fn accounts(&self) -> &Accounts {
        &self.inner.accounts
    }

    /// What a client of Redfish may take up.
    pub fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// Works on the event log; `work` gets the time too, in seconds since 1970.
    pub fn sel<T>(&self, work: impl FnOnce(&mut Sel, i64) -> T) -> T {
        let mut sel = self
            .inner
            .sel
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(&mut sel, jiff::Timestamp::now().as_second())
    }

    /// Whether the machine takes a diagnostic interrupt.
    pub fn has_nmi(&self) -> bool {
        self.inner.hardware.has_nmi()
    }

    /// Time since this BMC came to be: the clock of [`Chassis`].
    pub fn uptime(&self) -> Duration {
        self.inner.born.elapsed()
    }

    /// The chassis as it is now, as far as the BMC knows (or says: see [`Fault::LiesAboutPower`]).
    pub fn chassis(&self) -> Chassis {
        self.inner.chassis.borrow().clone()
    }

    /// Follows the chassis.
    pub fn watch(&self) -> watch::Receiver<Chassis> {
        self.inner.chassis.subscribe()
    }

    /// Carries out an order about power and returns once it is done: `On`, `Off`, `Cycle` and
    /// `Reset` when the machine is there, `Shutdown` and `Restart` when the guest was told.
    /// Dropping the future does not stop what has begun.
    pub async fn power(&self, command: PowerCommand, cause: Cause) -> Result<(), ActError> {
        let trusted = cause == Cause::Lab;
        if !trusted {
            self.admit()?;
        }
        self.act(Command::Power(command, cause), trusted).await
    }

    /// Sets or clears the boot override. It holds from the moment of the call, for boots that
    /// the guest starts itself too; returns once the machine knows.
    pub async fn set_boot(&self, boot: Option<BootOverride>) -> Result<(), ActError> {
        self.admit()?;
        self.act_at_once(Command::SetBoot(boot)).await
    }

    /// Sets what to do when mains power comes back.
    pub fn set_policy(&self, policy: PowerPolicy) {
        self.change(&Command::SetPolicy(policy));
    }

    /// Sets the identify light.
    pub fn set_identify(&self, identify: Identify) {
        self.change(&Command::Identify(identify));
    }

    /// The lab saw that the guest powered the machine off. Returns at once; a machine that runs
    /// (again) by the time the news is looked at stays on.
    pub fn note_guest_off(&self) {
        let bmc = self.clone();
        self.spawn(async move {
            let _turn = bmc.inner.turn.lock().await;
            if !bmc.lies() && !bmc.inner.hardware.is_on().await {
                bmc.follow(&Command::Fact(Fact::GuestOff), false).await.ok();
            }
        });
    }

    /// The lab saw that the guest rebooted the machine. Returns at once.
    pub fn note_guest_reset(&self) {
        let bmc = self.clone();
        self.spawn(async move {
            let _turn = bmc.inner.turn.lock().await;
            bmc.follow(&Command::Fact(Fact::GuestReset), false)
                .await
                .ok();
        });
    }

    /// Pulls the plug: the machine goes off, the BMC falls silent and forgets its sessions.
    /// Returns once nothing runs.
    pub async fn mains_lost(&self) -> Result<(), ActError> {
        self.act_at_once(Command::Fact(Fact::MainsLost)).await
    }

    /// Puts the plug back: the BMC answers again, and the machine starts if the policy says so.
    /// Returns once it has.
    pub async fn mains_back(&self) -> Result<(), ActError> {
        self.act(Command::Fact(Fact::MainsBack), true).await
    }

    /// Sets or lifts a fault of the BMC itself.
    pub fn set_fault(&self, fault: Fault, active: bool) {
        let changed = self
            .inner
            .faults
            .send_if_modified(|faults| faults.set(fault, active));
        if changed && fault == Fault::LiesAboutPower && !active {
            let bmc = self.clone();
            self.spawn(async move {
                let _turn = bmc.inner.turn.lock().await;
                let on = bmc.inner.hardware.is_on().await;
                let power = if on { Power::On } else { Power::Off };
                bmc.change(&Command::Fact(Fact::Observed(power)));
            });
        }
    }

    /// The faults in effect.
    pub fn faults(&self) -> Faults {
        self.inner.faults.borrow().clone()
    }

    /// Whether the BMC answers at all: it has mains power, and no fault silences it.
    pub fn is_reachable(&self) -> bool {
        self.inner.chassis.borrow().mains && !self.inner.faults.borrow().has(Fault::Unreachable)
    }

    /// Waits until [`is_reachable`](Self::is_reachable) is `wanted`.
    pub async fn until_reachable(&self, wanted: bool) {
        let mut chassis = self.inner.chassis.subscribe();
        let mut faults = self.inner.faults.subscribe();
        while self.is_reachable() != wanted {
            // The senders live in `self`, so neither channel can close.
            tokio::select! {
                _ = chassis.changed() => {}
                _ = faults.changed() => {}
            }
        }
    }

    /// Waits for every act that has begun. Call it once the front ends have ended.
    pub async fn close(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Fails when the queue is full. The lab's own acts and what the machine does need no room.
    fn admit(&self) -> Result<(), ActError> {
        let full = self.inner.tasks.len() >= QUEUE;
        if full { Err(ActError::Busy) } else { Ok(()) }
    }

    /// Takes its turn, then decides, then does.
    async fn act(&self, command: Command, trusted: bool) -> Result<(), ActError> {
        let bmc = self.clone();
        let task = self.spawn(async move {
            let _turn = bmc.inner.turn.lock().await;
            bmc.follow(&command, trusted).await
        });
        task.await.unwrap_or(Err(ActError::Interrupted))
    }

    /// Decides at once, and does when its turn comes.
    async fn act_at_once(&self, command: Command) -> Result<(), ActError> {
        let effects = self.step(&command)?;
        let bmc = self.clone();
        let task = self.spawn(async move {
            let _turn = bmc.inner.turn.lock().await;
            bmc.perform_all(effects, true).await
        });
        task.await.unwrap_or(Err(ActError::Interrupted))
    }

    async fn follow(&self, command: &Command, trusted: bool) -> Result<(), ActError> {
        let effects = self.step(command)?;
        self.perform_all(effects, trusted).await
    }

    /// Performs effects, and those that follow from their success.
    async fn perform_all(&self, effects: Vec<Effect>, trusted: bool) -> Result<(), ActError> {
        for effect in effects {
            let mains_needed = effect != Effect::PowerOff;
            if mains_needed && !self.inner.chassis.borrow().mains {
                return Err(ActError::Interrupted);
            }
            let pretend = self.lies() && !trusted;
            match self.perform(effect, pretend).await {
                Ok(Some(fact)) => {
                    let further = self.step(&Command::Fact(fact))?;
                    Box::pin(self.perform_all(further, trusted)).await?;
                }
                Ok(None) => {}
                Err(source) => {
                    tracing::warn!(node = %self.identity().name, ?effect, error = %source, "act on machine");
                    self.change(&Command::Fact(Fact::Failed));
                    return Err(ActError::Machine {
                        command: effect.words(),
                        source,
                    });
                }
            }
        }
        Ok(())
    }

    /// Does one thing to the machine, or only pretends to, and says what came of it.
    async fn perform(&self, effect: Effect, pretend: bool) -> Result<Option<Fact>, HardwareError> {
        let hardware = &self.inner.hardware;
        let boot = self.inner.chassis.borrow().boot;
        tracing::debug!(node = %self.identity().name, ?effect, pretend, "act on machine");
        match effect {
            Effect::Pause => {
                let mut chassis = self.inner.chassis.subscribe();
                let unplugged = chassis.wait_for(|chassis| !chassis.mains);
                // Running out of time is the ordinary end of the pause.
                let _ = tokio::time::timeout(self.inner.cycle_pause, unplugged).await;
                Ok(None)
            }
            Effect::PowerOn => {
                if !pretend {
                    hardware.power_on(boot).await?;
                }
                Ok(Some(Fact::Started(boot)))
            }
            Effect::PowerOff => {
                if !pretend {
                    hardware.power_off().await?;
                }
                Ok(Some(Fact::Stopped))
            }
            Effect::Reset => {
                if !pretend {
                    hardware.reset(boot).await?;
                }
                Ok(Some(Fact::WasReset(boot)))
            }
            Effect::Shutdown if pretend => Ok(Some(Fact::GuestOff)),
            Effect::Shutdown => {
                hardware.shutdown().await?;
                // A machine without a guest that takes its time is off already.
                let off = !hardware.is_on().await;
                Ok(off.then_some(Fact::GuestOff))
            }
            Effect::Nmi | Effect::ArmBoot if pretend => Ok(None),
            Effect::Nmi => hardware.nmi().await.map(|()| None),
            Effect::ArmBoot => hardware.arm_boot(boot).await.map(|()| None),
        }
    }

    fn spawn<T: Send + 'static>(
        &self,
        act: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.inner.tasks.spawn_on(act, &self.inner.runtime)
    }

    fn lies(&self) -> bool {
        self.inner.faults.borrow().has(Fault::LiesAboutPower)
    }

    /// A change without effects.
    fn change(&self, command: &Command) {
        // Only power commands are ever refused.
        let effects = self.step(command);
        debug_assert_eq!(effects, Ok(Vec::new()));
    }

    fn log(&self, events: &[Event]) {
        for event in events {
            // A full log says so itself, to whoever reads it.
            self.sel(|sel, now| sel.note(now, *event)).ok();
        }
    }

    fn step(&self, command: &Command) -> Result<Vec<Effect>, Refusal> {
        let now = self.uptime();
        let mut answer = Ok(Vec::new());
        self.inner
            .chassis
            .send_if_modified(|chassis| match chassis.step(now, command) {
                Ok((next, effects)) => {
                    answer = Ok(effects);
                    self.log(&Event::of(chassis, command, &next));
                    let changed = *chassis != next;
                    *chassis = next;
                    changed
                }
                Err(refusal) => {
                    answer = Err(refusal);
                    false
                }
            });
        answer
    }
}

impl std::fmt::Debug for Bmc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bmc")
            .field("name", &self.identity().name)
            .finish_non_exhaustive()
    }
}
