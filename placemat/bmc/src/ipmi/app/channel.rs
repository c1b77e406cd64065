//! Channels. There is one, the LAN channel 1.

use crate::ipmi::{Answer, CHANNEL, Call, Code};
use crate::rmcp::suite::Suite;
use crate::user::Privilege;

/// Bytes of a page of the cipher suite list.
const PAGE: usize = 16;

/// The channel that a request means: ours by number, or 0Eh, the one it came by.
pub(super) fn number(byte: u8) -> Result<u8, Code> {
    match byte & 0x0f {
        CHANNEL | 0x0e => Ok(CHANNEL),
        _ => Err(Code::InvalidField),
    }
}

/// Get Channel Access (section 22.23): always available, per-message authentication, all levels.
pub(super) fn access(call: &mut Call<'_>) -> Answer {
    number(call.head::<1>()?[0])?;
    Ok(vec![0x02, Privilege::Administrator.code()])
}

/// Get Channel Info (section 22.24): 802.3 LAN, IPMB protocol, multi-session.
pub(super) fn info(call: &mut Call<'_>) -> Answer {
    let channel = number(call.head::<1>()?[0])?;
    let mut data = vec![channel, 0x04, 0x01];
    data.push(0x80 | u8::try_from(call.sessions.active_count()).unwrap_or(0x3f) & 0x3f);
    data.extend_from_slice(&[0xf2, 0x1b, 0x00]); // vendor: the IPMI forum
    data.extend_from_slice(&[0; 2]);
    Ok(data)
}

/// Get Channel Cipher Suites (section 22.15), in pages of 16 bytes.
pub(super) fn suites(call: &mut Call<'_>) -> Answer {
    let [channel, _payload_type, index] = call.head()?;
    let channel = number(channel)?;
    let by_suite = index & 0x80 != 0;
    let list: Vec<u8> = if by_suite {
        Suite::ALL
            .iter()
            .rev()
            .flat_map(|suite| suite.record())
            .collect()
    } else {
        algorithms()
    };
    let page = list.chunks(PAGE).nth(usize::from(index & 0x3f));
    let mut data = vec![channel];
    data.extend_from_slice(page.unwrap_or_default());
    Ok(data)
}

/// The algorithms alone, each tagged with its kind.
fn algorithms() -> Vec<u8> {
    let mut list: Vec<u8> = Suite::ALL
        .iter()
        .flat_map(|suite| suite.record()[2..].to_vec())
        .collect();
    list.sort_unstable();
    list.dedup();
    list
}
