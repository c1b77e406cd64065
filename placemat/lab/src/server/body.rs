//! What is behind a BMC: a QEMU machine, services in a namespace, or nothing.

use super::track::BootTrack;
use crate::machine::{DeathPolicy, Machine};
use crate::unit::Unit;
use async_trait::async_trait;
use placemat_bmc::Bmc;
use placemat_bmc::boot::BootOverride;
use placemat_bmc::hardware::{Hardware, HardwareError};
use placemat_spec::event::BootPhase;
use std::sync::atomic::{AtomicBool, Ordering};

/// A server's body.
#[derive(Debug)]
pub enum Body {
    /// Tiers `full` and `kernel`: a virtual machine.
    Machine(Machine),
    /// Tier `netns`: the image's services as processes.
    Unit {
        /// The processes.
        unit: Unit,
        /// Its phases.
        track: BootTrack,
    },
    /// Tier `mock`: a chassis with nothing in it.
    Mock(MockBody),
}

/// Nothing but a power state.
#[derive(Debug)]
pub struct MockBody {
    on: AtomicBool,
    track: BootTrack,
}

impl MockBody {
    /// A mock that is off.
    pub fn new(track: BootTrack) -> Self {
        Self {
            on: AtomicBool::new(false),
            track,
        }
    }

    fn set(&self, on: bool) {
        self.on.store(on, Ordering::Release);
        if on {
            self.track.begin();
        } else {
            self.track.end();
        }
        self.track.power(on, "bmc");
    }
}

impl Body {
    /// Lets the body tell its BMC what happens by itself.
    pub(super) fn attach(&self, bmc: &Bmc) {
        if let Self::Machine(machine) = self {
            machine.attach(bmc.clone(), DeathPolicy::default());
        }
    }

    /// The virtual machine, where there is one.
    pub fn machine(&self) -> Option<&Machine> {
        match self {
            Self::Machine(machine) => Some(machine),
            Self::Unit { .. } | Self::Mock(_) => None,
        }
    }
}

fn failed(error: impl std::fmt::Display) -> HardwareError {
    HardwareError::Failed(error.to_string())
}

async fn start_unit(unit: &Unit, track: &BootTrack) -> Result<(), HardwareError> {
    track.begin();
    let ready = unit.power_on("bmc").await.map_err(failed)?;
    // A namespace has no firmware: it is in its own userspace at once, and its services run when
    // the unit says that they are ready. Nobody waits for that, as nobody does for a machine.
    track.reach(BootPhase::Userspace, Some("network".into()));
    let (track, boot) = (track.clone(), track.boots());
    unit.tasks().spawn(async move {
        if ready.wait().await && track.boots() == boot {
            track.reach(BootPhase::Agent, None);
        }
    });
    Ok(())
}

async fn stop_unit(unit: &Unit, track: &BootTrack) -> Result<(), HardwareError> {
    unit.power_off("bmc").await.map_err(failed)?;
    track.end();
    Ok(())
}

#[async_trait]
impl Hardware for Body {
    async fn power_on(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        match self {
            Self::Machine(machine) => Hardware::power_on(machine, boot).await,
            Self::Unit { unit, track } => start_unit(unit, track).await,
            Self::Mock(mock) => {
                mock.set(true);
                Ok(())
            }
        }
    }

    async fn power_off(&self) -> Result<(), HardwareError> {
        match self {
            Self::Machine(machine) => Hardware::power_off(machine).await,
            Self::Unit { unit, track } => stop_unit(unit, track).await,
            Self::Mock(mock) => {
                mock.set(false);
                Ok(())
            }
        }
    }

    async fn reset(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        match self {
            Self::Machine(machine) => Hardware::reset(machine, boot).await,
            Self::Unit { unit, track } => {
                stop_unit(unit, track).await?;
                start_unit(unit, track).await
            }
            Self::Mock(mock) => {
                mock.set(true);
                Ok(())
            }
        }
    }

    async fn shutdown(&self) -> Result<(), HardwareError> {
        match self {
            Self::Machine(machine) => Hardware::shutdown(machine).await,
            // Processes have no power button: their init is told, which is what the button does.
            Self::Unit { unit, track } => stop_unit(unit, track).await,
            Self::Mock(mock) => {
                mock.set(false);
                Ok(())
            }
        }
    }

    async fn arm_boot(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        match self {
            Self::Machine(machine) => machine.arm_boot(boot).await,
            // A namespace and a mock have one thing to boot.
            Self::Unit { .. } | Self::Mock(_) => Ok(()),
        }
    }

    async fn nmi(&self) -> Result<(), HardwareError> {
        match self.machine() {
            Some(machine) => Hardware::nmi(machine).await,
            None => Err(HardwareError::Unsupported("take a diagnostic interrupt")),
        }
    }

    fn has_nmi(&self) -> bool {
        self.machine().is_some_and(Hardware::has_nmi)
    }

    async fn is_on(&self) -> bool {
        match self {
            Self::Machine(machine) => Hardware::is_on(machine).await,
            Self::Unit { unit, .. } => unit.is_on(),
            Self::Mock(mock) => mock.on.load(Ordering::Acquire),
        }
    }
}
