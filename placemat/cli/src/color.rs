//! Whether to write in colour and in place: as the environment and the terminal ask, the same for every verb.
//! `NO_COLOR` (no-color.org) and `CLICOLOR` (bixense.com/clicolors) are what they are elsewhere.

use placemat_scenario::report::terminal::Options;
use std::ffi::OsString;
use std::io::IsTerminal;

/// Whether what goes to stderr, where all talk goes, takes colour.
pub(crate) fn wanted() -> bool {
    decide(std::io::stderr().is_terminal(), |name| {
        std::env::var_os(name)
    })
}

/// How the display of a lab or run is drawn on stderr.
pub(crate) fn display() -> Options {
    let size =
        placemat_host::process::terminal_size().filter(|_| !is_dumb(std::env::var_os("TERM")));
    let plain = Options::plain();
    let (width, height) = size.unwrap_or((plain.width, plain.height));
    Options {
        live: size.is_some(),
        color: wanted(),
        width,
        height,
    }
}

/// A terminal without a name can do no more than one that says it is dumb.
fn is_dumb(term: Option<OsString>) -> bool {
    term.is_none_or(|term| term.is_empty() || term == "dumb")
}

fn decide(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let says = |name: &str| variable(name).filter(|value| !value.is_empty());
    if says("NO_COLOR").is_some() {
        return false;
    }
    if says("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    terminal && !is_dumb(variable("TERM")) && says("CLICOLOR").is_none_or(|value| value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_and_the_terminal_decide() {
        let xterm = ("TERM", "xterm");
        for (terminal, variables, color) in [
            (true, &[xterm][..], true),
            (false, &[xterm], false),
            (true, &[], false),
            (true, &[("TERM", "dumb")], false),
            (true, &[xterm, ("NO_COLOR", "1")], false),
            (true, &[xterm, ("NO_COLOR", "")], true),
            (true, &[xterm, ("CLICOLOR", "0")], false),
            (true, &[xterm, ("CLICOLOR", "1")], true),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (false, &[("CLICOLOR_FORCE", "0")], false),
            (true, &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true),
            (
                true,
                &[xterm, ("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")],
                true,
            ),
            (
                true,
                &[xterm, ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
                false,
            ),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(
                decide(terminal, variable),
                color,
                "{terminal} {variables:?}"
            );
        }
    }
}
