//! The placemat command: a virtual data center you can test against.

mod api;
mod boot;
mod bundle;
mod color;
mod command;
mod exit;
mod expansion;
mod fetch;
mod input;
mod launch;
mod limits;
mod live;
mod log;
mod machine;
mod network;
mod pcapng;
mod persona;
mod place;
mod port;
mod progress;
mod proposal;
mod provision;
mod table;
mod talk;
mod templates;
mod tree;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A container's init is this program too: it must stay small, so it comes before everything.
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    if arguments.next().as_deref() == Some(placemat_host::container::INIT_ARGUMENT) {
        placemat_host::container::init::main(&arguments.next().unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    placemat_host::process::keep_inherited_to_ourselves();
    let done = if let Some(persona) = persona::Persona::of(&program) {
        persona.run()
    } else {
        let cli = command::Cli::parse();
        cli.start_log();
        cli.run()
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => ExitCode::from(exit::report(&failure)),
    }
}
