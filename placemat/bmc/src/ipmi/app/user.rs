//! Users, to read. User 1 is the anonymous one, which is disabled; ours start at 2.

use super::channel::number;
use crate::ipmi::{Answer, Call, Code};
use crate::user::User;

/// Slots for users, the disabled one included.
const SLOTS: u8 = 16;
/// Privilege code "no access" (table 22-31).
const NO_ACCESS: u8 = 0x0f;

/// Get User Access (section 22.27).
pub(super) fn access(call: &mut Call<'_>) -> Answer {
    let [channel, id] = call.head()?;
    number(channel)?;
    let user = slot(call, id)?;
    let enabled = u8::try_from(call.bmc.users().iter().len()).unwrap_or(SLOTS);
    let level = user.map_or(NO_ACCESS, |user| 0x10 | user.privilege.code()); // 10h: IPMI messages
    // How many slots, how many enabled, how many fixed names (the first), this one's access.
    Ok(vec![SLOTS, enabled, 1, level])
}

/// Get User Name (section 22.29), padded with zeros.
pub(super) fn name(call: &mut Call<'_>) -> Answer {
    let [id] = call.head()?;
    let mut name = slot(call, id)?.map_or_else(Vec::new, |user| user.name.clone().into_bytes());
    name.resize(16, 0);
    Ok(name)
}

fn slot<'a>(call: &Call<'a>, id: u8) -> Result<Option<&'a User>, Code> {
    match id & 0x3f {
        0 => Err(Code::InvalidField),
        id if id > SLOTS => Err(Code::InvalidField),
        1 => Ok(None),
        id => Ok(call.bmc.users().iter().nth(usize::from(id - 2))),
    }
}
