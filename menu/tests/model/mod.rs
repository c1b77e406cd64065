//! Types and fields with their comments, read from source text: what the book says of them cannot
//! be another thing than what they are.

use std::fmt::Write as _;

/// A table for each `struct` and `enum` of some sources that serde serializes.
pub(super) fn read(sources: &[&str]) -> String {
    let mut text = String::new();
    for source in sources {
        let mut reader = Reader {
            speak: speaking(source),
            ..Reader::default()
        };
        for line in source.lines() {
            if line.starts_with("#[cfg(test)]") {
                break;
            }
            reader.line(line, &mut text);
        }
    }
    text
}

#[derive(Default)]
struct Reader<'s> {
    /// Types with the fields of their `speaker`, which no `derive` serializes.
    speak: Vec<&'s str>,
    /// Comments and attributes of what comes next.
    comment: Vec<String>,
    attributes: String,
    open: Option<Type>,
}

/// The type that is being read.
enum Type {
    Struct,
    /// Whether its words are those of serde's `rename_all`.
    Enum(bool),
}

impl Reader<'_> {
    fn line(&mut self, line: &str, text: &mut String) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("///") {
            self.comment.push(comment.trim().to_owned());
            return;
        }
        if line.starts_with("#[") {
            self.attributes.push_str(line);
            return;
        }
        let comment = std::mem::take(&mut self.comment).join(" ");
        let attributes = std::mem::take(&mut self.attributes);
        if line == "}" {
            self.open = None;
        } else if let Some(open) = &self.open {
            let line = line.trim_end_matches(',');
            text.push_str(&row(open, line, &attributes, &comment));
        } else if let Some((is_enum, name)) = opened(line)
            && (attributes.contains("Serialize") || self.speak.contains(&name))
        {
            // Writing to a string never fails.
            let _ = write!(text, "\n### {name}\n\n{comment}\n\n");
            let (open, head) = if is_enum {
                let renamed = attributes.contains("rename_all");
                (Type::Enum(renamed), "| word | meaning |\n|---|---|\n")
            } else {
                (Type::Struct, "| field | is | meaning |\n|---|---|---|\n")
            };
            self.open = Some(open);
            text.push_str(head);
        }
    }
}

/// The types of `speaks!(NAME {`.
fn speaking(source: &str) -> Vec<&str> {
    let calls = source
        .lines()
        .filter_map(|line| line.strip_prefix("speaks!("));
    calls.filter_map(|call| call.split(' ').next()).collect()
}

/// The row of a field or of a word.
fn row(open: &Type, line: &str, attributes: &str, comment: &str) -> String {
    match open {
        Type::Enum(renamed) => {
            let word = if *renamed {
                kebab(line)
            } else {
                line.to_owned()
            };
            format!("| `{word}` | {comment} |\n")
        }
        Type::Struct => match field(line) {
            Some(("speaker", kind)) => {
                format!("| | all fields of {} | {comment} |\n", plain(kind))
            }
            Some((name, kind)) if !attributes.contains("skip)") => {
                format!("| `{name}` | {} | {comment} |\n", plain(kind))
            }
            _ => String::new(),
        },
    }
}

/// The kind and name of a type that a line begins.
fn opened(line: &str) -> Option<(bool, &str)> {
    let line = line.strip_suffix('{')?.trim();
    let line = line
        .strip_prefix("pub(super) ")
        .or(line.strip_prefix("pub "))
        .unwrap_or(line);
    let (is_enum, rest) = match line.strip_prefix("struct ") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("enum ")?),
    };
    Some((is_enum, rest.split('<').next()?))
}

fn field(line: &str) -> Option<(&str, &str)> {
    let line = line
        .strip_prefix("pub(super) ")
        .or(line.strip_prefix("pub "))
        .unwrap_or(line);
    line.split_once(": ")
}

/// A type in words: `Option<Vec<IpAddr>>` is a list of addresses, or none.
fn plain(kind: &str) -> String {
    let inner = |name: &str| {
        let inside = kind
            .strip_prefix(name)?
            .strip_prefix('<')?
            .strip_suffix('>')?;
        Some(plain(inside))
    };
    if let Some(inner) = inner("Option") {
        return format!("{inner}, or none");
    }
    if let Some(inner) = inner("Vec").or_else(|| inner("List")) {
        return format!("list of {inner}");
    }
    if let Some(inside) = kind
        .strip_prefix("IndexMap<")
        .and_then(|it| it.strip_suffix('>'))
    {
        let (key, value) = inside.split_once(", ").unwrap();
        return format!("map from {} to {}", plain(key), plain(value));
    }
    let kind = kind
        .trim_start_matches('&')
        .trim_start_matches("'a ")
        .trim_start_matches("'p ");
    let kind = kind.trim_start_matches("'static ");
    if let Some(inner) = kind.strip_prefix('[') {
        let inner = inner.trim_end_matches(']').split(';').next().unwrap();
        return format!("list of {}", plain(inner));
    }
    let name = kind.split('<').next().unwrap();
    match name {
        "String" | "str" | "PathBuf" => "text".into(),
        "bool" => "true or false".into(),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "number".into(),
        "IpAddr" | "Ipv4Addr" | "Ipv6Addr" => "address".into(),
        "IpNet" | "Ipv4Net" | "Ipv6Net" => "address with prefix length".into(),
        "S" => "Router, BootServer or Server".into(),
        other => other.into(),
    }
}

fn kebab(name: &str) -> String {
    let mut word = String::new();
    for (at, c) in name.char_indices() {
        if c.is_uppercase() && at > 0 {
            word.push('-');
        }
        word.extend(c.to_lowercase());
    }
    word
}
