//! Text -> [`Selector`].

use super::{Condition, Form, Selector, SelectorError, TargetKind};
use crate::problem::suggestion;
use std::ops::Range;

/// The words in front of the slash.
const TYPES: [(&str, Option<TargetKind>); 7] = [
    ("node", Some(TargetKind::Node)),
    ("router", Some(TargetKind::Router)),
    ("boot-server", Some(TargetKind::BootServer)),
    ("network", Some(TargetKind::Network)),
    ("feed", Some(TargetKind::Feed)),
    ("pdu", Some(TargetKind::Pdu)),
    ("rack", None),
];

impl Selector {
    /// Reads a selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let form = form(text)?;
        Ok(Self {
            text: text.to_owned(),
            form,
        })
    }
}

fn form(text: &str) -> Result<Form, SelectorError> {
    if text == "hub" {
        return Ok(Form::Hub);
    }
    let all = 0..text.len();
    let Some((word, rest)) = text.split_once('/') else {
        return bare(text, all);
    };
    let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == word) else {
        let words = TYPES.map(|(name, _)| name);
        return Err(bad(
            format!("there is no type `{word}` of target"),
            0..word.len(),
            suggestion(word, "types are", &words),
        ));
    };
    let start = word.len() + 1;
    if rest.is_empty() {
        return Err(bad(
            format!("the selector `{text}` names nothing"),
            all,
            format!("`{word}/*` means all of them"),
        ));
    }
    match kind {
        Some(kind) if rest.contains('=') => {
            let mut conditions = Vec::new();
            let mut at = start;
            for part in rest.split('+') {
                conditions.push(condition(part, at..at + part.len())?);
                at += part.len() + 1;
            }
            Ok(Form::Where(*kind, conditions))
        }
        Some(kind) => {
            word_of(rest, start)?;
            Ok(Form::Named(*kind, rest.to_owned()))
        }
        None => {
            word_of(rest, start)?;
            Ok(Form::Rack(rest.to_owned()))
        }
    }
}

fn bare(text: &str, all: Range<usize>) -> Result<Form, SelectorError> {
    if text.is_empty() {
        return Err(bad("a selector cannot be empty".into(), all, FORMS.into()));
    }
    if text.contains(['*', '?', '=']) {
        return Err(bad(
            format!("the selector `{text}` has no type"),
            all,
            format!("put a type in front, such as `node/{text}`"),
        ));
    }
    word_of(text, 0)?;
    Ok(Form::Bare)
}

fn condition(text: &str, range: Range<usize>) -> Result<Condition, SelectorError> {
    let (key, equal, value) = match text.split_once("!=") {
        Some((key, value)) => (key, false, value),
        None => match text.split_once('=') {
            Some((key, value)) => (key, true, value),
            None => ("", true, text),
        },
    };
    if key.is_empty() || value.is_empty() {
        return Err(bad(
            format!("`{text}` is not a condition"),
            range,
            "conditions are `key=value` and `key!=value`, joined by `+`".into(),
        ));
    }
    let value_start = range.end - value.len();
    word_of(key, range.start)?;
    word_of(value, value_start)?;
    Ok(Condition {
        key: key.to_owned(),
        equal,
        value: value.to_owned(),
    })
}

/// Names, keys and values have no other characters, `*` and `?` aside.
fn word_of(text: &str, start: usize) -> Result<(), SelectorError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.*?".contains(c);
    match text.char_indices().find(|(_, c)| !fine(*c)) {
        None => Ok(()),
        Some((at, c)) => Err(bad(
            format!(
                "the character `{}` cannot stand in a selector",
                c.escape_default()
            ),
            start + at..start + at + c.len_utf8(),
            FORMS.into(),
        )),
    }
}

const FORMS: &str =
    "selectors are `node/NAME`, `router/role=spine+rack!=1`, `rack/1`, `hub`, or a bare name";

fn bad(message: String, range: Range<usize>, hint: String) -> SelectorError {
    SelectorError {
        code: "bad-selector",
        message,
        range,
        hint,
    }
}
