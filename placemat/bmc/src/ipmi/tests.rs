//! The table itself, and junk parameters for every command in it.

use super::*;
use crate::boot::BootOverride;
use crate::hardware::{Hardware, HardwareError};
use crate::identity::Identity;
use crate::user::UserTable;
use crate::{Bmc, Settings};
use async_trait::async_trait;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

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

fn bmc() -> Bmc {
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

#[tokio::test]
async fn outside_of_sessions_only_the_open_commands_work() {
    let bmc = bmc();
    for (netfn, rows) in COMMANDS {
        for row in *rows {
            let mut call = Call {
                bmc: &bmc,
                state: &mut State::default(),
                sessions: &mut Sessions::default(),
                session: None,
                data: &[],
            };
            let request = Request::new(*netfn, row.command, Vec::new(), 1);
            let refused = matches!(
                dispatch(&mut call, &request),
                Outcome::Now(Err(Code::Privilege))
            );
            assert_eq!(refused, row.least.is_some(), "{}", row.name);
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
                let mut call = Call {
                    bmc: &bmc,
                    state: &mut State::default(),
                    sessions: &mut Sessions::default(),
                    session: None,
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
