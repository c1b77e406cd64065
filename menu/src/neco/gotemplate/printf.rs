//! `print`, `printf` and `println`, with the verbs that strings and numbers have.

use super::Value;
use super::function::Wrong;

/// Widest field.
const WIDEST: usize = 1000;

/// The values in a row; a space between two that are no strings.
pub(super) fn print(values: &[Value]) -> Result<String, Wrong> {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        let text = |value: &Value| matches!(value, Value::Text(_));
        if index > 0 && !text(value) && !text(&values[index - 1]) {
            out.push(' ');
        }
        out.push_str(&shown(value)?);
    }
    Ok(out)
}

/// The values with spaces between, and the end of a line.
pub(super) fn println(values: &[Value]) -> Result<String, Wrong> {
    let words: Vec<String> = values.iter().map(shown).collect::<Result<_, _>>()?;
    Ok(format!("{}\n", words.join(" ")))
}

pub(super) fn printf(values: &[Value]) -> Result<String, Wrong> {
    let Some((Value::Text(format), mut values)) = values.split_first() else {
        return Err(Wrong::new(
            "`printf` begins with a format",
            "its first argument is no string",
        ));
    };
    let mut out = String::new();
    let mut rest = format.as_str();
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find(|c: char| !"-+0# .123456789".contains(c));
        let Some(verb) = end.and_then(|end| rest[end..].chars().next()) else {
            return Err(Wrong::new(
                "the format ends in a `%`",
                "write `%%` for a percent sign",
            ));
        };
        let flags = &rest[..end.unwrap_or(0)];
        rest = &rest[flags.len() + verb.len_utf8()..];
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some((value, others)) = values.split_first() else {
            return Err(Wrong::new(
                "the format asks for more values than there are",
                format!("no value for `%{flags}{verb}`"),
            ));
        };
        values = others;
        out.push_str(&formatted(flags, verb, value)?);
    }
    if !values.is_empty() {
        return Err(Wrong::new(
            "the format asks for fewer values than there are",
            format!("{} too many", values.len()),
        ));
    }
    out.push_str(rest);
    Ok(out)
}

fn formatted(flags: &str, verb: char, value: &Value) -> Result<String, Wrong> {
    let unknown = || {
        let label = format!("`%{flags}{verb}` of {}", value.kind());
        Wrong::new("this verb is not supported", label)
    };
    let (left, rest) = match flags.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, flags),
    };
    let (zeros, digits) = match rest.strip_prefix('0') {
        Some(rest) => (!left, rest),
        None => (false, rest),
    };
    let width = match digits {
        "" => 0,
        digits => digits
            .parse::<usize>()
            .ok()
            .filter(|width| *width <= WIDEST)
            .ok_or_else(unknown)?,
    };
    let text = match (verb, value) {
        ('v', value) => shown(value)?,
        ('s', Value::Text(text)) => text.clone(),
        ('q', Value::Text(text)) => format!("{text:?}"),
        ('d', Value::Number(number)) => number.to_string(),
        ('x', Value::Number(number)) if *number >= 0 => format!("{number:x}"),
        ('X', Value::Number(number)) if *number >= 0 => format!("{number:X}"),
        ('t', Value::Bool(bool)) => bool.to_string(),
        _ => return Err(unknown()),
    };
    let missing = width.saturating_sub(text.chars().count());
    let number = matches!(value, Value::Number(_));
    Ok(match (left, zeros && number) {
        (true, _) => format!("{text}{}", " ".repeat(missing)),
        (false, false) => format!("{}{text}", " ".repeat(missing)),
        (false, true) => match text.strip_prefix('-') {
            Some(digits) => format!("-{}{digits}", "0".repeat(missing)),
            None => format!("{}{text}", "0".repeat(missing)),
        },
    })
}

fn shown(value: &Value) -> Result<String, Wrong> {
    value.print().ok_or_else(|| {
        let label = format!("{} has no text", value.kind());
        Wrong::new("this cannot be printed", label)
    })
}
