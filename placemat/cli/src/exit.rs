//! Exit codes and how failures are shown: the chain once, then a hint.

use placemat_lab::control::ClientError;
use placemat_lab::control::protocol::ErrorKind;
use placemat_spec::Problems;
use placemat_spec::problem::{ProblemJson, Severity};

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
    /// Its problems one by one, where that is what it is of.
    problems: Vec<ProblemJson>,
}

impl Failure {
    /// A failure that exits with `code`.
    pub(crate) fn new(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self {
            code,
            error: error.into(),
            hint: None,
            problems: Vec::new(),
        }
    }

    /// Problems with places.
    pub(crate) fn of(code: u8, problems: &Problems) -> Self {
        Self {
            problems: problems.to_json(Severity::Error),
            ..Self::new(code, rendered(problems))
        }
    }

    /// What a specification asks for and this host lacks.
    pub(crate) fn of_host(problems: &Problems) -> Self {
        Self::of(HOST, problems)
    }

    /// Its exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// What is wrong, as data: its problems, else itself as one.
    pub(crate) fn to_json(&self) -> Vec<ProblemJson> {
        if !self.problems.is_empty() {
            return self.problems.clone();
        }
        vec![ProblemJson {
            severity: Severity::Error,
            code: match self.code {
                USAGE => "usage",
                SPEC => "bad-input",
                HOST => "host",
                LAB => "lab",
                _ => "internal",
            }
            .to_owned(),
            message: chain(&self.error),
            at: None,
            labels: Vec::new(),
            help: self.hint.clone(),
        }]
    }

    /// Whether a signal is all that happened.
    pub(crate) fn is_signal(&self) -> bool {
        matches!(self.code, INTERRUPTED | TERMINATED)
    }

    /// Adds what to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint))
    }

    /// The same, where that is known.
    pub(crate) fn maybe_hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into).or(self.hint);
        self
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::of(SPEC, &problems)
    }
}

fn rendered(problems: &Problems) -> anyhow::Error {
    let count = problems.list.len();
    let text = problems.render(crate::color::wanted());
    let plural = if count == 1 { "" } else { "s" };
    anyhow::anyhow!(
        "{}\n{count} problem{plural} found; nothing was started",
        text.trim_end()
    )
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(INTERNAL, error)
    }
}

/// What a lab answered, or that it did not.
impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Answered(answer) => {
                let code = match answer.kind {
                    ErrorKind::UnknownTarget | ErrorKind::Refused => USAGE,
                    ErrorKind::Failed => LAB,
                    ErrorKind::BadRequest => INTERNAL,
                };
                Self::new(code, error)
            }
            _ => Self::new(LAB, error).hint("`placemat ls` lists running labs"),
        }
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

/// Prints a failure to stderr and gives its exit code.
pub(crate) fn report(failure: &Failure) -> u8 {
    crate::talk::say(&words(failure));
    failure.code
}

/// How a rendered problem begins where there is colour.
const RED: &str = "\x1b[1;31m";

/// The chain of causes, each once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let words = cause.to_string();
        if text.is_empty() {
            text = words;
        } else if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
    }
    text
}

/// The chain of causes once, then the hint.
fn words(failure: &Failure) -> String {
    let mut text = chain(&failure.error);
    // Problems with a place come rendered, each with its own `error`.
    let plain = text.strip_prefix(RED).unwrap_or(&text);
    if !plain.starts_with("error[") && !plain.starts_with("error:") {
        text = format!("error: {text}");
    }
    if let Some(hint) = &failure.hint {
        text = format!("{text}\nhint: {hint}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn failures_in_words() {
        let refused = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let chained = Err::<(), _>(refused)
            .context("create /run/placemat")
            .code(HOST)
            .expect_err("an error")
            .hint("PLACEMAT_RUN_DIR names another place");
        let repeated = Failure::from(anyhow::anyhow!("no power").context("start a: no power"));
        let rendered = Failure::new(SPEC, anyhow::anyhow!("error: unknown key\n1 problem found"));
        let plain = Failure::new(SPEC, anyhow::anyhow!("read x.yml"));
        let answered = |kind| {
            let error = placemat_lab::error::ActError::new(kind, "node/a has no power switch");
            Failure::from(ClientError::Answered(error))
        };
        let broken = std::io::ErrorKind::BrokenPipe.into();
        let all = [
            chained,
            repeated,
            rendered,
            plain,
            answered(ErrorKind::UnknownTarget),
            answered(ErrorKind::Refused),
            answered(ErrorKind::Failed),
            answered(ErrorKind::BadRequest),
            Failure::from(ClientError::Talk(broken)),
            Failure::from(ClientError::Ended),
        ];
        let text: Vec<String> = all
            .iter()
            .map(|failure| format!("[{}]\n{}", failure.code, words(failure)))
            .collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
