//! Serial consoles.

use super::Lab;
use crate::error::ActError;
use crate::machine::ConsoleSession;
use placemat_spec::selector::Target;

impl Lab {
    /// Attaches to the serial console of a VM.
    pub fn console(&self, target: &Target) -> Result<ConsoleSession, ActError> {
        let machine = self.machine(target).ok_or_else(|| {
            ActError::refused(format!(
                "{target} has no serial console: only VMs (tier full, kernel) do"
            ))
        })?;
        Ok(machine.console().attach())
    }
}
