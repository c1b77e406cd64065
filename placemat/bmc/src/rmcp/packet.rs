//! RMCP packets: ASF messages, IPMI 1.5 packets without authentication, and RMCP+ (IPMI 2.0
//! sections 13.1 to 13.6).

/// RMCP version 1.0, reserved, no RMCP acknowledgement.
const RMCP: [u8; 3] = [0x06, 0x00, 0xff];
const CLASS_ASF: u8 = 0x06;
const CLASS_IPMI: u8 = 0x07;
/// Authentication type of IPMI 1.5: none.
const AUTH_NONE: u8 = 0x00;
/// Authentication type that marks the RMCP+ format.
const AUTH_RMCP_PLUS: u8 = 0x06;
/// "Next header" of the session trailer (section 13.6).
const NEXT_HEADER: u8 = 0x07;

/// Bytes of the RMCP header; the AuthCode covers what follows it.
pub const RMCP_HEADER: usize = 4;

/// Payload types (table 13-16).
pub mod payload {
    /// An IPMI message.
    pub const IPMI: u8 = 0x00;
    /// Open Session Request and Response.
    pub const OPEN_REQUEST: u8 = 0x10;
    /// Its response.
    pub const OPEN_RESPONSE: u8 = 0x11;
    /// RAKP message 1.
    pub const RAKP_1: u8 = 0x12;
    /// RAKP message 2.
    pub const RAKP_2: u8 = 0x13;
    /// RAKP message 3.
    pub const RAKP_3: u8 = 0x14;
    /// RAKP message 4.
    pub const RAKP_4: u8 = 0x15;
}

/// A datagram, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Body of an ASF message.
    Asf(&'a [u8]),
    /// IPMI 1.5 format, no session: an IPMI message.
    V15(&'a [u8]),
    /// RMCP+.
    V20(V20<'a>),
}

/// A packet in RMCP+ format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V20<'a> {
    /// Whether the payload is encrypted.
    pub encrypted: bool,
    /// Payload type, six bits.
    pub kind: u8,
    /// Session of the receiver; 0 outside of sessions.
    pub session: u32,
    /// Session sequence number; 0 outside of sessions.
    pub sequence: u32,
    /// Payload, encrypted or not.
    pub payload: &'a [u8],
    /// What the AuthCode covers and the code itself, if the packet is authenticated.
    pub signed: Option<Signed<'a>>,
}

/// The authenticated part of a packet and its code, `code_len` bytes from the end: how long that
/// is depends on the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<'a> {
    from_header: &'a [u8],
    payload_end: usize,
}

impl<'a> Signed<'a> {
    /// Splits into what is covered and the code. `None` if the trailer is not well-formed.
    pub fn split(&self, code_len: usize) -> Option<(&'a [u8], &'a [u8])> {
        let end = self.from_header.len().checked_sub(code_len)?;
        let (covered, code) = self.from_header.split_at(end);
        let [pad @ .., pad_len, NEXT_HEADER] = covered.get(self.payload_end..)? else {
            return None;
        };
        (pad.len() == usize::from(*pad_len) && covered.len() % 4 == 0).then_some((covered, code))
    }
}

impl<'a> Packet<'a> {
    /// Takes a datagram apart. `None` for what is no packet of ours: other versions, lengths that
    /// do not fit, authentication types of IPMI 1.5 (not offered).
    pub fn decode(datagram: &'a [u8]) -> Option<Self> {
        let (header, rest) = datagram.split_first_chunk::<RMCP_HEADER>()?;
        match *header {
            [0x06, _, _, CLASS_ASF] => Some(Self::Asf(rest)),
            [0x06, _, _, CLASS_IPMI] => match *rest.first()? {
                AUTH_NONE => decode_v15(rest),
                AUTH_RMCP_PLUS => decode_v20(rest).map(Self::V20),
                _ => None,
            },
            _ => None,
        }
    }
}

fn decode_v15(bytes: &[u8]) -> Option<Packet<'_>> {
    // type, sequence (4), session (4), length; both numbers are 0 outside of sessions
    let (header, payload) = bytes.split_first_chunk::<10>()?;
    let len = usize::from(header[9]);
    // Some consoles add a byte after certain lengths (section 13.6, "legacy pad").
    (header[1..9] == [0; 8]).then_some(Packet::V15(payload.get(..len)?))
}

fn decode_v20(bytes: &[u8]) -> Option<V20<'_>> {
    let (header, rest) = bytes.split_first_chunk::<12>()?;
    let [_, kind, s0, s1, s2, s3, n0, n1, n2, n3, low, high] = *header;
    let len = usize::from(u16::from_le_bytes([low, high]));
    let payload = rest.get(..len)?;
    Some(V20 {
        encrypted: kind & 0x80 != 0,
        kind: kind & 0x3f,
        session: u32::from_le_bytes([s0, s1, s2, s3]),
        sequence: u32::from_le_bytes([n0, n1, n2, n3]),
        payload,
        signed: (kind & 0x40 != 0).then_some(Signed {
            from_header: bytes,
            payload_end: header.len() + len,
        }),
    })
}

/// A datagram with an ASF message.
pub fn encode_asf(body: &[u8]) -> Vec<u8> {
    let mut bytes = RMCP.to_vec();
    bytes.push(CLASS_ASF);
    bytes.extend_from_slice(body);
    bytes
}

/// A datagram in IPMI 1.5 format, outside of sessions. Responses there are short, far below 256 bytes.
pub fn encode_v15(message: &[u8]) -> Vec<u8> {
    let mut bytes = ipmi_header();
    bytes.push(AUTH_NONE);
    bytes.extend_from_slice(&[0; 8]);
    bytes.push(u8::try_from(message.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(&message[..message.len().min(255)]);
    bytes
}

/// A datagram in RMCP+ format outside of sessions.
pub fn encode_v20(kind: u8, payload: &[u8]) -> Vec<u8> {
    v20(kind, 0, 0, payload)
}

/// A datagram of a session: `payload` is encrypted already, `sign` makes the AuthCode.
pub fn encode_signed(
    kind: u8,
    session: u32,
    sequence: u32,
    payload: &[u8],
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let mut bytes = v20(kind | 0xc0, session, sequence, payload);
    // pad, pad length and next header complete a multiple of four (section 13.28.4)
    let pad = (4 - (bytes.len() - RMCP_HEADER + 2) % 4) % 4;
    bytes.extend(std::iter::repeat_n(0xff, pad));
    bytes.push(pad.to_le_bytes()[0]);
    bytes.push(NEXT_HEADER);
    let code = sign(&bytes[RMCP_HEADER..]);
    bytes.extend_from_slice(&code);
    bytes
}

fn v20(kind: u8, session: u32, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = ipmi_header();
    bytes.extend_from_slice(&[AUTH_RMCP_PLUS, kind]);
    bytes.extend_from_slice(&session.to_le_bytes());
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(
        &u16::try_from(payload.len())
            .unwrap_or(u16::MAX)
            .to_le_bytes(),
    );
    bytes.extend_from_slice(payload);
    bytes
}

fn ipmi_header() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(&RMCP);
    bytes.push(CLASS_IPMI);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn v15_round_trip(message in proptest::collection::vec(any::<u8>(), 0..255)) {
            let bytes = encode_v15(&message);
            prop_assert_eq!(Packet::decode(&bytes), Some(Packet::V15(&message)));
        }

        #[test]
        fn v20_round_trip(kind in 0u8..0x40, payload: Vec<u8>) {
            let bytes = encode_v20(kind, &payload);
            let Some(Packet::V20(packet)) = Packet::decode(&bytes) else { panic!("RMCP+") };
            prop_assert_eq!((packet.kind, packet.payload), (kind, &payload[..]));
            prop_assert_eq!((packet.session, packet.sequence, packet.signed), (0, 0, None));
        }

        #[test]
        fn signed_round_trip(kind in 0u8..0x40, session: u32, sequence: u32, payload: Vec<u8>, code_len in 12usize..=16) {
            let bytes = encode_signed(kind, session, sequence, &payload, |_| vec![0xaa; code_len]);
            let Some(Packet::V20(packet)) = Packet::decode(&bytes) else { panic!("RMCP+") };
            prop_assert!(packet.encrypted);
            prop_assert_eq!((packet.session, packet.sequence, packet.payload), (session, sequence, &payload[..]));
            let (covered, code) = packet.signed.and_then(|signed| signed.split(code_len)).expect("well-formed");
            prop_assert_eq!(covered.len() % 4, 0);
            prop_assert_eq!(code, &vec![0xaa; code_len][..]);
            prop_assert_eq!(covered, &bytes[RMCP_HEADER..bytes.len() - code_len]);
        }

        #[test]
        fn junk_never_panics(junk: Vec<u8>, class: u8, auth: u8) {
            let mut datagram = vec![6, 0, 0xff, class, auth];
            datagram.extend(&junk);
            for datagram in [&junk, &datagram] {
                if let Some(Packet::V20(V20 { signed: Some(signed), .. })) = Packet::decode(datagram) {
                    let _ = signed.split(12);
                }
            }
        }
    }
}
