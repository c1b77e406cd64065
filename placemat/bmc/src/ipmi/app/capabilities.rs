//! Get Channel Authentication Capabilities, the first thing any client asks (IPMI 2.0 section 22.13).

use super::channel::number;
use crate::ipmi::{Answer, Call, Code};
use crate::user::Privilege;

/// Answers with RMCP+ only: no authentication type of IPMI 1.5 is offered, so a client that knows
/// nothing newer gives up at once.
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    let [channel, privilege] = call.head()?;
    let asks_for_v20 = channel & 0x80 != 0;
    let channel = number(channel)?;
    Privilege::from_code(privilege & 0x0f).ok_or(Code::InvalidField)?;
    let v20 = u8::from(asks_for_v20);
    Ok(vec![
        channel,
        v20 << 7, // extended capabilities follow; authentication types of IPMI 1.5: none
        0x04,     // named users only; no key of the BMC (KG)
        v20 << 1, // IPMI 2.0 connections
        0,
        0,
        0, // OEM
        0,
    ])
}
