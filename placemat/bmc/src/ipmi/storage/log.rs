//! The system event log: empty and without room.

use crate::ipmi::{Answer, Call, Code};
use std::time::{SystemTime, UNIX_EPOCH};

/// Get SEL Info (section 31.2): no entries, no free space, never written, Reserve SEL supported.
pub(super) fn info(_: &mut Call<'_>) -> Answer {
    let mut data = vec![0x51, 0, 0, 0, 0];
    data.extend_from_slice(&[0xff; 8]); // last addition and erasure: unspecified
    data.push(0x02);
    Ok(data)
}

/// Reserve SEL (section 31.4).
pub(super) fn reserve(_: &mut Call<'_>) -> Answer {
    Ok(vec![1, 0])
}

/// Get SEL Entry (section 31.5).
pub(super) fn get(_: &mut Call<'_>) -> Answer {
    Err(Code::NotPresent)
}

/// Clear SEL (section 31.9): completed.
pub(super) fn clear(_: &mut Call<'_>) -> Answer {
    Ok(vec![0x01])
}

/// Get SEL Time (section 31.10): seconds since 1970.
pub(super) fn time(_: &mut Call<'_>) -> Answer {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Ok(u32::try_from(now.as_secs())
        .unwrap_or(u32::MAX)
        .to_le_bytes()
        .to_vec())
}
