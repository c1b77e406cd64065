//! What the chassis says of itself.

use crate::chassis::{Chassis, Identify, PowerPolicy};
use crate::ipmi::{Answer, CHANNEL, Call};

/// Slave address of the BMC, which is all the devices that Get Chassis Capabilities names.
const BMC: u8 = 0x20;

/// Get Chassis Capabilities (section 28.1).
pub(super) fn capabilities(call: &mut Call<'_>) -> Answer {
    let flags = u8::from(call.bmc.has_nmi()) << 2;
    Ok(vec![flags, BMC, BMC, BMC, BMC, BMC])
}

/// Get Chassis Status (section 28.2).
pub(super) fn status(call: &mut Call<'_>) -> Answer {
    let chassis = call.bmc.chassis();
    let policy = match chassis.policy {
        PowerPolicy::AlwaysOff => 0,
        PowerPolicy::Previous => 1,
        PowerPolicy::AlwaysOn => 2,
    };
    let power = u8::from(chassis.is_on()) | u8::from(chassis.power_fault) << 4 | policy << 5;
    let by_command = chassis.on_by_command && chassis.is_on();
    let last_event = u8::from(chassis.mains_was_lost) | u8::from(by_command) << 4;
    let identify = 0x40 | light(&chassis, call) << 4;
    Ok(vec![power, last_event, identify, 0])
}

fn light(chassis: &Chassis, call: &Call<'_>) -> u8 {
    match chassis.identify {
        Identify::Until(_) if chassis.identify_lit(call.bmc.uptime()) => 1,
        Identify::Off | Identify::Until(_) => 0,
        Identify::On => 2,
    }
}

/// Get System Restart Cause (section 28.11).
pub(super) fn restart_cause(call: &mut Call<'_>) -> Answer {
    Ok(vec![call.bmc.chassis().restart_cause.code(), CHANNEL])
}

/// Get POH Counter (section 28.14), in minutes.
pub(super) fn power_on_hours(call: &mut Call<'_>) -> Answer {
    let minutes = call.bmc.chassis().time_on(call.bmc.uptime()).as_secs() / 60;
    let mut data = vec![1]; // minutes per count
    data.extend_from_slice(&u32::try_from(minutes).unwrap_or(u32::MAX).to_le_bytes());
    Ok(data)
}
