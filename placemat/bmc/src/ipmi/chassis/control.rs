//! What the chassis is told to do.

use crate::bmc::ActError;
use crate::chassis::{Cause, Identify, PowerCommand, PowerPolicy};
use crate::hardware::HardwareError;
use crate::ipmi::{Answer, Call, Code, Work};
use std::time::Duration;

/// A client sends again after a second. An act that takes longer than this is answered as
/// accepted, which is all that the standard promises (section 28.3), and goes on.
const PATIENCE: Duration = Duration::from_millis(700);
/// How long the identify light shines when nothing is said (section 28.5).
const IDENTIFY: u8 = 15;

/// Chassis Control (section 28.3).
pub(super) fn control(call: &mut Call<'_>) -> Result<Work, Code> {
    let [control] = call.head()?;
    let command = match control & 0x0f {
        0 => PowerCommand::Off,
        1 => PowerCommand::On,
        2 => PowerCommand::Cycle,
        3 => PowerCommand::Reset,
        4 if call.bmc.has_nmi() => PowerCommand::Nmi,
        5 => PowerCommand::Shutdown,
        _ => return Err(Code::InvalidField),
    };
    let bmc = call.bmc.clone();
    Ok(Box::pin(async move {
        bounded(bmc.power(command, Cause::Ipmi)).await
    }))
}

/// Chassis Identify (section 28.5).
pub(super) fn identify(call: &mut Call<'_>) -> Answer {
    let seconds = call.data.first().copied().unwrap_or(IDENTIFY);
    let forced = call.data.get(1).is_some_and(|byte| byte & 1 != 0);
    call.bmc.set_identify(match (forced, seconds) {
        (true, _) => Identify::On,
        (false, 0) => Identify::Off,
        (false, _) => Identify::Until(call.bmc.uptime() + Duration::from_secs(seconds.into())),
    });
    Ok(Vec::new())
}

/// Set Power Restore Policy (section 28.8); answers which ones there are.
pub(super) fn policy(call: &mut Call<'_>) -> Answer {
    match call.head::<1>()?[0] & 0x07 {
        0 => call.bmc.set_policy(PowerPolicy::AlwaysOff),
        1 => call.bmc.set_policy(PowerPolicy::Previous),
        2 => call.bmc.set_policy(PowerPolicy::AlwaysOn),
        3 => {} // only asks
        _ => return Err(Code::InvalidField),
    }
    Ok(vec![0x07])
}

/// Waits for an act, but not so long that the client asks again.
pub(super) async fn bounded(act: impl Future<Output = Result<(), ActError>>) -> Answer {
    match tokio::time::timeout(PATIENCE, act).await {
        Err(_) | Ok(Ok(())) => Ok(Vec::new()),
        Ok(Err(ActError::Refused(_) | ActError::Interrupted)) => Err(Code::State),
        Ok(Err(ActError::Busy)) => Err(Code::Busy),
        Ok(Err(ActError::Machine { source, .. })) => Err(match source {
            HardwareError::Unsupported(_) => Code::InvalidField,
            HardwareError::Failed(_) => Code::Unspecified,
        }),
    }
}
