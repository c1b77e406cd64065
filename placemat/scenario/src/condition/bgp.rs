//! `bgp`: BGP sessions as a speaker's own BIRD sees them.

use super::{Atom, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, ROUTING, Reader, Row, Targets, Value};
use crate::port::BgpSession;
use async_trait::async_trait;
use placemat_spec::selector::Target;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "bgp",
    doc: "BGP sessions are in a state, as the speaker's own BIRD sees them",
    keys: &[
        Key::required("of", "SELECTOR", "routers, boot servers, servers"),
        Key::optional(
            "state",
            "Established",
            "FSM state: Idle Connect Active OpenSent OpenConfirm Established",
        ),
        Key::optional(
            "peers",
            "all | NUMBER",
            "all of its sessions (and at least one), or at least that many; default all",
        ),
    ],
    parse,
};

/// States of the FSM (RFC 4271 section 8.2.2).
const STATES: &[&str] = &[
    "Idle",
    "Connect",
    "Active",
    "OpenSent",
    "OpenConfirm",
    "Established",
];

#[derive(Debug)]
struct Bgp {
    of: Targets,
    state: &'static str,
    peers: Option<u32>,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let of = reader.targets(fields.get("of"), ROUTING);
    let state = reader.choice_or(fields.get("state"), STATES, "Established");
    let peers = reader.peers(fields.get("peers"));
    Some(Box::new(Bgp {
        of: of?,
        state: state?,
        peers: peers?,
    }))
}

impl Bgp {
    fn judge(&self, target: &Target, sessions: &[BgpSession]) -> Vec<Atom> {
        let Some(least) = self.peers else {
            if sessions.is_empty() {
                return vec![Atom::new(
                    target.to_string(),
                    false,
                    "has no BGP session",
                    format!("sessions {}", self.state),
                )];
            }
            return sessions
                .iter()
                .map(|session| {
                    Atom::new(
                        format!("{target} {}", session.name),
                        session.state == self.state,
                        with_error(session),
                        self.state,
                    )
                })
                .collect();
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
}

fn with_error(session: &BgpSession) -> String {
    match &session.last_error {
        Some(error) if session.state != "Established" => format!("{} ({error})", session.state),
        _ => session.state.clone(),
    }
}

#[async_trait]
impl Probe for Bgp {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let answers = cx
            .each(&self.of, |port, of| async move { port.bgp(&of).await })
            .await;
        Findings::per_target(answers, self.state, |target, sessions| {
            self.judge(target, &sessions)
        })
    }

    fn describe(&self) -> String {
        format!("bgp of {} {}", self.of, self.state)
    }
}
