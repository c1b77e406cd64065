//! The chassis: one pure state machine with all rules of power and boot. IPMI, Redfish, the CLI
//! and scenarios give it commands, the machine reports facts, and it answers with the next state
//! and the effects that somebody else must bring about.

mod command;

pub use command::{Cause, Command, Effect, Fact, PowerCommand, Refusal};

use crate::boot::{BootOverride, Persistence};
use std::time::Duration;

/// Power state of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Off; the BMC runs on standby power.
    Off,
    /// On.
    On,
}

/// What to do when mains power comes back (IPMI 2.0 section 28.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerPolicy {
    /// Stay off.
    AlwaysOff,
    /// Be as before.
    Previous,
    /// Power on.
    AlwaysOn,
}

/// The identify light (IPMI 2.0 section 28.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identify {
    /// Dark.
    Off,
    /// Lit until a moment, on the clock of [`Chassis::step`].
    Until(Duration),
    /// Lit until it is put out.
    On,
}

/// State of a chassis. All moments are durations since the BMC came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, as Get Chassis Status lists them"
)]
pub struct Chassis {
    /// Power state.
    pub power: Power,
    /// Whether mains power is there. Without it the BMC itself is dead.
    pub mains: bool,
    /// The boot override.
    pub boot: Option<BootOverride>,
    /// What to do when mains power comes back.
    pub policy: PowerPolicy,
    /// The identify light.
    pub identify: Identify,
    /// Why the machine last started.
    pub restart_cause: Cause,
    /// Whether it last came on by a command (rather than by itself).
    pub on_by_command: bool,
    /// How often mains power was lost. What lives in the BMC's memory only, as sessions do, is of
    /// one such number and no other.
    pub mains_losses: u32,
    /// Whether its last end was a loss of mains power.
    pub mains_was_lost: bool,
    /// Whether the machine failed to do what it was last told.
    pub power_fault: bool,
    /// How often it was powered on.
    pub power_ons: u32,
    /// How long it had been on before the current run.
    on_before: Duration,
    /// When the current run began.
    on_since: Option<Duration>,
    /// Who asked for the start that is under way.
    starting: Cause,
    /// Power on again as soon as the guest has shut down, and on whose behalf.
    restart: Option<Cause>,
    /// Whether it was on when mains power went.
    was_on: bool,
}

impl Default for Chassis {
    fn default() -> Self {
        Self {
            power: Power::Off,
            mains: true,
            boot: None,
            policy: PowerPolicy::Previous,
            identify: Identify::Off,
            restart_cause: Cause::Unknown,
            on_by_command: false,
            mains_losses: 0,
            mains_was_lost: false,
            power_fault: false,
            power_ons: 0,
            on_before: Duration::ZERO,
            on_since: None,
            starting: Cause::Unknown,
            restart: None,
            was_on: false,
        }
    }
}

impl Chassis {
    /// The next state and what must be done, or why the command is refused (then nothing
    /// changes). `now` is the time since the BMC came to be.
    pub fn step(&self, now: Duration, command: &Command) -> Result<(Self, Vec<Effect>), Refusal> {
        let mut next = self.clone();
        let effects = match *command {
            Command::Power(command, cause) => next.command(command, cause)?,
            Command::SetBoot(boot) => {
                next.boot = boot;
                next.arm()
            }
            Command::SetPolicy(policy) => {
                next.policy = policy;
                Vec::new()
            }
            Command::Identify(identify) => {
                next.identify = identify;
                Vec::new()
            }
            Command::Fact(fact) => next.note(now, fact),
        };
        Ok((next, effects))
    }

    /// Whether the machine is on.
    pub fn is_on(&self) -> bool {
        self.power == Power::On
    }

    /// Whether the identify light shines at `now`.
    pub fn identify_lit(&self, now: Duration) -> bool {
        match self.identify {
            Identify::Off => false,
            Identify::Until(end) => now < end,
            Identify::On => true,
        }
    }

    /// How long the machine has been on in all.
    pub fn time_on(&self, now: Duration) -> Duration {
        let run = self
            .on_since
            .map_or(Duration::ZERO, |since| now.saturating_sub(since));
        self.on_before + run
    }

    fn command(&mut self, command: PowerCommand, cause: Cause) -> Result<Vec<Effect>, Refusal> {
        if !self.mains {
            return Err(Refusal::NoMains);
        }
        if command.needs_power() && !self.is_on() {
            return Err(Refusal::PoweredOff(command));
        }
        self.restart = None; // whatever was pending, this is what is wanted now
        let effects = match (command, self.power) {
            (PowerCommand::On, Power::On)
            | (PowerCommand::Off | PowerCommand::Shutdown, Power::Off) => {
                return Ok(Vec::new());
            }
            (PowerCommand::On | PowerCommand::Button, Power::Off) => vec![Effect::PowerOn],
            (PowerCommand::Off, Power::On) => vec![Effect::PowerOff],
            (PowerCommand::Cycle, _) => vec![Effect::PowerOff, Effect::Pause, Effect::PowerOn],
            (PowerCommand::Reset, _) => vec![Effect::Reset],
            (PowerCommand::Shutdown | PowerCommand::Button, Power::On) => vec![Effect::Shutdown],
            (PowerCommand::Restart, _) => {
                self.restart = Some(cause);
                vec![Effect::Shutdown]
            }
            (PowerCommand::Nmi, _) => vec![Effect::Nmi],
        };
        self.starting = cause;
        Ok(effects)
    }

    fn note(&mut self, now: Duration, fact: Fact) -> Vec<Effect> {
        match fact {
            Fact::Started(booted) => {
                if !self.mains {
                    return Vec::new(); // the plug was pulled meanwhile
                }
                self.turn_on(now);
                self.power_ons += 1;
                self.power_fault = false;
                self.restart_cause = self.starting;
                self.on_by_command = self.starting.is_command();
                self.mains_was_lost = false;
                self.use_up(booted)
            }
            Fact::Stopped => {
                self.power_fault = false;
                self.turn_off(now);
                Vec::new()
            }
            Fact::WasReset(booted) => {
                self.power_fault = false;
                self.restart_cause = self.starting;
                self.use_up(booted)
            }
            Fact::Failed => {
                self.power_fault = true;
                self.restart = None;
                Vec::new()
            }
            Fact::GuestReset if self.is_on() => {
                self.restart_cause = Cause::GuestReset;
                self.use_up(self.boot)
            }
            Fact::GuestOff if self.is_on() => {
                self.turn_off(now);
                self.restart.take().map_or_else(Vec::new, |cause| {
                    self.starting = cause;
                    vec![Effect::PowerOn]
                })
            }
            Fact::Observed(Power::On) => {
                self.turn_on(now);
                Vec::new()
            }
            Fact::Observed(Power::Off) => {
                self.turn_off(now);
                Vec::new()
            }
            Fact::MainsLost if self.mains => {
                self.was_on = self.is_on();
                self.turn_off(now);
                self.mains = false;
                self.mains_losses += 1;
                self.mains_was_lost = true;
                self.restart = None;
                self.identify = Identify::Off;
                vec![Effect::PowerOff]
            }
            Fact::MainsBack if !self.mains => {
                self.mains = true;
                let cause = match self.policy {
                    PowerPolicy::AlwaysOn => Cause::PolicyAlwaysOn,
                    PowerPolicy::Previous if self.was_on => Cause::PolicyPrevious,
                    PowerPolicy::Previous | PowerPolicy::AlwaysOff => return Vec::new(),
                };
                self.starting = cause;
                vec![Effect::PowerOn]
            }
            Fact::GuestReset | Fact::GuestOff | Fact::MainsLost | Fact::MainsBack => Vec::new(),
        }
    }

    fn turn_on(&mut self, now: Duration) {
        self.power = Power::On;
        self.on_since.get_or_insert(now);
    }

    fn turn_off(&mut self, now: Duration) {
        self.on_before = self.time_on(now);
        self.on_since = None;
        self.power = Power::Off;
    }

    /// A one-time override that a boot has obeyed is gone.
    fn use_up(&mut self, booted: Option<BootOverride>) -> Vec<Effect> {
        let once = booted.is_some_and(|boot| boot.persistence == Persistence::Once);
        if !once || self.boot != booted {
            return Vec::new();
        }
        self.boot = None;
        self.arm()
    }

    fn arm(&self) -> Vec<Effect> {
        if self.is_on() {
            vec![Effect::ArmBoot]
        } else {
            Vec::new() // the next power-on takes it along
        }
    }
}

#[cfg(test)]
mod tests;
