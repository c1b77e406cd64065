//! What the chassis can be told, and what it answers.

use super::{Identify, Power, PowerPolicy};
use crate::boot::BootOverride;
use std::fmt;

/// An order about power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PowerCommand {
    /// Power on. Nothing happens when it is on.
    On,
    /// Power off at once. Nothing happens when it is off.
    Off,
    /// Off, a pause, on.
    Cycle,
    /// Hard reset.
    Reset,
    /// Ask the guest to shut down (ACPI). Nothing happens when it is off.
    Shutdown,
    /// Ask the guest to shut down, and power on again once it has.
    Restart,
    /// Diagnostic interrupt.
    Nmi,
    /// Push the power button: on when off, a polite shutdown when on.
    Button,
}

impl PowerCommand {
    /// Commands that mean nothing to a machine that is off (IPMI 2.0 section 28.3 recommends an
    /// error rather than silence for these).
    pub fn needs_power(self) -> bool {
        matches!(self, Self::Cycle | Self::Reset | Self::Restart | Self::Nmi)
    }
}

impl fmt::Display for PowerCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "power on",
            Self::Off => "power off",
            Self::Cycle => "power cycle",
            Self::Reset => "reset",
            Self::Shutdown => "shutdown",
            Self::Restart => "restart",
            Self::Nmi => "diagnostic interrupt",
            Self::Button => "power button",
        })
    }
}

/// Why the machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Nobody knows.
    Unknown,
    /// An IPMI command.
    Ipmi,
    /// A Redfish action.
    Redfish,
    /// A person or a scenario that acts as the BMC's client would, by `placemat power`.
    Operator,
    /// The lab itself, at its start: the hand that first presses the button. Faults of the BMC
    /// do not stand in its way.
    Lab,
    /// Mains power came back, and the policy is always-on.
    PolicyAlwaysOn,
    /// Mains power came back, and the policy is previous.
    PolicyPrevious,
    /// The guest rebooted itself.
    GuestReset,
}

impl Cause {
    /// The code of Get System Restart Cause (IPMI 2.0 section 28.11).
    pub fn code(self) -> u8 {
        match self {
            Self::Unknown => 0x0,
            Self::Ipmi | Self::Redfish | Self::Operator => 0x1,
            Self::Lab => 0x3,
            Self::PolicyAlwaysOn => 0x6,
            Self::PolicyPrevious => 0x7,
            Self::GuestReset => 0xa,
        }
    }

    /// Whether a command to the BMC was behind it.
    pub fn is_command(self) -> bool {
        self.code() == 0x1
    }
}

/// Something that happened to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// It was powered on and obeyed this override.
    Started(Option<BootOverride>),
    /// It was powered off.
    Stopped,
    /// It was reset on command and obeyed this override.
    WasReset(Option<BootOverride>),
    /// It failed to do what it was told.
    Failed,
    /// The guest powered it off.
    GuestOff,
    /// The guest rebooted it.
    GuestReset,
    /// It was seen to be on or off, by whatever cause.
    Observed(Power),
    /// The plug was pulled.
    MainsLost,
    /// The plug is back.
    MainsBack,
}

/// What the chassis is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// An order about power, and who gave it.
    Power(PowerCommand, Cause),
    /// Sets or clears the boot override.
    SetBoot(Option<BootOverride>),
    /// Sets what to do when mains power comes back.
    SetPolicy(PowerPolicy),
    /// Sets the identify light.
    Identify(Identify),
    /// Reports what happened.
    Fact(Fact),
}

/// What must be done to the machine, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Power it on, by the override that holds at that moment. Report `Started` or `Failed`.
    PowerOn,
    /// Power it off. Report `Stopped` or `Failed`.
    PowerOff,
    /// Wait between off and on (IPMI 2.0 section 28.3: at least a second).
    Pause,
    /// Reset it. Report `WasReset` or `Failed`.
    Reset,
    /// Press its ACPI power button.
    Shutdown,
    /// Send it a diagnostic interrupt.
    Nmi,
    /// Tell it which override its next reset obeys.
    ArmBoot,
}

impl Effect {
    /// The act in words, for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::PowerOn => "power the machine on",
            Self::PowerOff => "power the machine off",
            Self::Pause => "wait between off and on",
            Self::Reset => "reset the machine",
            Self::Shutdown => "ask the guest to shut down",
            Self::Nmi => "send a diagnostic interrupt",
            Self::ArmBoot => "set what the next boot starts from",
        }
    }
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It needs a machine that is on.
    #[error("{0} needs a machine that is on, and it is off")]
    PoweredOff(PowerCommand),
    /// There is no mains power.
    #[error("the server has no mains power")]
    NoMains,
}
