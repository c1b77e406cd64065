//! Text as YAML: plain where every reader of YAML, 1.1 or 1.2, takes it for that text, and else in
//! double quotes.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// Words that stand for something else (YAML 1.1, types bool, null, merge, value).
const TAKEN: [&str; 11] = [
    "y", "yes", "n", "no", "on", "off", "true", "false", "null", "~", "",
];

/// A text as a scalar, or a key.
pub(super) fn quoted(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        in_quotes(text)
    }
}

/// Whether a text needs no quotes, be it in a block or in brackets.
fn is_plain(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./@+%*=".contains(&byte);
    // Options of commands; a dash alone begins an element, three a document.
    let word = text.trim_start_matches('-');
    let first = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./".contains(byte);
    text.bytes().all(fine)
        && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && word.as_bytes().first().is_some_and(first)
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
        && !is_number(text)
}

/// Whether a reader of YAML 1.1 or 1.2 may take a text for a number or a date: `12`, `1e3`, `0x1f`,
/// `0o17`, `1_000`, `.5`, `-.inf`, `2026-11-21`.
fn is_number(text: &str) -> bool {
    if text.parse::<Ipv4Addr>().is_ok() {
        return false;
    }
    let text = text.to_ascii_lowercase().replace('_', "");
    let word = text.trim_start_matches(['+', '-']);
    if matches!(word, ".inf" | ".nan") {
        return true;
    }
    let based = ["0x", "0o", "0b"]
        .iter()
        .find_map(|it| word.strip_prefix(it));
    if based.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())) {
        return true;
    }
    word.bytes().any(|byte| byte.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".e+-".contains(&byte))
}

fn in_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if is_printable(c) => quoted.push(c),
            c => {
                // Writing to a string does not fail.
                let _ = match u32::from(c) {
                    code @ 0..=0xff => write!(quoted, "\\x{code:02x}"),
                    code @ 0x100..=0xffff => write!(quoted, "\\u{code:04x}"),
                    code => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

/// What YAML lets stand (section 5.1), less what ends lines, cannot be seen, or turns them around.
fn is_printable(c: char) -> bool {
    match u32::from(c) {
        0x20..=0x7e => true,
        0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff => false,
        code => code >= 0xa1 && code != 0xad && code & 0xfffe != 0xfffe && !c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_yaml_would_misread() {
        for text in [
            "",
            "~",
            "no",
            "No",
            "NO",
            "y",
            "on",
            "true",
            "null",
            "1e3",
            "1E3",
            "0x1f",
            "0o17",
            "0b1",
            "017",
            "12",
            "-1",
            "+1",
            ".5",
            "1.",
            "1_000",
            ".inf",
            "-.INF",
            ".nan",
            "2026-11-21",
            "1:30",
            "190:20:30",
            "-",
            "---",
            "- a",
            "...",
            "<<",
            "=",
            "*a",
            "&a",
            "!x",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "a: b",
            "a #b",
            "#a",
            "[a",
            "{a",
            "a,b",
            "a]",
            "'",
            "\"",
            " a",
            "a ",
            "a b",
            "?",
            "? a",
            ":",
            "é",
            "a\nb",
            "a\tb",
            "\u{7f}",
            "\u{85}",
            "\u{feff}",
            "\u{2028}",
            "1.10",
            "0",
            "12e03",
        ] {
            let written = quoted(text);
            assert!(written.starts_with('"') && written.ends_with('"'), "{text}");
        }
    }

    #[test]
    fn leaves_plain_what_is_plain() {
        for text in [
            "rack1-tor1",
            "10.72.17.4",
            "10.0.0.1/24",
            "--port=0",
            "-d",
            "./a/b",
            "/a/b_c.conf",
            "512M",
            "1m30s",
            "0.5%",
            "10mbit",
            "node/*",
            "node/rack=1+role=cs",
            "a@b",
            "nobody",
            "9p",
            "2.0-rc1",
            "fb8f2417d0b4",
        ] {
            assert_eq!(quoted(text), text);
        }
    }

    #[test]
    fn escapes_what_cannot_be_seen() {
        let text = "a\"\\\n\t\r\0\u{1b}\u{85}\u{202e}\u{feff}\u{e000}é名\u{1f600}\u{10ffff}";
        assert_eq!(
            quoted(text),
            "\"a\\\"\\\\\\n\\t\\r\\x00\\x1b\\x85\\u202e\\ufeff\u{e000}é名\u{1f600}\\U0010ffff\""
        );
    }
}
