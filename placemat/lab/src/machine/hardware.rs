//! A machine as its BMC sees it.

use super::{BootTarget, Machine, MachineError, MachineNews};
use crate::error::chain;
use async_trait::async_trait;
use placemat_bmc::Bmc;
use placemat_bmc::boot::{BootOverride, BootSource};
use placemat_bmc::chassis::{Cause, PowerCommand};
use placemat_bmc::hardware::{Hardware, HardwareError};
use placemat_spec::event::{BootPhase, LabEventKind};
use std::time::Duration;
use tokio::time::timeout;

/// Deaths in a row, each before userspace, after which a machine stays off.
const DEATHS: u32 = 3;

/// How long the BMC may take to see that its machine is off.
const NOTICE: Duration = Duration::from_secs(10);

/// Name of the BMC in events about power.
const BMC: &str = "bmc";

/// What becomes of a machine whose QEMU was killed or crashed: nobody's command, so it is as if
/// the machine's own power had failed for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeathPolicy {
    /// It comes back on, as a server set to always-on does; but not after three deaths in a row
    /// that came before userspace.
    #[default]
    PowerOn,
    /// It stays off until told otherwise.
    StayOff,
}

/// What an override means to the firmware.
fn target(boot: Option<BootOverride>) -> Option<BootTarget> {
    match boot?.source {
        // The firmware boots over HTTP and has PXE switched off, so both mean the same.
        BootSource::Pxe | BootSource::UefiHttp => Some(BootTarget::Network),
        BootSource::Hdd => Some(BootTarget::Disk),
        BootSource::Cd | BootSource::BiosSetup => None,
    }
}

fn failed(error: &MachineError) -> HardwareError {
    HardwareError::Failed(chain(error))
}

#[async_trait]
impl Hardware for Machine {
    async fn power_on(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        self.power_on(target(boot), BMC)
            .await
            .map_err(|error| failed(&error))
    }

    async fn power_off(&self) -> Result<(), HardwareError> {
        self.power_off(BMC).await;
        Ok(())
    }

    async fn reset(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        self.reset(target(boot))
            .await
            .map_err(|error| failed(&error))
    }

    async fn shutdown(&self) -> Result<(), HardwareError> {
        self.shutdown().await.map_err(|error| failed(&error))
    }

    async fn arm_boot(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        self.arm(target(boot)).await.map_err(|error| failed(&error))
    }

    async fn nmi(&self) -> Result<(), HardwareError> {
        self.nmi().await.map_err(|error| failed(&error))
    }

    fn has_nmi(&self) -> bool {
        true
    }

    async fn is_on(&self) -> bool {
        self.is_on()
    }
}

impl Machine {
    /// Tells `bmc` what the machine does of its own accord, and brings it back by `policy` when
    /// its QEMU died. Works until the lab ends. To be called once.
    pub fn attach(&self, bmc: Bmc, policy: DeathPolicy) {
        let Some(mut news) = self.news() else {
            return;
        };
        let machine = self.clone();
        let cancel = self.inner.setup.cancel.clone();
        self.inner.setup.tasks.spawn(async move {
            let mut deaths = 0;
            while let Some(Some(news)) = cancel.run_until_cancelled(news.recv()).await {
                match news {
                    MachineNews::GuestOff => bmc.note_guest_off(),
                    MachineNews::GuestReset => bmc.note_guest_reset(),
                    MachineNews::Died { after, .. } => {
                        deaths = if after < BootPhase::Userspace {
                            deaths + 1
                        } else {
                            1
                        };
                        bmc.note_guest_off();
                        if policy == DeathPolicy::PowerOn {
                            cancel
                                .run_until_cancelled(machine.revive(&bmc, deaths))
                                .await;
                        }
                    }
                }
            }
        });
    }

    async fn revive(&self, bmc: &Bmc, deaths: u32) {
        let note = |text: String| self.track().note(LabEventKind::Note { text });
        if deaths >= DEATHS {
            note(format!("stays off: QEMU died {deaths} times in a row"));
            return;
        }
        let mut chassis = bmc.watch();
        let noticed = chassis.wait_for(|chassis| !chassis.is_on());
        if timeout(NOTICE, noticed).await.is_err() {
            note("stays off: its BMC says that it is on".into());
            return;
        }
        if let Err(error) = bmc.power(PowerCommand::On, Cause::PolicyAlwaysOn).await {
            note(format!("stays off: {}", chain(&error)));
        }
    }
}
