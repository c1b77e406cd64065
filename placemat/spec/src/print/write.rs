//! How maps and lists are laid out: in one line where that fits, else one entry a line.

use super::scalar::quoted;
use super::{Map, Value};

/// Longest line, in characters, unless a single text is longer.
const WIDTH: usize = 100;
/// Spaces that each level is moved in by.
const STEP: usize = 2;

/// A document: each of its keys on a line of its own.
pub(super) fn document(map: &Map) -> String {
    let mut text = String::new();
    block(map, 0, &mut text);
    text
}

/// The entries of a map; the first line is already moved in.
fn block(Map(entries): &Map, depth: usize, text: &mut String) {
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            indent(depth, text);
        }
        let key = quoted(key);
        text.push_str(&key);
        text.push(':');
        let room = WIDTH.saturating_sub(depth + key.chars().count() + 2);
        if let Some(line) = in_line(value, room) {
            text.push(' ');
            text.push_str(&line);
            text.push('\n');
            continue;
        }
        text.push('\n');
        match value {
            Value::Map(map) => {
                indent(depth + STEP, text);
                block(map, depth + STEP, text);
            }
            Value::List(list) => elements(list, depth + STEP, text),
            Value::Plain(_) | Value::Text(_) => {}
        }
    }
}

fn elements(list: &[Value], depth: usize, text: &mut String) {
    for value in list {
        indent(depth, text);
        text.push_str("- ");
        match (in_line(value, WIDTH.saturating_sub(depth + STEP)), value) {
            (Some(line), _) => {
                text.push_str(&line);
                text.push('\n');
            }
            (None, Value::Map(map)) => block(map, depth + STEP, text),
            (None, _) => {
                // A list of lists, which no key has.
                text.push_str(&flow(value));
                text.push('\n');
            }
        }
    }
}

/// A value in one line, if it has none below it or fits in that many characters.
fn in_line(value: &Value, room: usize) -> Option<String> {
    let line = flow(value);
    let inner = match value {
        Value::Plain(_) | Value::Text(_) => false,
        Value::List(list) => !list.is_empty(),
        Value::Map(Map(entries)) => !entries.is_empty(),
    };
    (!inner || line.chars().count() <= room).then_some(line)
}

fn flow(value: &Value) -> String {
    match value {
        Value::Plain(text) => text.clone(),
        Value::Text(text) => quoted(text),
        Value::List(list) => {
            let list: Vec<String> = list.iter().map(flow).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Map(Map(entries)) => {
            let entry =
                |(key, value): &(String, Value)| format!("{}: {}", quoted(key), flow(value));
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ones_stand_in_a_line_and_long_ones_below() {
        let word = "w".repeat(60);
        let inner = || {
            Map::new()
                .text("a", "x")
                .with("b", Value::list(["no", "1"]))
        };
        let map = Map::resource("Kind", "n")
            .with("short", inner())
            .with("long", Map::new().text(&word, &word).text("b", "c"))
            .with(
                "list",
                Value::List(vec![
                    inner().into(),
                    inner().text("c", &word).text("d", &word).into(),
                ]),
            )
            .with("words", Value::list([&word, &word]))
            .with("none", Value::List(Vec::new()))
            .text("text", word.repeat(2));
        insta::assert_snapshot!(document(&map));
    }
}
