//! The command line through the real program: bad input, missing things, help, verbs.
//!
//! Every case says what was printed and the exit code, and leaves nothing behind.

mod cache;
mod check;
mod control;
mod expand;
mod explain;
mod generated;
mod graph;
mod help;
mod image;
mod missing;
mod persona;
mod scenario;
mod verbs;

use placemat_tests::{Place, Said, repository};

/// Exit code and output, with what differs from run to run replaced.
pub(crate) fn shown(place: &Place, said: &Said) -> String {
    let place = place.dir().to_string_lossy().into_owned();
    let repository = repository().to_string_lossy().into_owned();
    let text = |name: &str, text: &str| {
        let text = text
            .replace(&place, "PLACE")
            .replace(&repository, "REPOSITORY");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        if lines.is_empty() {
            String::new()
        } else {
            format!("--- {name}\n{}\n", lines.join("\n"))
        }
    };
    format!(
        "exit code {}\n{}{}",
        said.code
            .map_or_else(|| "none".into(), |code| code.to_string()),
        text("stdout", &said.out),
        text("stderr", &said.err)
    )
}

/// Asserts what a command says, and that nothing is left.
macro_rules! says {
    ($place:expr, $arguments:expr) => {
        let said = $place.say($arguments);
        insta::assert_snapshot!($crate::shown(&$place, &said));
        $place.assert_nothing_left();
    };
}
pub(crate) use says;
