//! `bfd`: BFD sessions as a speaker's own BIRD sees them.

use super::{Atom, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, ROUTING, Reader, Row, Targets, Value};
use crate::port::BfdSession;
use async_trait::async_trait;
use placemat_spec::selector::Target;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "bfd",
    doc: "BFD sessions are in a state, as the speaker's own BIRD sees them",
    keys: &[
        Key::required("of", "SELECTOR", "routers, boot servers, servers"),
        Key::optional("state", "Up", "session state: AdminDown Down Init Up"),
        Key::optional(
            "peers",
            "all | NUMBER",
            "all of its sessions (and at least one), or at least that many; default all",
        ),
    ],
    parse,
};

/// Session states (RFC 5880 section 4.1).
const STATES: &[&str] = &["AdminDown", "Down", "Init", "Up"];

#[derive(Debug)]
struct Bfd {
    of: Targets,
    state: &'static str,
    peers: Option<u32>,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let of = reader.targets(fields.get("of"), ROUTING);
    let state = reader.choice_or(fields.get("state"), STATES, "Up");
    let peers = reader.peers(fields.get("peers"));
    Some(Box::new(Bfd {
        of: of?,
        state: state?,
        peers: peers?,
    }))
}

impl Bfd {
    fn judge(&self, target: &Target, sessions: &[BfdSession]) -> Vec<Atom> {
        let Some(least) = self.peers else {
            if sessions.is_empty() {
                let expected = format!("sessions {}", self.state);
                return vec![Atom::new(
                    target.to_string(),
                    false,
                    "has no BFD session",
                    expected,
                )];
            }
            return sessions
                .iter()
                .map(|session| {
                    Atom::new(
                        format!("{target} {} {}", session.interface, session.neighbor),
                        session.state == self.state,
                        session.state.clone(),
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

#[async_trait]
impl Probe for Bfd {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let answers = cx
            .each(&self.of, |port, of| async move { port.bfd(&of).await })
            .await;
        Findings::per_target(answers, self.state, |target, sessions| {
            self.judge(target, &sessions)
        })
    }

    fn describe(&self) -> String {
        format!("bfd of {} {}", self.of, self.state)
    }
}
