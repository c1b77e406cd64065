//! Tokens to statements, each with the block that may follow it.

use super::Unreadable;
use super::lex::Token;

/// What ends with `;` or with a block.
#[derive(Debug)]
pub(super) struct Statement<'t> {
    pub(super) words: Vec<Token<'t>>,
    pub(super) block: Option<Vec<Statement<'t>>>,
}

/// Nobody nests deeper by hand; a text that does is an attack on our stack.
const DEEPEST: usize = 32;

pub(super) fn read(tokens: Vec<Token<'_>>) -> Result<Vec<Statement<'_>>, Unreadable> {
    let mut open: Vec<Open> = vec![Open::default()];
    for token in tokens {
        let depth = open.len();
        let Some(block) = open.last_mut() else { break };
        let mark = if token.quoted { "" } else { token.text };
        match mark {
            "[" | "(" => block.brackets += 1,
            "]" | ")" => block.brackets = block.brackets.saturating_sub(1),
            // `{8,32}` after a prefix is no block.
            "{" if block.brackets == 0 => {
                if depth > DEEPEST {
                    return Err(unreadable(&token, "is nested too deep"));
                }
                block.opened = Some(token);
                open.push(Open::default());
                continue;
            }
            "}" if block.brackets == 0 => {
                if !block.words.is_empty() {
                    return Err(unreadable(&token, "comes before a `;`"));
                }
                let done = open.pop().map(|block| block.statements);
                let Some(outer) = open.last_mut() else {
                    return Err(unreadable(&token, "closes nothing"));
                };
                outer.statements.push(Statement {
                    words: std::mem::take(&mut outer.words),
                    block: done,
                });
                outer.opened = None;
                continue;
            }
            ";" => {
                block.brackets = 0;
                let words = std::mem::take(&mut block.words);
                if !words.is_empty() {
                    block.statements.push(Statement { words, block: None });
                }
                continue;
            }
            _ => {}
        }
        block.words.push(token);
    }
    if let Some(token) = open.iter().rev().find_map(|block| block.opened) {
        return Err(unreadable(&token, "is not closed"));
    }
    let Some(all) = open.pop() else {
        return Ok(Vec::new());
    };
    match all.words.first() {
        Some(token) => Err(unreadable(token, "begins a statement without a `;`")),
        None => Ok(all.statements),
    }
}

#[derive(Default)]
struct Open<'t> {
    statements: Vec<Statement<'t>>,
    words: Vec<Token<'t>>,
    brackets: usize,
    /// The brace of the block inside that is being read.
    opened: Option<Token<'t>>,
}

fn unreadable(token: &Token, reason: &'static str) -> Unreadable {
    Unreadable {
        place: token.place,
        reason,
    }
}
