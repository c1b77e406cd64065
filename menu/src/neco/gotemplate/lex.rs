//! Template text to pieces: literal text, and the words of each action.

use super::Error;
use std::ops::Range;

/// Deepest nesting of blocks and parentheses.
pub(super) const DEPTH: usize = 100;

/// A stretch of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Text that stays, trimmed as its neighbours ask.
    Text(Range<usize>),
    /// `{{ ... }}`, with its place.
    Action(Vec<Word>, Range<usize>),
}

/// A word of an action and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    /// What it is.
    pub(super) token: Token,
    /// Bytes of the template.
    pub(super) range: Range<usize>,
    /// Whether nothing stands between it and the word before.
    pub(super) joined: bool,
}

/// The kinds of words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// `.`
    Dot,
    /// `.Name`
    Field(String),
    /// `$` and `$name`, without the dollar.
    Variable(String),
    /// `range`, `eq`, `true`, ...
    Name(String),
    /// A string, unescaped.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `|`, `(`, `)`, `,`, `:=`, `=`.
    Sign(&'static str),
}

pub(super) fn lex(text: &str) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    let (mut at, mut trim) = (0, false);
    while let Some(found) = text[at..].find("{{") {
        let open = at + found;
        let mut inside = open + 2;
        let trims = trim_marker(&text[inside..]);
        if trims {
            inside += 1;
        }
        let literal = bounds(text, at..open, trim, trims);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        let (words, end, trim_after) = action(text, open, inside)?;
        if let Some(words) = words {
            pieces.push(Piece::Action(words, open..end));
        }
        (at, trim) = (end, trim_after);
    }
    let rest = bounds(text, at..text.len(), trim, false);
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// `- ` after the braces.
fn trim_marker(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('-') && chars.next().is_some_and(is_space)
}

/// What Go takes for a space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn bounds(text: &str, range: Range<usize>, start: bool, end: bool) -> Range<usize> {
    let piece = &text[range.clone()];
    let begin = if start {
        range.start + piece.len() - piece.trim_start_matches(is_space).len()
    } else {
        range.start
    };
    let stop = if end {
        range.start + piece.trim_end_matches(is_space).len()
    } else {
        range.end
    };
    begin..stop.max(begin)
}

/// The words up to the closing braces, where those end, and whether they trim what follows. No words
/// are a comment.
fn action(
    text: &str,
    open: usize,
    inside: usize,
) -> Result<(Option<Vec<Word>>, usize, bool), Error> {
    let unclosed = || {
        let line = text[open..].lines().next().unwrap_or_default().len();
        Error::new(
            open..open + line,
            "an action is not closed",
            "no `}}` after this",
        )
        .help("`{{` begins an action; write `{{\"{{\"}}` for two braces")
    };
    let mut at = inside + text[inside..].len() - text[inside..].trim_start_matches(is_space).len();
    if let Some(comment) = text[at..].strip_prefix("/*") {
        let end = comment.find("*/").ok_or_else(unclosed)?;
        let after = at + 2 + end + 2;
        let (close, trim) = closing(&text[after..]).ok_or_else(|| {
            Error::new(
                at..after,
                "a comment shares its action",
                "`}}` must follow the comment",
            )
        })?;
        return Ok((None, after + close, trim));
    }
    let mut words = Vec::new();
    loop {
        let rest = &text[at..];
        if let Some((close, trim)) = closing(rest) {
            return Ok((Some(words), at + close, trim));
        }
        let Some(first) = rest.chars().next() else {
            return Err(unclosed());
        };
        if is_space(first) {
            at += first.len_utf8();
            continue;
        }
        let joined = words.last().is_some_and(|word: &Word| word.range.end == at);
        let (token, len) = token(text, at, first)?;
        words.push(Word {
            token,
            range: at..at + len,
            joined,
        });
        at += len;
    }
}

/// Whether the action ends here: how many bytes that takes, and whether it trims.
fn closing(rest: &str) -> Option<(usize, bool)> {
    if rest.starts_with("}}") {
        return Some((2, false));
    }
    let inner = rest.trim_start_matches(is_space);
    let spaces = rest.len() - inner.len();
    (spaces > 0 && inner.starts_with("-}}")).then_some((spaces + 3, true))
}

fn token(text: &str, at: usize, first: char) -> Result<(Token, usize), Error> {
    let rest = &text[at..];
    for sign in [":=", "=", "|", "(", ")", ","] {
        if rest.starts_with(sign) {
            return Ok((Token::Sign(sign), sign.len()));
        }
    }
    let word = |from: usize| {
        let tail = &rest[from..];
        let end = tail.find(|c: char| !c.is_alphanumeric() && c != '_');
        &tail[..end.unwrap_or(tail.len())]
    };
    match first {
        '.' => match word(1) {
            "" => Ok((Token::Dot, 1)),
            name => Ok((Token::Field(name.to_owned()), 1 + name.len())),
        },
        '$' => Ok((Token::Variable(word(1).to_owned()), 1 + word(1).len())),
        '"' => quoted(text, at),
        '`' => {
            let end = rest[1..].find('`').ok_or_else(|| string_end(text, at))?;
            Ok((Token::Text(rest[1..=end].to_owned()), end + 2))
        }
        '0'..='9' | '-' | '+' => number(text, at),
        c if c.is_alphabetic() || c == '_' => Ok((Token::Name(word(0).to_owned()), word(0).len())),
        c => Err(Error::new(
            at..at + c.len_utf8(),
            format!("`{c}` means nothing in an action"),
            "not understood",
        )),
    }
}

fn string_end(text: &str, at: usize) -> Error {
    let line = text[at..].lines().next().unwrap_or_default().len();
    Error::new(
        at..at + line,
        "a string is not closed",
        "no quote after this",
    )
}

/// A string with Go's usual escapes.
fn quoted(text: &str, at: usize) -> Result<(Token, usize), Error> {
    let mut out = String::new();
    let mut chars = text[at + 1..].char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            '"' => return Ok((Token::Text(out), offset + 2)),
            '\n' => break,
            '\\' => {
                let Some((end, escaped)) = chars.next() else {
                    break;
                };
                out.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '\\' | '"' | '\'' => escaped,
                    _ => {
                        let place = at + 1 + offset..at + 1 + end + escaped.len_utf8();
                        let message = format!("the escape `\\{escaped}` is not supported");
                        return Err(Error::new(place, message, "unknown escape")
                            .help("escapes are `\\n`, `\\t`, `\\r`, `\\\\` and `\\\"`"));
                    }
                });
            }
            c => out.push(c),
        }
    }
    Err(string_end(text, at))
}

fn number(text: &str, at: usize) -> Result<(Token, usize), Error> {
    let rest = &text[at..];
    let end = rest[1..].find(|c: char| !c.is_alphanumeric() && c != '.' && c != '_');
    let word = &rest[..end.map_or(rest.len(), |end| end + 1)];
    let number = word.strip_prefix('+').unwrap_or(word).parse::<i64>();
    number.map_or_else(
        |_| {
            let message = format!("`{word}` is not a whole number");
            Err(Error::new(
                at..at + word.len(),
                message,
                "expected a whole number",
            ))
        },
        |number| Ok((Token::Number(number), word.len())),
    )
}
