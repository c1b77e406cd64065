//! As much of BIRD's configuration language as tells which protocols a change touches: items at top level end with `;` or
//! with a block, and everything else in them is compared as it is written, without comments and white space.

use std::collections::BTreeMap;

/// A configuration as its protocols, and all the rest of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Text of each protocol and template by name, comments and white space taken out.
    protocols: BTreeMap<String, String>,
    rest: String,
}

/// What differs between two configurations.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Protocols that only the new one has.
    pub(super) new: Vec<String>,
    /// Protocols that only the old one has.
    pub(super) gone: Vec<String>,
    /// Protocols that both have, and not alike.
    pub(super) changed: Vec<String>,
    /// Something that may be part of any protocol: a template, definition, filter, table.
    pub(super) all: bool,
}

impl Difference {
    /// Whether a protocol that runs may go down.
    pub(super) fn touches(&self, protocol: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|it| it == protocol);
        self.all || named(&self.gone) || named(&self.changed)
    }

    /// `+ r9, ~ r2, - r3, and what all share`.
    pub(super) fn words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for (sign, names) in [('+', &self.new), ('~', &self.changed), ('-', &self.gone)] {
            words.extend(names.iter().map(|name| format!("{sign} {name}")));
        }
        if self.all {
            words.push("what protocols share".into());
        }
        words.join(", ")
    }
}

/// Compares two configurations.
pub(super) fn difference(old: &[u8], new: &[u8]) -> Difference {
    let (old, new) = (parts(old), parts(new));
    let mut difference = Difference {
        all: old.rest != new.rest,
        ..Difference::default()
    };
    for (name, text) in &new.protocols {
        match old.protocols.get(name) {
            None => difference.new.push(name.clone()),
            Some(was) if was != text => difference.changed.push(name.clone()),
            Some(_) => {}
        }
    }
    let gone = old.protocols.keys();
    let gone = gone.filter(|name| !new.protocols.contains_key(*name));
    difference.gone.extend(gone.cloned());
    difference
}

/// Splits a configuration up.
fn parts(text: &[u8]) -> Parts {
    let mut parts = Parts::default();
    for item in items(&String::from_utf8_lossy(text)) {
        let head = item.split('{').next().unwrap_or_default();
        let mut words = head.split_whitespace();
        // `protocol TYPE [NAME] [from TEMPLATE] { ... }`: one without a name is called by its type.
        let name = match (words.next(), words.next(), words.next()) {
            (Some("protocol"), Some(kind), None | Some("from")) => Some(kind.to_owned()),
            (Some("protocol"), Some(_), Some(name)) => Some(name.to_owned()),
            _ => None,
        };
        match name {
            Some(name) => {
                parts.protocols.insert(name, item);
            }
            None => parts.rest.push_str(&(item + "\n")),
        }
    }
    parts
}

/// Items at top level, each with single blanks for its white space and without comments.
fn items(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    let mut depth = 0_usize;
    let mut rest = text.chars().peekable();
    let mut blank = false;
    while let Some(c) = rest.next() {
        match c {
            '#' => {
                while rest.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            '/' if rest.peek() == Some(&'*') => {
                let mut before = ' ';
                for c in rest.by_ref() {
                    if before == '*' && c == '/' {
                        break;
                    }
                    before = c;
                }
                blank = true;
                continue;
            }
            c if c.is_whitespace() => {
                blank = true;
                continue;
            }
            _ => {}
        }
        if std::mem::take(&mut blank) && !item.is_empty() {
            item.push(' ');
        }
        item.push(c);
        match c {
            '"' | '\'' => {
                for inner in rest.by_ref() {
                    item.push(inner);
                    if inner == c {
                        break;
                    }
                }
            }
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(c, '}' | ';') {
            items.push(std::mem::take(&mut item));
            blank = false;
        }
    }
    if !item.is_empty() {
        items.push(item);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONFIG: &str = "\
log stderr all; # a comment with {and;
router id 10.0.0.1;
/* protocol bgp hidden { */
define NET = [ 10.0.0.0/8{8,32} ];
template bgp peer { local as 65001; }
protocol device {}
protocol kernel { ipv4 { export all; }; }
protocol bgp r2 from peer {
  neighbor 10.0.0.1 as 65002; password \"}\";
}
protocol bgp r3 from peer { neighbor 10.0.0.3 as 65003; }
";

    #[test]
    fn what_is_written_otherwise_is_the_same() {
        let spread = CONFIG.replace("; ", ";\n\t # more\n ").replace("{ ", "{\n");
        assert_eq!(
            difference(CONFIG.as_bytes(), spread.as_bytes()),
            Difference::default()
        );
    }

    #[test]
    fn what_differs_is_named() {
        let new = CONFIG
            .replace("protocol bgp r3", "protocol bgp r4")
            .replace("65002", "65009");
        let told = difference(CONFIG.as_bytes(), new.as_bytes());
        assert_eq!(told.words(), "+ r4, ~ r2, - r3");
        assert!(told.touches("r2") && told.touches("r3") && !told.touches("r4"));
        let new = CONFIG.replace("65001", "65008");
        let told = difference(CONFIG.as_bytes(), new.as_bytes());
        assert_eq!(told.words(), "what protocols share");
        assert!(told.touches("r2"));
    }

    proptest! {
        #[test]
        fn any_text_differs_from_itself_in_nothing(text in any::<Vec<u8>>()) {
            prop_assert_eq!(difference(&text, &text), Difference::default());
        }
    }
}
