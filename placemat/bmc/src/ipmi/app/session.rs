//! The session that a request came in.

use crate::ipmi::{Answer, Call, Code};
use crate::user::Privilege;

/// Set Session Privilege Level (section 22.18). Level 0 only asks.
pub(super) fn set_privilege(call: &mut Call<'_>) -> Answer {
    let [level] = call.head()?;
    let active = call.active().ok_or(Code::Privilege)?;
    if level & 0x0f != 0 {
        // Level 1 is reserved here: nobody logs in to call back.
        let wanted = Privilege::from_code(level & 0x0f)
            .filter(|wanted| *wanted >= Privilege::User)
            .ok_or(Code::InvalidField)?;
        if wanted > active.limit {
            return Err(Code::BeyondLimit);
        }
        active.privilege = wanted;
    }
    Ok(vec![active.privilege.code()])
}

/// Close Session (section 22.19): one's own, or any as an administrator.
pub(super) fn close(call: &mut Call<'_>) -> Answer {
    let id = u32::from_le_bytes(call.head()?);
    let own = call.session == Some(id);
    let active = call.active().ok_or(Code::Privilege)?;
    if own {
        active.closing = true; // once the response is out
        return Ok(Vec::new());
    }
    if active.privilege < Privilege::Administrator {
        return Err(Code::Privilege);
    }
    call.sessions.active(id).ok_or(Code::NoSession)?;
    call.sessions.remove(id);
    Ok(Vec::new())
}
