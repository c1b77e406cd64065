//! A reader of BIRD configurations: what each protocol says, with what its template says.

use std::collections::BTreeMap;

/// What is said inside of braces, or a line of it.
#[derive(Debug, Clone)]
struct Item {
    words: String,
    inside: Option<Vec<Item>>,
}

/// A configuration, as sorted lines for each protocol. What stands in braces has the words before
/// them in front: `ipv4 / import all`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Lines outside of protocols, less templates.
    pub(crate) global: Vec<String>,
    /// By name, or by kind where it has none.
    pub(crate) protocols: BTreeMap<String, Vec<String>>,
}

pub(crate) fn read(text: &str) -> Config {
    let text: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let mut rest = text.as_str();
    let items = items(&mut rest);
    assert_eq!(rest, "", "braces");
    let mut templates = BTreeMap::new();
    let mut config = Config {
        global: Vec::new(),
        protocols: BTreeMap::new(),
    };
    for item in items {
        let words: Vec<&str> = item.words.split(' ').collect();
        match (words.as_slice(), item.inside) {
            (["template", "bgp", name], Some(inside)) => {
                templates.insert((*name).to_owned(), inside);
            }
            (["protocol", kind, name @ ..], Some(inside)) => {
                let (name, template) = match name {
                    [name, "from", template] => (*name, templates[*template].clone()),
                    [name] => (*name, Vec::new()),
                    _ => (*kind, Vec::new()),
                };
                let mut lines = vec![format!("kind {kind}")];
                flatten("", &template, &mut lines);
                flatten("", &inside, &mut lines);
                lines.sort();
                let twice = config
                    .protocols
                    .insert(name.trim_matches('\'').to_owned(), lines);
                assert_eq!(twice, None, "{name}");
            }
            (_, None) => config.global.push(item.words),
            (words, Some(_)) => panic!("{words:?}"),
        }
    }
    config
}

fn items(rest: &mut &str) -> Vec<Item> {
    let mut items = Vec::new();
    while let Some(end) = rest.find(['{', '}', ';']) {
        let words = rest[..end].split_whitespace().collect::<Vec<_>>().join(" ");
        let sign = rest.as_bytes()[end];
        *rest = &rest[end + 1..];
        match sign {
            b'{' => {
                let inside = Some(self::items(rest));
                items.push(Item { words, inside });
            }
            b'}' => {
                assert_eq!(words, "", "a line is not ended");
                return items;
            }
            _ if words.is_empty() => {}
            _ => items.push(Item {
                words,
                inside: None,
            }),
        }
    }
    items
}

fn flatten(before: &str, items: &[Item], lines: &mut Vec<String>) {
    for item in items {
        let line = format!("{before}{}", item.words);
        match &item.inside {
            Some(inside) => flatten(&format!("{line} / "), inside, lines),
            None => lines.push(line),
        }
    }
}
