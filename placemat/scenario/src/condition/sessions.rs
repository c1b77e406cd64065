//! `bgp` and `bfd`: sessions as a speaker's own BIRD sees them.

use super::{Atom, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, ROUTING, Reader, Row, Targets, Value};
use crate::port::{BfdSession, BgpSession};
use async_trait::async_trait;
use placemat_spec::selector::Target;

const OF: Key = Key::required("of", "SELECTOR", "routers, boot servers, servers");
const PEERS: Key = Key::optional(
    "peers",
    "all | NUMBER",
    "all of its sessions (and at least one), or at least that many; default all",
);

pub(super) const BGP: Row<super::Parse> = Row {
    name: "bgp",
    doc: "BGP sessions are in a state, as the speaker's own BIRD sees them",
    keys: &[
        OF,
        Key::optional(
            "state",
            "Established",
            "FSM state: Idle Connect Active OpenSent OpenConfirm Established",
        ),
        PEERS,
    ],
    parse: |reader, value| parse(reader, value, Protocol::Bgp),
};

pub(super) const BFD: Row<super::Parse> = Row {
    name: "bfd",
    doc: "BFD sessions are in a state, as the speaker's own BIRD sees them",
    keys: &[
        OF,
        Key::optional("state", "Up", "session state: AdminDown Down Init Up"),
        PEERS,
    ],
    parse: |reader, value| parse(reader, value, Protocol::Bfd),
};

#[derive(Debug, Clone, Copy)]
enum Protocol {
    Bgp,
    Bfd,
}

impl Protocol {
    const fn row(self) -> &'static Row<super::Parse> {
        match self {
            Self::Bgp => &BGP,
            Self::Bfd => &BFD,
        }
    }

    /// States of a session (RFC 4271 section 8.2.2, RFC 5880
    /// section 4.1).
    const fn states(self) -> &'static [&'static str] {
        match self {
            Self::Bgp => &[
                "Idle",
                "Connect",
                "Active",
                "OpenSent",
                "OpenConfirm",
                "Established",
            ],
            Self::Bfd => &["AdminDown", "Down", "Init", "Up"],
        }
    }

    const fn up(self) -> &'static str {
        match self {
            Self::Bgp => "Established",
            Self::Bfd => "Up",
        }
    }
}

/// What either protocol's session is judged by.
struct Session {
    name: String,
    state: String,
    /// Why it is not up, where BIRD knows.
    error: Option<String>,
}

impl From<BgpSession> for Session {
    fn from(session: BgpSession) -> Self {
        Self {
            name: session.name,
            state: session.state,
            error: session.last_error,
        }
    }
}

impl From<BfdSession> for Session {
    fn from(session: BfdSession) -> Self {
        Self {
            name: format!("{} {}", session.interface, session.neighbor),
            state: session.state,
            error: None,
        }
    }
}

#[derive(Debug)]
struct Sessions {
    protocol: Protocol,
    of: Targets,
    state: &'static str,
    peers: Option<u32>,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>, protocol: Protocol) -> Option<Box<dyn Probe>> {
    let row = protocol.row();
    let fields = reader.fields(value, row.name, row.keys)?;
    let of = reader.targets(fields.get("of"), ROUTING);
    let state = reader.choice_or(fields.get("state"), protocol.states(), protocol.up());
    let peers = reader.peers(fields.get("peers"));
    Some(Box::new(Sessions {
        protocol,
        of: of?,
        state: state?,
        peers: peers?,
    }))
}

impl Sessions {
    fn judge(&self, target: &Target, sessions: Vec<Session>) -> Vec<Atom> {
        let Some(least) = self.peers else {
            if sessions.is_empty() {
                let last = match self.protocol {
                    Protocol::Bgp => "has no BGP session",
                    Protocol::Bfd => "has no BFD session",
                };
                let expected = format!("sessions {}", self.state);
                return vec![Atom::new(target.to_string(), false, last, expected)];
            }
            let each = sessions.into_iter().map(|session| {
                let who = format!("{target} {}", session.name);
                let held = session.state == self.state;
                Atom::new(who, held, self.said(session), self.state)
            });
            return each.collect();
        };
        let there = sessions
            .iter()
            .filter(|session| session.state == self.state)
            .count();
        vec![Atom::new(
            target.to_string(),
            there >= least as usize,
            format!("{there} of {} sessions {}", sessions.len(), self.state),
            format!("at least {least} {}", self.state),
        )]
    }

    fn said(&self, session: Session) -> String {
        match session.error {
            Some(error) if session.state != self.protocol.up() => {
                format!("{} ({error})", session.state)
            }
            _ => session.state,
        }
    }
}

#[async_trait]
impl Probe for Sessions {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let protocol = self.protocol;
        let answers = cx
            .each(&self.of, |port, of| async move {
                let sessions: Vec<Session> = match protocol {
                    Protocol::Bgp => port.bgp(&of).await?.into_iter().map(Into::into).collect(),
                    Protocol::Bfd => port.bfd(&of).await?.into_iter().map(Into::into).collect(),
                };
                Ok(sessions)
            })
            .await;
        Findings::per_target(answers, self.state, |target, sessions| {
            self.judge(target, sessions)
        })
    }

    fn describe(&self) -> String {
        format!("{} of {} {}", self.protocol.row().name, self.of, self.state)
    }
}
