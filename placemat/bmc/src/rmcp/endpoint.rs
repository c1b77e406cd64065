//! One BMC's end of RMCP: takes datagrams, opens sessions, and hands out the requests in them.
//!
//! Session numbers travel in clear, and nothing authenticates the messages that open a session. So
//! none of them takes anything away: once RAKP message 1 has been accepted only the same message is
//! answered, and only the right proof goes further. A console that gives up, or has another try, does so
//! by a new session; what it leaves behind runs out of time, or goes when its place is needed.

use super::message::Request;
use super::packet::{self, Packet, V20, payload};
use super::rakp::{self, Exchange, OpenRequest, Rakp1, Rakp3, Status};
use super::session::{Session, Sessions, Stage};
use super::suite::Suite;
use super::{asf, crypto};
use crate::user::{Accounts, Privilege, User};
use std::time::Duration;

/// Fills a buffer with random bytes.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

/// What a datagram turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// Nothing that deserves an answer.
    Nothing,
    /// Part of a conversation below IPMI messages; this is our part.
    Reply(Vec<u8>),
    /// An IPMI request; answer it through [`Endpoint::respond`].
    Request(Path, Request),
}

/// How a request came, and how its response must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Outside of sessions, in IPMI 1.5 format.
    V15,
    /// Outside of sessions, in RMCP+ format.
    V20,
    /// In a session of ours.
    Session(u32),
}

/// One BMC's end of RMCP.
pub struct Endpoint {
    guid: [u8; 16],
    entropy: Entropy,
    /// Its sessions.
    pub sessions: Sessions,
}

impl Endpoint {
    /// An end without sessions. `guid` is the System GUID as it goes over the wire.
    pub fn new(guid: [u8; 16], entropy: Entropy) -> Self {
        Self {
            guid,
            entropy,
            sessions: Sessions::default(),
        }
    }

    /// Takes a datagram.
    pub fn receive(&mut self, now: Duration, accounts: &Accounts, datagram: &[u8]) -> Incoming {
        let reply = |bytes: Option<Vec<u8>>| bytes.map_or(Incoming::Nothing, Incoming::Reply);
        match Packet::decode(datagram) {
            None => Incoming::Nothing,
            Some(Packet::Asf(body)) => {
                reply(asf::answer(body).map(|pong| packet::encode_asf(&pong)))
            }
            Some(Packet::V15(message)) => request(Path::V15, Request::decode(message)),
            Some(Packet::V20(packet)) if packet.session != 0 => self.in_session(now, &packet),
            // Outside of sessions nothing is authenticated or encrypted (section 13.6).
            Some(Packet::V20(packet)) if packet.encrypted || packet.signed.is_some() => {
                Incoming::Nothing
            }
            Some(Packet::V20(packet)) => match packet.kind {
                payload::IPMI => request(Path::V20, Request::decode(packet.payload)),
                payload::OPEN_REQUEST => reply(self.open(now, packet.payload)),
                payload::RAKP_1 => reply(self.rakp_1(now, accounts, packet.payload)),
                payload::RAKP_3 => reply(self.rakp_3(now, accounts, packet.payload)),
                _ => Incoming::Nothing,
            },
        }
    }

    /// The datagram that carries a response, along the path its request came. `None` if the
    /// session is gone meanwhile.
    pub fn respond(
        &mut self,
        path: Path,
        request: &Request,
        completion: u8,
        data: &[u8],
    ) -> Option<Vec<u8>> {
        let message = request.response(completion, data);
        match path {
            Path::V15 => Some(packet::encode_v15(&message)),
            Path::V20 => Some(packet::encode_v20(payload::IPMI, &message)),
            Path::Session(id) => {
                let iv = random(&mut self.entropy);
                let active = self.sessions.active(id)?;
                let datagram = active.send(&iv, &message);
                if active.closing {
                    self.sessions.remove(id);
                }
                Some(datagram)
            }
        }
    }

    fn in_session(&mut self, now: Duration, packet: &V20<'_>) -> Incoming {
        self.sessions.expire(now);
        let received = self.sessions.receive(now, packet);
        request(Path::Session(packet.session), received)
    }

    /// Open Session Request (section 13.17).
    fn open(&mut self, now: Duration, bytes: &[u8]) -> Option<Vec<u8>> {
        let answer = match OpenRequest::decode(bytes)? {
            Err((tag, console)) => rakp::open_refusal(tag, console, Status::IllegalParameter),
            Ok(request) => match self.grant(now, &request) {
                Ok((session, suite)) => rakp::open_response(&request, session, suite),
                Err(status) => rakp::open_refusal(request.tag, request.console, status),
            },
        };
        Some(packet::encode_v20(payload::OPEN_RESPONSE, &answer))
    }

    fn grant(&mut self, now: Duration, request: &OpenRequest) -> Result<(u32, Suite), Status> {
        if request.privilege > Privilege::Administrator.code() {
            return Err(Status::InvalidRole);
        }
        let suite = Suite::choose(request.proposal)?;
        let entropy = &mut self.entropy;
        let number = || u32::from_le_bytes(random(entropy));
        let limit = Privilege::from_code(request.privilege).unwrap_or(Privilege::Administrator);
        let session = self
            .sessions
            .open(now, request.console, suite, limit, number)
            .ok_or(Status::InsufficientResources)?;
        Ok((session, suite))
    }

    /// RAKP message 1 (section 13.20), answered by message 2.
    fn rakp_1(&mut self, now: Duration, accounts: &Accounts, bytes: &[u8]) -> Option<Vec<u8>> {
        let decoded = Rakp1::decode(bytes)?;
        let (tag, id) = match &decoded {
            Ok(message) => (message.tag, message.session),
            Err((tag, id, _)) => (*tag, *id),
        };
        self.sessions.expire(now);
        let answer = match self.sessions.get(id) {
            None => rakp::refusal(tag, 0, Status::InvalidSession),
            Some(session) => match session.stage.exchange() {
                Some(exchange) => {
                    // Sent again, though perhaps with a new tag: the same answer.
                    decoded
                        .is_ok_and(|message| exchange.answers(&message))
                        .then_some(())?;
                    rakp::rakp2(tag, exchange)
                }
                None => decoded
                    .map_err(|(_, _, status)| status)
                    .and_then(|message| {
                        let user = accounts
                            .find(now, &message.name)
                            .ok_or(Status::UnauthorizedName)?;
                        let fresh = random(&mut self.entropy);
                        let (exchange, limit) = key(&message, user, session, fresh, self.guid)?;
                        let answer = rakp::rakp2(tag, &exchange);
                        session.stage = Stage::Keyed(exchange, limit);
                        Ok(answer)
                    })
                    .unwrap_or_else(|status| rakp::refusal(tag, session.console, status)),
            },
        };
        Some(packet::encode_v20(payload::RAKP_2, &answer))
    }

    /// RAKP message 3 (section 13.22), answered by message 4.
    fn rakp_3(&mut self, now: Duration, accounts: &Accounts, bytes: &[u8]) -> Option<Vec<u8>> {
        let message = Rakp3::decode(bytes)?;
        self.sessions.expire(now);
        let answer = match self.sessions.get(message.session) {
            None => rakp::refusal(message.tag, 0, Status::InvalidSession),
            Some(session) => {
                let exchange = session.stage.exchange()?.clone();
                let active = matches!(session.stage, Stage::Active(_));
                let name = String::from_utf8_lossy(&exchange.name);
                if message.status != 0 {
                    // The console gives up, or so somebody says. If it is over the code in message 2,
                    // then because the console was given a wrong password.
                    let over_code = message.status == Status::InvalidCode as u8;
                    if over_code && !active && session.gives_up() {
                        accounts.failed(now, &name);
                    }
                    return None;
                }
                match (crypto::equal(&exchange.code_3(), &message.code), active) {
                    // Message 4 got lost: the same again.
                    (true, true) => rakp::rakp4(message.tag, &exchange, &exchange.integrity_key()),
                    (true, false) if accounts.is_locked(now, &name) => {
                        rakp::refusal(message.tag, exchange.console, Status::UnauthorizedName)
                    }
                    (true, false) => {
                        accounts.succeeded(&name);
                        session.activate(now);
                        rakp::rakp4(message.tag, &exchange, &exchange.integrity_key())
                    }
                    (false, true) => return None,
                    (false, false) => {
                        accounts.failed(now, &name);
                        rakp::refusal(message.tag, exchange.console, Status::InvalidCode)
                    }
                }
            }
        };
        Some(packet::encode_v20(payload::RAKP_4, &answer))
    }
}

/// Makes the exchange; also says the most the session may get: no more than was
/// asked for, by Open Session and now, and never more than the user may have.
fn key(
    message: &Rakp1,
    user: &User,
    session: &Session,
    random: [u8; 16],
    guid: [u8; 16],
) -> Result<(Exchange, Privilege), Status> {
    let most = user.privilege.min(session.limit);
    let limit = match message.role & 0x0f {
        0 => most, // the highest there is
        code => Privilege::from_code(code).ok_or(Status::InvalidRole)?,
    };
    if limit > most {
        return Err(Status::UnauthorizedRole);
    }
    let exchange = Exchange {
        suite: session.suite,
        console: session.console,
        session: session.id,
        console_random: message.random,
        random,
        guid,
        role: message.role,
        name: message.name.clone(),
        password: user.password.clone().into_bytes(),
    };
    Ok((exchange, limit))
}

fn request(path: Path, request: Option<Request>) -> Incoming {
    request.map_or(Incoming::Nothing, |request| {
        Incoming::Request(path, request)
    })
}

fn random<const N: usize>(entropy: &mut Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests;
