//! Open Session Request and Response (IPMI 2.0 sections 13.17 and 13.18).

use super::Status;
use crate::rmcp::suite::{Proposal, Suite};

/// A console asks for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenRequest {
    /// Message tag, repeated in the response.
    pub tag: u8,
    /// Highest privilege level it will ask for; 0 leaves the choice to us.
    pub privilege: u8,
    /// The console's session number.
    pub console: u32,
    /// The algorithms it proposes.
    pub proposal: Proposal,
}

impl OpenRequest {
    /// Reads a request. `None` if it is too short to be answered, `Err` if it makes no sense.
    pub fn decode(bytes: &[u8]) -> Option<Result<Self, (u8, u32)>> {
        let [tag, privilege, _, _, a, b, c, d, payloads @ ..] = bytes else {
            return None;
        };
        let console = u32::from_le_bytes([*a, *b, *c, *d]);
        let algorithm = |index: usize| -> Option<Option<u8>> {
            let block = payloads.get(index * 8..index * 8 + 8)?;
            if usize::from(block[0]) != index {
                return None;
            }
            match block[3] {
                0 => Some(None), // a null field: we may choose
                8 => Some(Some(block[4] & 0x3f)),
                _ => None,
            }
        };
        let request = || {
            Some(Self {
                tag: *tag,
                privilege: privilege & 0x0f,
                console,
                proposal: Proposal {
                    authentication: algorithm(0)?,
                    integrity: algorithm(1)?,
                    confidentiality: algorithm(2)?,
                },
            })
        };
        Some(request().ok_or((*tag, console)))
    }

    /// The bytes of the request.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.tag, self.privilege, 0, 0];
        bytes.extend_from_slice(&self.console.to_le_bytes());
        let Proposal {
            authentication,
            integrity,
            confidentiality,
        } = self.proposal;
        for (index, code) in (0..).zip([authentication, integrity, confidentiality]) {
            let length = if code.is_some() { 8 } else { 0 };
            bytes.extend_from_slice(&[index, 0, 0, length, code.unwrap_or(0), 0, 0, 0]);
        }
        bytes
    }
}

/// The answer that grants a session: highest privilege level, both session numbers, and the
/// algorithms chosen.
pub fn open_response(request: &OpenRequest, session: u32, suite: Suite) -> Vec<u8> {
    let privilege = if request.privilege == 0 {
        4
    } else {
        request.privilege
    };
    let mut bytes = vec![request.tag, 0, privilege, 0];
    bytes.extend_from_slice(&request.console.to_le_bytes());
    bytes.extend_from_slice(&session.to_le_bytes());
    for (index, code) in (0..).zip(suite.algorithms()) {
        bytes.extend_from_slice(&[index, 0, 0, 8, code, 0, 0, 0]);
    }
    bytes
}

/// The answer that refuses one.
pub fn open_refusal(tag: u8, console: u32, status: Status) -> Vec<u8> {
    super::refusal(tag, console, status)
}
