//! RAKP messages 1 to 4 and what follows from them (IPMI 2.0 sections 13.20 to 13.23, 13.31).

use super::Status;
use crate::rmcp::suite::Suite;

/// RAKP message 1: who wants in, and the console's random number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rakp1 {
    /// Message tag, repeated in the response.
    pub tag: u8,
    /// Our session number.
    pub session: u32,
    /// The console's random number.
    pub random: [u8; 16],
    /// Role byte as sent: privilege level and lookup bit. It goes into the codes unchanged.
    pub role: u8,
    /// User name as sent.
    pub name: Vec<u8>,
}

impl Rakp1 {
    /// Reads the message. `None` if it is too short to be answered, `Err` with tag and session if
    /// it makes no sense.
    pub fn decode(bytes: &[u8]) -> Option<Result<Self, (u8, u32, Status)>> {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        let [tag, _, _, _, a, b, c, d] = *head;
        let session = u32::from_le_bytes([a, b, c, d]);
        let Some((random, [role, _, _, length, name @ ..])) = rest.split_first_chunk::<16>() else {
            return Some(Err((tag, session, Status::IllegalParameter)));
        };
        let length = usize::from(*length);
        if length > 16 || name.len() < length {
            return Some(Err((tag, session, Status::InvalidName)));
        }
        Some(Ok(Self {
            tag,
            session,
            random: *random,
            role: *role,
            name: name[..length].to_vec(),
        }))
    }

    /// The bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.tag, 0, 0, 0];
        bytes.extend_from_slice(&self.session.to_le_bytes());
        bytes.extend_from_slice(&self.random);
        bytes.extend_from_slice(&[self.role, 0, 0]);
        bytes.push(u8::try_from(self.name.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(&self.name);
        bytes
    }
}

/// RAKP message 3: the console's proof that it knows the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rakp3 {
    /// Message tag, repeated in the response.
    pub tag: u8,
    /// 0, or why the console gives up.
    pub status: u8,
    /// Our session number.
    pub session: u32,
    /// The proof.
    pub code: Vec<u8>,
}

impl Rakp3 {
    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, code) = bytes.split_first_chunk::<8>()?;
        let [tag, status, _, _, a, b, c, d] = *head;
        Some(Self {
            tag,
            status,
            session: u32::from_le_bytes([a, b, c, d]),
            code: code.to_vec(),
        })
    }

    /// The bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.tag, self.status, 0, 0];
        bytes.extend_from_slice(&self.session.to_le_bytes());
        bytes.extend_from_slice(&self.code);
        bytes
    }
}

/// All that goes into the codes of one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Cipher suite.
    pub suite: Suite,
    /// The console's session number.
    pub console: u32,
    /// Our session number.
    pub session: u32,
    /// The console's random number.
    pub console_random: [u8; 16],
    /// Our random number.
    pub random: [u8; 16],
    /// GUID of the system.
    pub guid: [u8; 16],
    /// Role byte as sent.
    pub role: u8,
    /// User name as sent.
    pub name: Vec<u8>,
    /// The user's password, which is the key. There is no BMC key (KG), so it serves for both.
    pub password: Vec<u8>,
}

impl Exchange {
    /// Whether it came of this message, whatever its tag: a console that sends again may count it on.
    pub fn answers(&self, message: &Rakp1) -> bool {
        self.session == message.session
            && self.console_random == message.random
            && self.role == message.role
            && self.name == message.name
    }

    /// Key exchange code of RAKP message 2.
    pub fn code_2(&self) -> Vec<u8> {
        self.hmac(
            &self.password,
            &[
                &self.console.to_le_bytes(),
                &self.session.to_le_bytes(),
                &self.console_random,
                &self.random,
                &self.guid,
                &self.role_and_length(),
                &self.name,
            ],
        )
    }

    /// Key exchange code of RAKP message 3.
    pub fn code_3(&self) -> Vec<u8> {
        self.hmac(
            &self.password,
            &[
                &self.random,
                &self.console.to_le_bytes(),
                &self.role_and_length(),
                &self.name,
            ],
        )
    }

    /// Session integrity key (section 13.31).
    pub fn integrity_key(&self) -> Vec<u8> {
        self.hmac(
            &self.password,
            &[
                &self.console_random,
                &self.random,
                &self.role_and_length(),
                &self.name,
            ],
        )
    }

    /// Integrity check value of RAKP message 4.
    pub fn code_4(&self, integrity_key: &[u8]) -> Vec<u8> {
        let mut code = self.hmac(
            integrity_key,
            &[
                &self.console_random,
                &self.session.to_le_bytes(),
                &self.guid,
            ],
        );
        code.truncate(self.suite.code_len());
        code
    }

    fn role_and_length(&self) -> [u8; 2] {
        [self.role, u8::try_from(self.name.len()).unwrap_or(u8::MAX)]
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        self.suite.hash().hmac(key, parts)
    }
}

/// RAKP message 2, when all is well.
pub fn rakp2(tag: u8, exchange: &Exchange) -> Vec<u8> {
    let mut bytes = vec![tag, 0, 0, 0];
    bytes.extend_from_slice(&exchange.console.to_le_bytes());
    bytes.extend_from_slice(&exchange.random);
    bytes.extend_from_slice(&exchange.guid);
    bytes.extend_from_slice(&exchange.code_2());
    bytes
}

/// RAKP message 4, when all is well.
pub fn rakp4(tag: u8, exchange: &Exchange, integrity_key: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag, 0, 0, 0];
    bytes.extend_from_slice(&exchange.console.to_le_bytes());
    bytes.extend_from_slice(&exchange.code_4(integrity_key));
    bytes
}

/// An Open Session Response, RAKP message 2 or 4 that refuses: the rest is left out.
pub fn refusal(tag: u8, console: u32, status: Status) -> Vec<u8> {
    let mut bytes = vec![tag, status as u8, 0, 0];
    bytes.extend_from_slice(&console.to_le_bytes());
    bytes
}
