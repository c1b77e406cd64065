//! Exit codes and how failures are shown: the chain once, then a hint.

use placemat_spec::Problems;
use std::io::IsTerminal;

/// All is well.
pub(crate) const OK: u8 = 0;
/// A fault of placemat's own.
pub(crate) const INTERNAL: u8 = 1;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// A specification or scenario is wrong.
pub(crate) const SPEC: u8 = 3;
/// The host cannot do what is asked, or a run was inconclusive.
pub(crate) const HOST: u8 = 4;
/// The lab failed.
pub(crate) const LAB: u8 = 5;

/// SIGINT came.
pub(crate) const INTERRUPTED: u8 = 130;
/// SIGTERM came.
pub(crate) const TERMINATED: u8 = 143;

/// A failure with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// A failure that exits with `code`.
    pub(crate) fn new(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self {
            code,
            error: error.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let color = use_color();
        let count = problems.list.len();
        let text = problems.render(color);
        let plural = if count == 1 { "" } else { "s" };
        Self::new(
            SPEC,
            anyhow::anyhow!(
                "{}\n{count} problem{plural} found; nothing was started",
                text.trim_end()
            ),
        )
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(INTERNAL, error)
    }
}

/// Attaches an exit code to an error.
pub(crate) trait Code<T> {
    /// On an error, exits with `code`.
    fn code(self, code: u8) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Code<T> for Result<T, E> {
    fn code(self, code: u8) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(code, error))
    }
}

/// Whether stderr takes colour.
pub(crate) fn use_color() -> bool {
    std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints a failure to stderr and gives its exit code.
#[expect(clippy::print_stderr, reason = "this is where failures are told")]
pub(crate) fn report(failure: &Failure) -> u8 {
    let mut text = String::new();
    for cause in failure.error.chain() {
        let words = cause.to_string();
        if text.is_empty() {
            text = words;
        } else if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
    }
    if failure.code == SPEC && text.starts_with("error") {
        eprintln!("{text}");
    } else {
        eprintln!("error: {text}");
    }
    if let Some(hint) = &failure.hint {
        eprintln!("hint: {hint}");
    }
    failure.code
}
