//! `kind: Image` and `kind: DeviceClass`: read by the cluster's own reader, which says what is wrong
//! with them, and written as they are.

use crate::neco::input::Passed;
use placemat_spec::document::{Document, Tree, Value};
use placemat_spec::problem::Findings;
use placemat_spec::{Cluster, Source};
use serde_json::Value as Json;

/// The documents as lines of YAML: images, then device classes.
pub(super) fn read(
    documents: &[&Document],
    source: &Source,
    findings: &Findings,
) -> (Vec<Passed>, Vec<Passed>) {
    if documents.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let alone = Source {
        text: alone(&source.text, documents).into(),
        ..source.clone()
    };
    match Cluster::load_as(findings.dialect(), vec![alone]) {
        Ok((_, warnings)) => warnings
            .list
            .into_iter()
            .for_each(|it| findings.warning(it)),
        Err(problems) => problems.list.into_iter().for_each(|it| findings.error(it)),
    }
    let of_kind = |kind: &str| {
        let all = documents.iter().filter_map(|document| passed(document));
        all.filter(|(of, _)| of == kind).map(|(_, it)| it).collect()
    };
    (of_kind("Image"), of_kind("DeviceClass"))
}

/// The text with everything but some documents made blank, so that places stay what they are.
fn alone(text: &str, documents: &[&Document]) -> String {
    let mut out = String::with_capacity(text.len());
    for (start, piece) in pieces(text) {
        let end = start + piece.len();
        let kept = documents
            .iter()
            .any(|document| (start..end).contains(&document.root.place.offset));
        if kept {
            out.push_str(piece);
            continue;
        }
        let blank = |byte: u8| if byte == b'\n' { '\n' } else { ' ' };
        out.extend(piece.bytes().map(blank));
    }
    out
}

/// Documents with the offsets that they begin at; `---` belongs to the one after it.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut starts = vec![0];
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let is = |marker| {
            let rest = line.strip_prefix(marker);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        };
        if offset > 0 && is("---") {
            starts.push(offset);
        }
        offset += line.len();
        if is("...") {
            starts.push(offset);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let pieces = starts.iter().copied().zip(ends);
    pieces
        .map(|(start, end)| (start, &text[start..end]))
        .collect()
}

/// The kind of a document, and what of it goes on.
fn passed(document: &Document) -> Option<(String, Passed)> {
    let map = document.root.as_map()?;
    let text = |key: &str| map.get(key)?.tree.text().map(str::to_owned);
    let lines = map
        .iter()
        .map(|(key, entry)| format!("{}: {}", word(key), flow(&entry.tree)));
    let passed = Passed {
        name: text("name")?,
        lines: lines.collect(),
    };
    Some((text("kind")?, passed))
}

fn flow(tree: &Tree) -> String {
    match &tree.value {
        Value::Scalar(scalar) if scalar.is_null() => "null".into(),
        Value::Scalar(scalar) if scalar.plain && is_safe(&scalar.text) => scalar.text.clone(),
        Value::Scalar(scalar) => Json::from(scalar.text.as_str()).to_string(),
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let entries = map.iter();
            let entries: Vec<String> = entries
                .map(|(key, entry)| format!("{}: {}", word(key), flow(&entry.tree)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// Whether a text means the same without quotes, anywhere. Numbers and booleans must have none.
fn is_safe(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@+%=?&".contains(&byte);
    let first = text.bytes().next();
    let last = text.bytes().last();
    text.bytes().all(fine)
        && first.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"./-+".contains(&byte))
        && last != Some(b':')
}

/// A key, in quotes where it is no plain word.
fn word(key: &str) -> String {
    let plain = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if plain {
        key.to_owned()
    } else {
        Json::from(key).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole() {
        let text = "a: 1\n...\nz: 0\n---\nb: é\n--- # c\nc: |\n  x\n  --- y\n---x: 1\n---";
        let pieces = pieces(text);
        assert_eq!(pieces.len(), 5);
        let joined: String = pieces.iter().map(|(_, piece)| *piece).collect();
        assert_eq!(joined, text);
    }
}
