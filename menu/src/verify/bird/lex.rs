//! Text to tokens: words (names, numbers, addresses), quoted texts, and marks. Comments are skipped.

use super::Unreadable;
use placemat_spec::Place;

/// One token and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) text: &'t str,
    pub(super) quoted: bool,
    pub(super) place: Place,
}

pub(super) fn tokens(text: &str, source: usize) -> Result<Vec<Token<'_>>, Unreadable> {
    let mut lexer = Lexer {
        text,
        rest: text,
        place: Place {
            source,
            line: 1,
            column: 1,
            offset: 0,
            len: 0,
        },
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'t> {
    text: &'t str,
    rest: &'t str,
    place: Place,
}

impl<'t> Lexer<'t> {
    fn next(&mut self) -> Result<Option<Token<'t>>, Unreadable> {
        self.skip()?;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        if matches!(first, '"' | '\'') {
            let Some(len) = self.rest[1..].find([first, '\n']).map(|end| end + 1) else {
                return Err(self.unreadable("is not closed"));
            };
            if self.rest[len..].starts_with('\n') {
                return Err(self.unreadable("is not closed in its line"));
            }
            let token = self.take(len + 1);
            return Ok(Some(Token {
                text: &token.text[1..len],
                quoted: true,
                ..token
            }));
        }
        let word = self.rest.find(|c: char| !is_word(c));
        let len = match word.unwrap_or(self.rest.len()) {
            0 => first.len_utf8(),
            len => len,
        };
        Ok(Some(self.take(len)))
    }

    fn skip(&mut self) -> Result<(), Unreadable> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.take(blank);
            if self.rest.starts_with('#') {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                let Some(end) = self.rest.find("*/") else {
                    return Err(self.unreadable("is a comment without an end"));
                };
                self.take(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    /// Goes on by `len` bytes, which end at a character.
    fn take(&mut self, len: usize) -> Token<'t> {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        let token = Token {
            text: taken,
            quoted: false,
            place: Place { len, ..self.place },
        };
        let lines = taken.matches('\n').count();
        let last = taken.rsplit('\n').next().unwrap_or(taken);
        let columns = u32::try_from(last.chars().count()).unwrap_or(u32::MAX);
        let before = if lines > 0 { 1 } else { self.place.column };
        self.place.line += u32::try_from(lines).unwrap_or(u32::MAX);
        self.place.column = before + columns;
        self.place.offset = self.text.len() - rest.len();
        token
    }

    fn unreadable(&self, reason: &'static str) -> Unreadable {
        Unreadable {
            place: Place {
                len: 1,
                ..self.place
            },
            reason,
        }
    }
}

/// Names, numbers, addresses of both families, prefixes, `%` before an interface.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "_.:/%-".contains(c)
}
