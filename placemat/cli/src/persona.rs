//! Other names of the program: started by a link that is called as a program of placemat v2, it takes
//! that program's flags and commands, and does what that did with what it has now.

mod placemat2;
mod placemat_menu;
mod pmctl2;

use crate::exit::Failure;
use clap::Parser;
use std::path::Path;

/// Every name, as `install-links` makes them.
pub(crate) const NAMES: [&str; 3] = ["placemat2", "pmctl2", "placemat-menu"];

/// Which program we are to be.
pub(crate) enum Persona {
    Placemat2(placemat2::Placemat2),
    Pmctl2(pmctl2::Pmctl2),
    Menu(placemat_menu::PlacematMenu),
}

impl Persona {
    /// By the name that we were started by; `None`: placemat itself. A command line that is wrong
    /// ends the program here.
    pub(crate) fn of(program: &str) -> Option<Self> {
        let name = Path::new(program).file_name()?.to_str()?;
        match name {
            "placemat2" => Some(Self::Placemat2(Parser::parse())),
            "pmctl2" => Some(Self::Pmctl2(Parser::parse())),
            "placemat-menu" => Some(Self::Menu(Parser::parse())),
            _ => None,
        }
    }

    /// Does it, and gives the exit code.
    pub(crate) fn run(self) -> Result<u8, Failure> {
        match self {
            Self::Placemat2(persona) => persona.run(),
            Self::Pmctl2(persona) => persona.run(),
            Self::Menu(persona) => persona.run(),
        }
    }
}
