//! What can be done to the power of something.

use serde::{Deserialize, Serialize};

/// Actions on power, in the words of Redfish's `ComputerSystem.Reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PowerAction {
    /// Power on.
    On,
    /// Power off at once.
    ForceOff,
    /// Ask the guest to shut down.
    GracefulShutdown,
    /// Ask the guest to restart.
    GracefulRestart,
    /// Hard reset.
    ForceRestart,
    /// Off, then on.
    PowerCycle,
}
