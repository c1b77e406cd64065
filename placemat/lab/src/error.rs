//! Errors in words.

use crate::control::protocol::{Answer, ErrorKind};
use std::error::Error;

/// Why something could not be done to a live lab: of what kind, and in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ActError {
    /// Whose matter it is.
    pub kind: ErrorKind,
    /// Names the object and the act.
    pub message: String,
}

impl ActError {
    /// No object of the lab is meant, or more than one.
    pub fn unknown_target(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::UnknownTarget, message)
    }

    /// The object never does what is asked.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// It was tried, and did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Of any kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }
}

impl From<String> for ActError {
    fn from(message: String) -> Self {
        Self::failed(message)
    }
}

impl From<ActError> for Answer {
    fn from(error: ActError) -> Self {
        let ActError { kind, message } = error;
        Self::Error { kind, message }
    }
}

/// An error with its causes, `a: b: c`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let (text, rest) = texts.split_first().expect("one at least");
        let source = (!rest.is_empty()).then(|| Box::new(layers(rest)));
        Layer { text, source }
    }

    #[test]
    fn causes_follow_each_other_and_none_comes_twice() {
        assert_eq!(
            chain(&layers(&["start a", "no power"])),
            "start a: no power"
        );
        assert_eq!(
            chain(&layers(&["start a: no power", "no power"])),
            "start a: no power"
        );
        assert_eq!(chain(&layers(&["start a"])), "start a");
    }
}
