//! Pieces to nodes: blocks, pipelines, operands.

use super::Error;
use super::function::{self, Function};
use super::lex::{DEPTH, Piece, Token, Word};
use std::ops::Range;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    /// Text.
    Text(String),
    /// A value to print.
    Print(Pipeline),
    /// `$x := ...` or `$x = ...`.
    Assign {
        name: String,
        declares: bool,
        value: Pipeline,
        range: Range<usize>,
    },
    /// `if`, with what it says else.
    If {
        condition: Pipeline,
        then: Vec<Node>,
        other: Vec<Node>,
    },
    /// `with`, as `if`, with the value as dot.
    With {
        variable: Option<String>,
        value: Pipeline,
        then: Vec<Node>,
        other: Vec<Node>,
    },
    /// `range`; variables are for the index and the element, or the element alone.
    Range {
        variables: Vec<String>,
        list: Pipeline,
        body: Vec<Node>,
        other: Vec<Node>,
    },
}

/// Commands, each of which gets what the one before says as its last argument.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// At least one.
    pub(super) commands: Vec<Command>,
    /// Where it stands.
    pub(super) range: Range<usize>,
}

/// A function with arguments, or one operand.
#[derive(Debug)]
pub(super) enum Command {
    /// A call, and where it stands.
    Call(Function, Vec<Operand>, Range<usize>),
    /// A value.
    Operand(Operand),
}

/// A value and the fields taken of it.
#[derive(Debug)]
pub(super) struct Operand {
    /// What it begins with.
    pub(super) base: Base,
    /// Fields, each with its place.
    pub(super) fields: Vec<(String, Range<usize>)>,
    /// Where it stands.
    pub(super) range: Range<usize>,
}

/// What an operand begins with.
#[derive(Debug)]
pub(super) enum Base {
    /// `.`
    Dot,
    /// `$` or `$name`.
    Variable(String),
    /// A string, number or boolean.
    Literal(super::Value),
    /// A function without arguments or a pipeline in parentheses.
    Group(Box<Pipeline>),
}

/// Words that end a block or part of it.
enum Stop {
    End,
    Else(Vec<Word>, Range<usize>),
    Nothing,
}

pub(super) fn parse(text: &str, pieces: &[Piece]) -> Result<Vec<Node>, Error> {
    let mut parser = Parser {
        text,
        pieces,
        at: 0,
    };
    let (nodes, stop, range) = parser.block(0)?;
    match stop {
        Stop::Nothing => Ok(nodes),
        Stop::End => Err(Error::new(
            range,
            "`end` ends nothing",
            "no block is open here",
        )),
        Stop::Else(..) => Err(Error::new(
            range,
            "`else` belongs to nothing",
            "no block is open here",
        )),
    }
}

struct Parser<'a> {
    text: &'a str,
    pieces: &'a [Piece],
    at: usize,
}

impl Parser<'_> {
    fn block(&mut self, depth: usize) -> Result<(Vec<Node>, Stop, Range<usize>), Error> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(self.at) {
            self.at += 1;
            let (words, range) = match piece {
                Piece::Text(range) => {
                    nodes.push(Node::Text(self.text[range.clone()].to_owned()));
                    continue;
                }
                Piece::Action(words, range) => (words, range.clone()),
            };
            let keyword = match words.first().map(|word| &word.token) {
                None => return Err(Error::new(range, "an action is empty", "nothing in it")),
                Some(Token::Name(name)) => name.as_str(),
                Some(_) => "",
            };
            let rest = words.get(1..).unwrap_or_default();
            match keyword {
                "end" if rest.is_empty() => return Ok((nodes, Stop::End, range)),
                "else" => return Ok((nodes, Stop::Else(rest.to_vec(), range.clone()), range)),
                "if" | "with" | "range" => {
                    if depth > DEPTH {
                        return Err(Error::new(
                            range,
                            "blocks are nested too deep",
                            "one too many",
                        ));
                    }
                    nodes.push(self.branch(keyword, rest, &range, depth + 1)?);
                }
                "define" | "template" | "block" | "break" | "continue" | "end" => {
                    let message = format!("`{keyword}` is not supported here");
                    return Err(Error::new(range, message, "not understood")
                        .help("seeds may use fields, variables, `if`, `range`, `with` and functions; new ones are better written in minijinja (`.j2`)"));
                }
                _ => nodes.push(statement(words, &range)?),
            }
        }
        let end = self.text.len();
        Ok((nodes, Stop::Nothing, end..end))
    }

    /// A block from its keyword to its end.
    fn branch(
        &mut self,
        keyword: &str,
        words: &[Word],
        range: &Range<usize>,
        depth: usize,
    ) -> Result<Node, Error> {
        let (variables, value) = head(keyword, words, range)?;
        let (then, stop, _) = self.block(depth)?;
        let other = match stop {
            Stop::End => Vec::new(),
            Stop::Nothing => {
                let message = format!("`{keyword}` has no `end`");
                return Err(Error::new(range.clone(), message, "not ended"));
            }
            Stop::Else(words, at) => match words.split_first() {
                None => {
                    let (other, stop, again) = self.block(depth)?;
                    match stop {
                        Stop::End => other,
                        Stop::Else(..) => {
                            return Err(Error::new(again, "a block has two `else`", "the second"));
                        }
                        Stop::Nothing => {
                            let message = format!("`{keyword}` has no `end`");
                            return Err(Error::new(range.clone(), message, "not ended"));
                        }
                    }
                }
                // `else if`: a block of its own that shares the end.
                Some((
                    Word {
                        token: Token::Name(name),
                        ..
                    },
                    rest,
                )) if name == keyword && keyword != "range" => {
                    if depth > DEPTH {
                        return Err(Error::new(at, "blocks are nested too deep", "one too many"));
                    }
                    vec![self.branch(keyword, rest, &at, depth + 1)?]
                }
                Some(_) => {
                    return Err(
                        Error::new(at, "this `else` is not understood", "expected `else`").help(
                            "`else` may be followed by `if` in an `if`, and by `with` in a `with`",
                        ),
                    );
                }
            },
        };
        let mut variables = variables.into_iter();
        Ok(match keyword {
            "range" => Node::Range {
                variables: variables.collect(),
                list: value,
                body: then,
                other,
            },
            "with" => Node::With {
                variable: variables.next(),
                value,
                then,
                other,
            },
            _ => Node::If {
                condition: value,
                then,
                other,
            },
        })
    }
}

/// `$i, $x := PIPELINE`: the variables and the pipeline.
fn head(
    keyword: &str,
    words: &[Word],
    range: &Range<usize>,
) -> Result<(Vec<String>, Pipeline), Error> {
    let Some(sign) = words
        .iter()
        .position(|word| word.token == Token::Sign(":="))
    else {
        return Ok((Vec::new(), pipeline(words, range)?));
    };
    let names = words[..sign].iter().map(|word| match &word.token {
        Token::Variable(name) if !name.is_empty() => Some(Some(name.clone())),
        Token::Sign(",") => Some(None),
        _ => None,
    });
    let names: Option<Vec<Option<String>>> = names.collect();
    let names: Vec<String> = names.into_iter().flatten().flatten().collect();
    let most = match keyword {
        "range" => 2,
        "with" => 1,
        _ => 0,
    };
    let commas = names.len().saturating_sub(1);
    if names.is_empty() || names.len() > most || sign != names.len() + commas {
        let message = format!("the variables of this `{keyword}` are not understood");
        return Err(Error::new(range.clone(), message, "not understood")
            .help("`range $i, $x := LIST`, `range $x := LIST`, `with $x := VALUE`"));
    }
    Ok((names, pipeline(&words[sign + 1..], range)?))
}

/// An action that is no block.
fn statement(words: &[Word], range: &Range<usize>) -> Result<Node, Error> {
    if let [
        Word {
            token: Token::Variable(name),
            ..
        },
        Word {
            token: Token::Sign(sign),
            ..
        },
        rest @ ..,
    ] = words
        && matches!(*sign, ":=" | "=")
        && !name.is_empty()
    {
        return Ok(Node::Assign {
            name: name.clone(),
            declares: *sign == ":=",
            value: pipeline(rest, range)?,
            range: words[0].range.clone(),
        });
    }
    Ok(Node::Print(pipeline(words, range)?))
}

fn pipeline(words: &[Word], around: &Range<usize>) -> Result<Pipeline, Error> {
    nested(words, around, 0)
}

fn nested(words: &[Word], around: &Range<usize>, depth: usize) -> Result<Pipeline, Error> {
    if depth > DEPTH {
        return Err(Error::new(
            around.clone(),
            "parentheses are nested too deep",
            "one too many",
        ));
    }
    let range = match (words.first(), words.last()) {
        (Some(first), Some(last)) => first.range.start..last.range.end,
        _ => {
            return Err(Error::new(
                around.clone(),
                "a value is missing",
                "expected a value here",
            ));
        }
    };
    let mut commands = Vec::new();
    let mut open = 0_usize;
    let mut start = 0;
    for (index, word) in words.iter().enumerate() {
        match word.token {
            Token::Sign("(") => open += 1,
            Token::Sign(")") => open = open.saturating_sub(1),
            Token::Sign("|") if open == 0 => {
                commands.push(command(&words[start..index], &word.range, depth)?);
                start = index + 1;
            }
            _ => {}
        }
    }
    commands.push(command(&words[start..], &range, depth)?);
    if let Some(Command::Operand(operand)) = commands
        .iter()
        .skip(1)
        .find(|it| matches!(it, Command::Operand(_)))
    {
        return Err(Error::new(
            operand.range.clone(),
            "only a function can follow `|`",
            "not a function",
        ));
    }
    Ok(Pipeline { commands, range })
}

fn command(words: &[Word], around: &Range<usize>, depth: usize) -> Result<Command, Error> {
    let Some(first) = words.first() else {
        return Err(Error::new(
            around.clone(),
            "a value is missing",
            "expected a value here",
        ));
    };
    if let Token::Name(name) = &first.token
        && !matches!(name.as_str(), "true" | "false" | "nil")
    {
        let function = function::find(name).map_err(|error| error.at(first.range.clone()))?;
        let (mut at, mut arguments) = (1, Vec::new());
        while at < words.len() {
            let (operand, next) = operand(words, at, depth)?;
            arguments.push(operand);
            at = next;
        }
        let end = words.last().map_or(first.range.end, |word| word.range.end);
        return Ok(Command::Call(function, arguments, first.range.start..end));
    }
    let (operand, next) = operand(words, 0, depth)?;
    match words.get(next) {
        None => Ok(Command::Operand(operand)),
        Some(word) => Err(Error::new(
            word.range.clone(),
            "a value takes no arguments",
            "not expected here",
        )),
    }
}

/// One operand, and the index of the word after it.
fn operand(words: &[Word], at: usize, depth: usize) -> Result<(Operand, usize), Error> {
    let Word { token, range, .. } = &words[at];
    let mut fields = Vec::new();
    let mut next = at + 1;
    let base = match token {
        Token::Dot => Base::Dot,
        Token::Field(name) => {
            fields.push((name.clone(), range.clone()));
            Base::Dot
        }
        Token::Variable(name) => Base::Variable(name.clone()),
        Token::Text(text) => Base::Literal(text.as_str().into()),
        Token::Number(number) => Base::Literal(super::Value::Number(*number)),
        Token::Name(name) => match name.as_str() {
            "true" => Base::Literal(super::Value::Bool(true)),
            "false" => Base::Literal(super::Value::Bool(false)),
            "nil" => Base::Literal(super::Value::Nil),
            _ => {
                return Err(Error::new(
                    range.clone(),
                    format!("`{name}` is no value"),
                    "a function's arguments are values",
                )
                .help("put a call in parentheses: `(len .Rack.CSList)`"));
            }
        },
        Token::Sign("(") => {
            let close = closing(words, at).ok_or_else(|| {
                Error::new(
                    range.clone(),
                    "a parenthesis is not closed",
                    "no `)` after this",
                )
            })?;
            next = close + 1;
            let whole = range.start..words[close].range.end;
            Base::Group(Box::new(nested(&words[at + 1..close], &whole, depth + 1)?))
        }
        Token::Sign(sign) => {
            return Err(Error::new(
                range.clone(),
                format!("`{sign}` is not expected here"),
                "not expected here",
            ));
        }
    };
    while let Some(Word {
        token: Token::Field(name),
        range,
        joined: true,
    }) = words.get(next)
    {
        fields.push((name.clone(), range.clone()));
        next += 1;
    }
    let range = range.start..words[next - 1].range.end;
    Ok((
        Operand {
            base,
            fields,
            range,
        },
        next,
    ))
}

fn closing(words: &[Word], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, word) in words.iter().enumerate().skip(open) {
        match word.token {
            Token::Sign("(") => depth += 1,
            Token::Sign(")") => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}
