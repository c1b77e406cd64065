//! The machine behind a BMC, as the BMC sees it. The lab implements this on QEMU, on processes
//! in a namespace, or on nothing; the BMC knows no difference.

use crate::boot::BootOverride;
use async_trait::async_trait;

/// Why the machine did not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HardwareError {
    /// This machine cannot do that at all.
    #[error("the machine cannot {0}")]
    Unsupported(&'static str),
    /// It can, and it failed: a sentence that names object and act.
    #[error("{0}")]
    Failed(String),
}

/// The acts of a machine. The BMC calls them one at a time, never two at once.
///
/// The BMC learns what the machine does of its own accord through
/// [`Bmc::note_guest_off`](crate::Bmc::note_guest_off) and
/// [`Bmc::note_guest_reset`](crate::Bmc::note_guest_reset); the acts below must not be reported
/// there again. An act must not wait for any other method of its [`Bmc`](crate::Bmc): that one
/// waits for the act.
#[async_trait]
pub trait Hardware: Send + Sync + 'static {
    /// Powers the machine on and returns once it runs. Called only while it is off, which
    /// includes a machine whose guest powered itself off. `boot` is the override in force; `None`
    /// leaves the machine's own order.
    async fn power_on(&self, boot: Option<BootOverride>) -> Result<(), HardwareError>;

    /// Cuts power and returns once nothing runs any more. Fine when it is off already.
    async fn power_off(&self) -> Result<(), HardwareError>;

    /// Hard reset: returns once the machine has been reset and starts its firmware anew, booting
    /// by `boot`.
    async fn reset(&self, boot: Option<BootOverride>) -> Result<(), HardwareError>;

    /// Presses the ACPI power button and returns at once; the guest may take its time, or ignore
    /// it. What is off when this returns need not be reported.
    async fn shutdown(&self) -> Result<(), HardwareError>;

    /// Says which override the next reset of the running machine obeys, so that a reboot by the
    /// guest itself obeys it too. Called when the override changes while the machine is on, and
    /// after a boot has used up a one-time override.
    async fn arm_boot(&self, boot: Option<BootOverride>) -> Result<(), HardwareError>;

    /// Sends a diagnostic interrupt.
    async fn nmi(&self) -> Result<(), HardwareError> {
        Err(HardwareError::Unsupported("take a diagnostic interrupt"))
    }

    /// Whether [`nmi`](Self::nmi) works, so that nobody offers what is not there.
    fn has_nmi(&self) -> bool {
        false
    }

    /// Whether the machine runs now: the truth. A guest that powered itself off is off.
    async fn is_on(&self) -> bool;
}
