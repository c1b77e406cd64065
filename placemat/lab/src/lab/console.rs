//! What a server shows: its serial console, and its screen.

use super::Lab;
use crate::error::{ActError, chain};
use crate::machine::{ConsoleSession, Machine, ScreenError};
use placemat_spec::selector::Target;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where pictures of screens are in the run directory, until their client takes them away.
const SCREENS: &str = "screens";

impl Lab {
    /// Attaches to the serial console of a VM.
    pub fn console(&self, target: &Target) -> Result<ConsoleSession, ActError> {
        let machine = self.vm(target, "serial console")?;
        Ok(machine.console().attach())
    }

    /// Makes a picture of a VM's screen: the name of a PNG file in the run directory.
    pub async fn screenshot(&self, target: &Target) -> Result<String, ActError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let machine = self.vm(target, "screen")?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let file = format!("{SCREENS}/{}-{number}.png", target.name);
        let path = self.inner.options.run_dir.join(&file);
        let folder = self.inner.options.run_dir.join(SCREENS);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("create {}: {error}", folder.display()))?;
        match machine.screenshot(&path).await {
            Ok(()) => Ok(file),
            Err(error @ ScreenError::None { .. }) => Err(ActError::refused(chain(&error))),
            Err(error) => Err(ActError::failed(chain(&error))),
        }
    }

    fn vm(&self, target: &Target, what: &str) -> Result<Machine, ActError> {
        self.machine(target).ok_or_else(|| {
            ActError::refused(format!(
                "{target} has no {what}: only VMs (tier full, kernel) do"
            ))
        })
    }
}
