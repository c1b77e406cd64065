//! The functions that templates can call: a row for each.

use super::{Error, Value, printf};
use placemat_spec::problem::suggestion;
use std::cmp::Ordering;
use std::ops::Range;

/// Why a call does not work. Whoever knows where it stands makes an [`Error`] of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    message: String,
    label: String,
    help: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            label: label.into(),
            help: None,
        }
    }

    pub(super) fn at(self, range: Range<usize>) -> Error {
        Error {
            range,
            message: self.message,
            label: self.label,
            help: self.help,
        }
    }
}

/// What it does with its arguments.
type Act = fn(&[Value]) -> Result<Value, Wrong>;

/// A function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: &'static str,
    /// Fewest and most arguments.
    arguments: (usize, usize),
    act: Act,
    /// Whether a value settles what comes out: the arguments after it are not evaluated then.
    settles: Option<fn(&Value) -> bool>,
}

impl Function {
    const fn until(self, settles: fn(&Value) -> bool) -> Self {
        Self {
            settles: Some(settles),
            ..self
        }
    }

    /// Whether no argument after this one counts.
    pub(super) fn settled_by(&self, value: &Value) -> bool {
        self.settles.is_some_and(|settles| settles(value))
    }
}

const MANY: usize = usize::MAX;

/// Every function.
const FUNCTIONS: &[Function] = &[
    row("and", 1, MANY, last).until(|value| !value.truth()),
    row("or", 1, MANY, last).until(Value::truth),
    row("not", 1, 1, |values| Ok(Value::Bool(!values[0].truth()))),
    row("eq", 2, MANY, eq),
    row("ne", 2, 2, |values| {
        Ok(Value::Bool(!same(&values[0], &values[1])?))
    }),
    row("lt", 2, 2, |values| ordered(values, Ordering::is_lt)),
    row("le", 2, 2, |values| ordered(values, Ordering::is_le)),
    row("gt", 2, 2, |values| ordered(values, Ordering::is_gt)),
    row("ge", 2, 2, |values| ordered(values, Ordering::is_ge)),
    row("len", 1, 1, len),
    row("index", 1, MANY, index),
    row("print", 0, MANY, |values| {
        printf::print(values).map(Value::Text)
    }),
    row("printf", 1, MANY, |values| {
        printf::printf(values).map(Value::Text)
    }),
    row("println", 0, MANY, |values| {
        printf::println(values).map(Value::Text)
    }),
];

const fn row(name: &'static str, least: usize, most: usize, act: Act) -> Function {
    Function {
        name,
        arguments: (least, most),
        act,
        settles: None,
    }
}

pub(super) fn find(name: &str) -> Result<Function, Wrong> {
    let found = FUNCTIONS.iter().find(|function| function.name == name);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
        let help = if name.chars().next().is_some_and(char::is_uppercase) {
            format!("a field has a dot in front: `.{name}`")
        } else {
            suggestion(name, "functions are", &names)
        };
        Wrong {
            help: Some(help),
            ..Wrong::new(format!("there is no function `{name}`"), "unknown function")
        }
    })
}

pub(super) fn call(function: &Function, values: &[Value]) -> Result<Value, Wrong> {
    let (least, most) = function.arguments;
    if values.len() < least || values.len() > most {
        let wanted = match (least, most) {
            (least, MANY) => format!("{least} or more arguments"),
            (1, 1) => "1 argument".to_owned(),
            (least, _) => format!("{least} arguments"),
        };
        let message = format!("`{}` takes {wanted}", function.name);
        return Err(Wrong::new(message, format!("{} here", values.len())));
    }
    (function.act)(values)
}

/// The last value: the one that settled it, or the last of all.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table")]
fn last(values: &[Value]) -> Result<Value, Wrong> {
    Ok(values.last().cloned().unwrap_or(Value::Nil))
}

/// Whether the first is equal to any of the others.
fn eq(values: &[Value]) -> Result<Value, Wrong> {
    for other in &values[1..] {
        if same(&values[0], other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn same(one: &Value, other: &Value) -> Result<bool, Wrong> {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => Ok(one == other),
        (Value::Number(one), Value::Number(other)) => Ok(one == other),
        (Value::Bool(one), Value::Bool(other)) => Ok(one == other),
        _ => Err(unlike(one, other)),
    }
}

fn ordered(values: &[Value], wanted: fn(Ordering) -> bool) -> Result<Value, Wrong> {
    let order = match (&values[0], &values[1]) {
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => one.cmp(other),
        (one, other) => return Err(unlike(one, other)),
    };
    Ok(Value::Bool(wanted(order)))
}

fn unlike(one: &Value, other: &Value) -> Wrong {
    let label = format!("{} and {}", one.kind(), other.kind());
    Wrong::new("these cannot be compared", label)
}

fn len(values: &[Value]) -> Result<Value, Wrong> {
    let len = match &values[0] {
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        other => {
            let label = format!("this is {}", other.kind());
            return Err(Wrong::new("`len` is of strings and lists", label));
        }
    };
    Ok(Value::Number(i64::try_from(len).unwrap_or(i64::MAX)))
}

fn index(values: &[Value]) -> Result<Value, Wrong> {
    let mut value = &values[0];
    for number in &values[1..] {
        let (Value::List(list), Value::Number(number)) = (value, number) else {
            let label = format!("{} and {}", value.kind(), number.kind());
            return Err(Wrong::new("`index` takes a list and numbers", label));
        };
        let found = usize::try_from(*number)
            .ok()
            .and_then(|number| list.get(number));
        value = found.ok_or_else(|| {
            let label = format!("number {number} of {} elements", list.len());
            Wrong::new("the list has no such element; numbers begin at 0", label)
        })?;
    }
    Ok(value.clone())
}
