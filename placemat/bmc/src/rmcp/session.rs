//! Sessions: half-open ones, active ones, and who must go when the table is full (IPMI 2.0
//! sections 6.12 and 13.27).

use super::crypto::{self, AES_BLOCK};
use super::message::Request;
use super::packet::{self, V20, payload};
use super::rakp::Exchange;
use super::suite::Suite;
use super::window::ReplayWindow;
use crate::user::Privilege;
use std::collections::BTreeMap;
use std::time::Duration;

/// Sessions that one BMC keeps.
pub const CAPACITY: usize = 64;
/// A session that is silent for this long is gone (section 6.12.15).
pub const IDLE: Duration = Duration::from_secs(60);

/// One session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Our number for it.
    pub id: u32,
    /// The console's number for it.
    pub console: u32,
    /// Cipher suite.
    pub suite: Suite,
    /// The most that was asked for when it was opened.
    pub limit: Privilege,
    /// How far it has come.
    pub stage: Stage,
    /// When it was opened, or last proved to be alive by an authentic message.
    last_heard: Duration,
    gave_up: bool,
}

impl Session {
    /// Notes that the console gives up. False if it has done so before.
    pub fn gives_up(&mut self) -> bool {
        !std::mem::replace(&mut self.gave_up, true)
    }

    /// Makes a keyed session active, since its console has proved itself.
    pub fn activate(&mut self, now: Duration) {
        if let Stage::Keyed(exchange, limit) = &self.stage {
            self.stage = Stage::Active(Box::new(Active::new(exchange.clone(), *limit)));
            self.last_heard = now;
        }
    }
}

/// How far a session has come.
#[derive(Debug, Clone)]
pub enum Stage {
    /// Open Session was answered.
    Opened,
    /// RAKP message 2 was sent: this is the exchange, and the most the session may get.
    Keyed(Exchange, Privilege),
    /// RAKP message 4 was sent.
    Active(Box<Active>),
}

impl Stage {
    /// The exchange, from RAKP message 2 on.
    pub fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Opened => None,
            Self::Keyed(exchange, _) => Some(exchange),
            Self::Active(active) => Some(&active.exchange),
        }
    }
}

/// An active session.
#[derive(Debug, Clone)]
pub struct Active {
    /// The exchange that opened it.
    pub exchange: Exchange,
    /// The most it may ask for.
    pub limit: Privilege,
    /// What it may do now.
    pub privilege: Privilege,
    /// To be removed once the response under way is out.
    pub closing: bool,
    /// K1, key of the AuthCodes.
    integrity: Vec<u8>,
    /// K2, key of the encryption.
    confidentiality: [u8; AES_BLOCK],
    window: ReplayWindow,
    sent: u32,
}

impl Active {
    /// A session whose exchange has succeeded. It starts as a user, whatever it may become
    /// (section 6.12.7, Set Session Privilege Level).
    pub fn new(exchange: Exchange, limit: Privilege) -> Self {
        let hash = exchange.suite.hash();
        let key = exchange.integrity_key();
        let mut confidentiality = [0; AES_BLOCK];
        confidentiality.copy_from_slice(&hash.additional_key(&key, 2)[..AES_BLOCK]);
        Self {
            limit,
            privilege: limit.min(Privilege::User),
            closing: false,
            integrity: hash.additional_key(&key, 1),
            confidentiality,
            window: ReplayWindow::default(),
            sent: 0,
            exchange,
        }
    }

    /// Reads a packet: authentic, encrypted, not seen before, and an IPMI request.
    pub fn receive(&mut self, packet: &V20<'_>) -> Option<Request> {
        let suite = self.exchange.suite;
        let (covered, code) = packet.signed?.split(suite.code_len())?;
        if !packet.encrypted || !crypto::equal(&self.sign(covered), code) {
            return None;
        }
        if !self.window.accept(packet.sequence) || packet.kind != payload::IPMI {
            return None;
        }
        let message = crypto::open(&self.confidentiality, packet.payload)?;
        Request::decode(&message)
    }

    /// A datagram with an IPMI message for the console.
    pub fn send(&mut self, iv: &[u8; AES_BLOCK], message: &[u8]) -> Vec<u8> {
        self.sent = self.sent.checked_add(1).unwrap_or(1);
        let sealed = crypto::seal(&self.confidentiality, iv, message);
        let console = self.exchange.console;
        packet::encode_signed(payload::IPMI, console, self.sent, &sealed, |covered| {
            self.sign(covered)
        })
    }

    fn sign(&self, covered: &[u8]) -> Vec<u8> {
        let suite = self.exchange.suite;
        let mut code = suite.hash().hmac(&self.integrity, &[covered]);
        code.truncate(suite.code_len());
        code
    }
}

/// All sessions of a BMC.
#[derive(Debug, Default)]
pub struct Sessions {
    table: BTreeMap<u32, Session>,
}

impl Sessions {
    /// Opens a session. `number` proposes random numbers for it. `None` when the table is full of sessions
    /// that are alive; those that were silent for too long go first, then the oldest half-open one.
    pub fn open(
        &mut self,
        now: Duration,
        console: u32,
        suite: Suite,
        limit: Privilege,
        mut number: impl FnMut() -> u32,
    ) -> Option<u32> {
        self.expire(now);
        if self.table.len() >= CAPACITY {
            let oldest = self
                .table
                .values()
                .filter(|session| !matches!(session.stage, Stage::Active(_)))
                .min_by_key(|session| session.last_heard)?
                .id;
            self.table.remove(&oldest);
        }
        let id = loop {
            let id = number();
            if id != 0 && !self.table.contains_key(&id) {
                break id;
            }
        };
        let session = Session {
            id,
            console,
            suite,
            limit,
            stage: Stage::Opened,
            last_heard: now,
            gave_up: false,
        };
        self.table.insert(id, session);
        Some(id)
    }

    /// A session, which is not heard of by being looked at: anybody can name its number.
    pub fn get(&mut self, id: u32) -> Option<&mut Session> {
        self.table.get_mut(&id)
    }

    /// Reads a packet of an active session. Only one that proves to be the console's keeps the
    /// session alive.
    pub fn receive(&mut self, now: Duration, packet: &V20<'_>) -> Option<Request> {
        let session = self.table.get_mut(&packet.session)?;
        let Stage::Active(active) = &mut session.stage else {
            return None;
        };
        let request = active.receive(packet)?;
        session.last_heard = now;
        Some(request)
    }

    /// An active session.
    pub fn active(&mut self, id: u32) -> Option<&mut Active> {
        match &mut self.table.get_mut(&id)?.stage {
            Stage::Active(active) => Some(active),
            Stage::Opened | Stage::Keyed(..) => None,
        }
    }

    /// Removes a session.
    pub fn remove(&mut self, id: u32) {
        self.table.remove(&id);
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.table.clear();
    }

    /// How many sessions are active.
    pub fn active_count(&self) -> usize {
        self.table
            .values()
            .filter(|session| matches!(session.stage, Stage::Active(_)))
            .count()
    }

    /// Removes those that were silent for too long.
    pub fn expire(&mut self, now: Duration) {
        self.table
            .retain(|_, session| now.saturating_sub(session.last_heard) < IDLE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(sessions: &mut Sessions, now: u64, id: u32) -> Option<u32> {
        sessions.open(
            Duration::from_secs(now),
            1,
            Suite::Sha1,
            Privilege::User,
            || id,
        )
    }

    fn full() -> Sessions {
        let mut sessions = Sessions::default();
        for id in 1..=64 {
            assert_eq!(open(&mut sessions, u64::from(id) / 2, id), Some(id));
        }
        sessions
    }

    fn activate(sessions: &mut Sessions, id: u32) {
        let exchange = Exchange {
            suite: Suite::Sha1,
            console: 1,
            session: id,
            console_random: [0; 16],
            random: [0; 16],
            guid: [0; 16],
            role: 4,
            name: Vec::new(),
            password: Vec::new(),
        };
        sessions.table.get_mut(&id).expect("there").stage =
            Stage::Active(Box::new(Active::new(exchange, Privilege::User)));
    }

    #[test]
    fn a_full_table_drops_the_oldest_half_open_session() {
        let mut sessions = full();
        activate(&mut sessions, 1);
        assert_eq!(open(&mut sessions, 33, 100), Some(100));
        assert!(sessions.get(1).is_some());
        assert!(sessions.get(2).is_none());
    }

    #[test]
    fn a_table_full_of_active_sessions_refuses_until_one_falls_silent() {
        let mut sessions = full();
        for id in 1..=64 {
            activate(&mut sessions, id);
        }
        assert_eq!(open(&mut sessions, 33, 100), None);
        assert_eq!(open(&mut sessions, 61, 100), Some(100));
    }
}
