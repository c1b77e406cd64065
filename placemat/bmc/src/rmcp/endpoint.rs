//! One BMC's end of RMCP: takes datagrams, opens sessions, and hands out the requests in them.

use super::message::Request;
use super::packet::{self, Packet, V20, payload};
use super::rakp::{self, Exchange, OpenRequest, Rakp1, Rakp3, Status};
use super::session::{Active, Sessions, Stage};
use super::suite::Suite;
use super::{asf, crypto};
use crate::user::{Privilege, UserTable};
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
    pub fn receive(&mut self, now: Duration, users: &UserTable, datagram: &[u8]) -> Incoming {
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
                payload::RAKP_1 => reply(self.rakp_1(now, users, packet.payload)),
                payload::RAKP_3 => reply(self.rakp_3(now, packet.payload)),
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
        let received = self
            .sessions
            .active(packet.session)
            .and_then(|active| active.receive(packet));
        if received.is_some() {
            // Only an authentic packet keeps a session alive.
            self.sessions.heard(now, packet.session);
        }
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
        let session = self
            .sessions
            .open(now, request.console, suite, number)
            .ok_or(Status::InsufficientResources)?;
        Ok((session, suite))
    }

    /// RAKP message 1 (section 13.20), answered by message 2.
    fn rakp_1(&mut self, now: Duration, users: &UserTable, bytes: &[u8]) -> Option<Vec<u8>> {
        let decoded = Rakp1::decode(bytes)?;
        let (tag, id) = match &decoded {
            Ok(message) => (message.tag, message.session),
            Err((tag, id, _)) => (*tag, *id),
        };
        let fresh = random(&mut self.entropy);
        let answer = match self.sessions.heard(now, id) {
            None => rakp::refusal(tag, 0, Status::InvalidSession),
            // Ids travel in clear: whatever the message holds, it must not end a session that lives.
            Some(session) if matches!(session.stage, Stage::Active(_)) => {
                rakp::refusal(tag, session.console, Status::InvalidSession)
            }
            Some(session) => {
                let console = session.console;
                let keyed = decoded
                    .map_err(|(_, _, status)| status)
                    .and_then(|message| {
                        let (exchange, limit) = key(
                            &message,
                            users,
                            session.suite,
                            console,
                            // A message that is sent again gets the same answer.
                            match &session.stage {
                                Stage::Keyed(exchange, _) => exchange.random,
                                Stage::Opened => fresh,
                                Stage::Active(_) => return Err(Status::InvalidSession),
                            },
                            self.guid,
                        )?;
                        let answer = rakp::rakp2(tag, &exchange);
                        session.stage = Stage::Keyed(exchange, limit);
                        Ok(answer)
                    });
                keyed.unwrap_or_else(|status| {
                    if status != Status::InvalidSession {
                        self.sessions.remove(id);
                    }
                    rakp::refusal(tag, console, status)
                })
            }
        };
        Some(packet::encode_v20(payload::RAKP_2, &answer))
    }

    /// RAKP message 3 (section 13.22), answered by message 4.
    fn rakp_3(&mut self, now: Duration, bytes: &[u8]) -> Option<Vec<u8>> {
        let message = Rakp3::decode(bytes)?;
        let Some(session) = self.sessions.heard(now, message.session) else {
            let answer = rakp::refusal(message.tag, 0, Status::InvalidSession);
            return Some(packet::encode_v20(payload::RAKP_4, &answer));
        };
        let (exchange, limit) = match &session.stage {
            Stage::Opened => return None,
            Stage::Keyed(exchange, limit) => (exchange.clone(), *limit),
            // Message 4 got lost: the same again.
            Stage::Active(active) => (active.exchange.clone(), active.limit),
        };
        let active = matches!(session.stage, Stage::Active(_));
        if message.status != 0 || !crypto::equal(&exchange.code_3(), &message.code) {
            if !active {
                self.sessions.remove(message.session);
            }
            // A console that gives up expects no answer (section 13.22).
            return (message.status == 0 && !active).then(|| {
                let answer = rakp::refusal(message.tag, exchange.console, Status::InvalidCode);
                packet::encode_v20(payload::RAKP_4, &answer)
            });
        }
        let answer = rakp::rakp4(message.tag, &exchange, &exchange.integrity_key());
        if !active {
            session.stage = Stage::Active(Box::new(Active::new(exchange, limit)));
        }
        Some(packet::encode_v20(payload::RAKP_4, &answer))
    }
}

/// Finds the user and makes the exchange; also says the most the session may get.
fn key(
    message: &Rakp1,
    users: &UserTable,
    suite: Suite,
    console: u32,
    random: [u8; 16],
    guid: [u8; 16],
) -> Result<(Exchange, Privilege), Status> {
    let user = users.find(&message.name).ok_or(Status::UnauthorizedName)?;
    let limit = match message.role & 0x0f {
        0 => user.privilege, // the highest there is
        code => Privilege::from_code(code).ok_or(Status::InvalidRole)?,
    };
    if limit > user.privilege {
        return Err(Status::UnauthorizedRole);
    }
    let exchange = Exchange {
        suite,
        console,
        session: message.session,
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
