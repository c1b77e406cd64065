//! IPMI commands (IPMI 2.0 chapters 20 to 35): one function each, one table row each. Every
//! request gets an answer, known or not: clients wait for seconds where one is missing.

#![expect(
    clippy::unnecessary_wraps,
    reason = "all commands have one type, so that they fit into one table"
)]

pub mod app;
pub mod chassis;
pub mod code;
pub mod sensor_event;
pub mod storage;
pub mod transport;

pub use code::Code;

use crate::bmc::Bmc;
use crate::rmcp::message::Request;
use crate::rmcp::session::{Active, Sessions};
use crate::user::Privilege;
use std::pin::Pin;

/// The LAN channel that we are.
pub const CHANNEL: u8 = 1;

/// Data of a response, or why there is none.
pub type Answer = Result<Vec<u8>, Code>;

/// An answer that takes a while.
pub type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One request, with all that a command may touch.
pub struct Call<'a> {
    /// The BMC.
    pub bmc: &'a Bmc,
    /// What IPMI alone remembers.
    pub state: &'a mut State,
    /// All sessions.
    pub sessions: &'a mut Sessions,
    /// The session that the request came in, if any.
    pub session: Option<u32>,
    /// Parameters.
    pub data: &'a [u8],
}

impl Call<'_> {
    /// The active session that the request came in.
    pub fn active(&mut self) -> Option<&mut Active> {
        self.sessions.active(self.session?)
    }

    /// The first `N` bytes of the parameters, or the error that they are too few.
    pub fn head<const N: usize>(&self) -> Result<[u8; N], Code> {
        self.data.first_chunk().copied().ok_or(Code::Length)
    }
}

/// What IPMI alone remembers of a BMC.
#[derive(Debug, Default)]
pub struct State {
    /// Boot option parameters beyond the boot override.
    pub boot_options: chassis::boot_options::Remembered,
}

/// How a command runs.
pub enum Run {
    /// At once.
    Now(fn(&mut Call<'_>) -> Answer),
    /// It checks its parameters at once and then takes a while.
    Later(fn(&mut Call<'_>) -> Result<Work, Code>),
}

/// A command.
pub struct Row {
    /// Its code within the network function.
    pub command: u8,
    /// The least privilege it needs; `None`: works without a session.
    pub least: Option<Privilege>,
    /// Its name in the standard.
    pub name: &'static str,
    /// What it does.
    pub run: Run,
}

/// A command that answers at once.
const fn now(
    command: u8,
    least: Option<Privilege>,
    name: &'static str,
    run: fn(&mut Call<'_>) -> Answer,
) -> Row {
    let run = Run::Now(run);
    Row {
        command,
        least,
        name,
        run,
    }
}

/// A command that takes a while.
const fn later(
    command: u8,
    least: Option<Privilege>,
    name: &'static str,
    run: fn(&mut Call<'_>) -> Result<Work, Code>,
) -> Row {
    let run = Run::Later(run);
    Row {
        command,
        least,
        name,
        run,
    }
}

/// Privileges, as the rows write them (appendix G).
const ANYONE: Option<Privilege> = None;
const USER: Option<Privilege> = Some(Privilege::User);
const OPERATOR: Option<Privilege> = Some(Privilege::Operator);
const ADMINISTRATOR: Option<Privilege> = Some(Privilege::Administrator);

/// The commands, by network function.
pub const COMMANDS: &[(u8, &[Row])] = &[
    (0x00, chassis::ROWS),
    (0x04, sensor_event::ROWS),
    (0x06, app::ROWS),
    (0x0a, storage::ROWS),
    (0x0c, transport::ROWS),
];

/// An answer, or the promise of one.
pub enum Outcome {
    /// Here it is.
    Now(Answer),
    /// It will come.
    Later(Work),
}

/// Finds the command, checks that the caller may use it, and runs it.
pub fn dispatch(call: &mut Call<'_>, request: &Request) -> Outcome {
    let row = COMMANDS
        .iter()
        .find(|(netfn, _)| *netfn == request.netfn)
        .and_then(|(_, rows)| rows.iter().find(|row| row.command == request.command));
    let Some(row) = row else {
        return Outcome::Now(Err(Code::InvalidCommand));
    };
    if request.lun != 0 {
        return Outcome::Now(Err(Code::InvalidLun));
    }
    let privilege = call.active().map(|active| active.privilege);
    if row.least > privilege {
        return Outcome::Now(Err(Code::Privilege));
    }
    tracing::trace!(node = %call.bmc.identity().name, command = row.name, "IPMI");
    match row.run {
        Run::Now(run) => Outcome::Now(run(call)),
        Run::Later(run) => run(call).map_or_else(|code| Outcome::Now(Err(code)), Outcome::Later),
    }
}

#[cfg(test)]
pub(crate) mod tests;
