//! The table itself, and junk parameters for every command in it.

use super::*;
use crate::boot::BootOverride;
use crate::hardware::{Hardware, HardwareError};
use crate::identity::Identity;
use crate::rmcp::rakp::Exchange;
use crate::rmcp::session::Stage;
use crate::rmcp::suite::Suite;
use crate::user::UserTable;
use crate::{Bmc, Settings};
use async_trait::async_trait;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// A machine that does nothing.
struct Brick;

#[async_trait]
impl Hardware for Brick {
    async fn power_on(&self, _: Option<BootOverride>) -> Result<(), HardwareError> {
        Ok(())
    }
    async fn power_off(&self) -> Result<(), HardwareError> {
        Ok(())
    }
    async fn reset(&self, _: Option<BootOverride>) -> Result<(), HardwareError> {
        Ok(())
    }
    async fn shutdown(&self) -> Result<(), HardwareError> {
        Ok(())
    }
    async fn arm_boot(&self, _: Option<BootOverride>) -> Result<(), HardwareError> {
        Ok(())
    }
    async fn is_on(&self) -> bool {
        false
    }
}

/// A BMC in front of it.
pub(crate) fn bmc() -> Bmc {
    let identity = Identity::new("cs1", "serial", [127, 0, 0, 1].into());
    let users = UserTable::administrator("admin", "placemat").expect("valid");
    Bmc::new(Settings::new(identity, users), Arc::new(Brick))
}

#[test]
fn the_table() {
    let mut seen = HashSet::new();
    let mut lines = String::new();
    for (netfn, rows) in COMMANDS {
        for row in *rows {
            assert!(
                seen.insert((netfn, row.command)),
                "{} is there twice",
                row.name
            );
            let least = row
                .least
                .map_or("anyone".to_owned(), |least| format!("{least:?}"));
            lines.extend([format!(
                "{netfn:02x}h {:02x}h {least:13} {}\n",
                row.command, row.name
            )]);
        }
    }
    insta::assert_snapshot!(lines);
}

/// A table with one active session, which is allowed at most `limit`.
fn session(limit: Privilege) -> (Sessions, u32) {
    let mut sessions = Sessions::default();
    let id = sessions
        .open(Duration::ZERO, 1, Suite::Sha256, limit, || 7)
        .expect("there is room");
    let exchange = Exchange {
        suite: Suite::Sha256,
        console: 1,
        session: id,
        console_random: [0; 16],
        random: [0; 16],
        guid: [0; 16],
        role: 0x10 | limit.code(),
        name: b"admin".to_vec(),
        password: b"placemat".to_vec(),
    };
    let session = sessions.get(id).expect("just opened");
    session.stage = Stage::Active(Box::new(Active::new(exchange, limit)));
    (sessions, id)
}

fn ask(
    sessions: &mut Sessions,
    session: Option<u32>,
    netfn: u8,
    command: u8,
    data: &[u8],
) -> Outcome {
    let bmc = bmc();
    let mut call = Call {
        bmc: &bmc,
        state: &mut State::default(),
        sessions,
        session,
        data,
    };
    dispatch(&mut call, &Request::new(netfn, command, Vec::new(), 1))
}

#[tokio::test]
async fn every_command_takes_its_privilege() {
    let levels = [
        None,
        Some(Privilege::Callback),
        USER,
        OPERATOR,
        ADMINISTRATOR,
    ];
    for (netfn, rows) in COMMANDS {
        for row in *rows {
            for level in levels {
                let mut sessions = Sessions::default();
                let mut id = None;
                if let Some(limit) = level {
                    let (table, number) = session(limit);
                    sessions = table;
                    sessions.active(number).expect("active").privilege = limit;
                    id = Some(number);
                }
                let refused = matches!(
                    ask(&mut sessions, id, *netfn, row.command, &[]),
                    Outcome::Now(Err(Code::Privilege))
                );
                assert_eq!(refused, row.least > level, "{} as {level:?}", row.name);
            }
        }
    }
}

#[tokio::test]
async fn a_session_rises_no_further_than_its_limit() {
    let (mut sessions, id) = session(Privilege::Operator);
    let mut level = |byte| match ask(&mut sessions, Some(id), 0x06, 0x3b, &[byte]) {
        Outcome::Now(answer) => answer,
        Outcome::Later(_) => panic!("it answers at once"),
    };
    assert_eq!(level(0), Ok(vec![2]), "it begins as a user");
    assert_eq!(level(3), Ok(vec![3]));
    assert_eq!(level(4), Err(Code::BeyondLimit));
    assert_eq!(level(1), Err(Code::InvalidField), "reserved");
    assert_eq!(level(5), Err(Code::InvalidField));
    assert_eq!(level(0), Ok(vec![3]), "what is refused changes nothing");
    assert_eq!(level(2), Ok(vec![2]));
}

#[tokio::test]
async fn every_command_code_is_answered() {
    let (mut sessions, id) = session(Privilege::User);
    for netfn in (0..64).step_by(2) {
        for command in 0..=255 {
            let known = COMMANDS
                .iter()
                .any(|(f, rows)| *f == netfn && rows.iter().any(|row| row.command == command));
            let unknown = matches!(
                ask(&mut sessions, Some(id), netfn, command, &[]),
                Outcome::Now(Err(Code::InvalidCommand))
            );
            assert_eq!(unknown, !known, "{netfn:02x}h {command:02x}h");
        }
    }
}

proptest! {
    #[test]
    fn junk_parameters_never_panic(data in proptest::collection::vec(any::<u8>(), 0..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let _inside = runtime.enter();
        let bmc = bmc();
        for (_, rows) in COMMANDS {
            for row in *rows {
                let (mut sessions, id) = session(Privilege::Administrator);
                let mut call = Call {
                    bmc: &bmc,
                    state: &mut State::default(),
                    sessions: &mut sessions,
                    session: Some(id),
                    data: &data,
                };
                match row.run {
                    Run::Now(run) => drop(run(&mut call)),
                    Run::Later(run) => drop(run(&mut call)),
                }
            }
        }
    }
}
