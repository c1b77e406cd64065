//! Serial consoles.

use super::Lab;
use crate::machine::ConsoleSession;
use placemat_spec::selector::Target;

impl Lab {
    /// Attaches to the serial console of a VM.
    pub fn console(&self, target: &Target) -> Result<ConsoleSession, String> {
        let machine = self
            .node_server(target)
            .and_then(|server| server.body().machine());
        let machine = machine.ok_or_else(|| {
            format!("{target} has no serial console: only VMs (tier full, kernel) do")
        })?;
        Ok(machine.console().attach())
    }
}
