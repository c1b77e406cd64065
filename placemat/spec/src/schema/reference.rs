//! The tables as pages of the reference, in Markdown.

use super::{COMMON, Form, Key, KindDoc, Shape, kinds};
use std::fmt::Write as _;

/// File name of a kind's page.
fn page(kind: &KindDoc) -> String {
    let mut name = String::new();
    for letter in kind.name.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name + ".md"
}

/// Every page: its file name and its text.
pub fn reference() -> Vec<(String, String)> {
    let mut pages = vec![("README.md".to_owned(), index())];
    pages.extend(kinds().map(reference_page));
    pages
}

/// The page of one kind, which may be another crate's.
pub fn reference_page(kind: &'static KindDoc) -> (String, String) {
    (page(kind), of_kind(kind))
}

/// The first page: the kinds and the forms of values.
pub fn index() -> String {
    let mut text = String::from(
        "# Reference: cluster files\n\n\
         A cluster file has any number of YAML documents, each a resource with a `kind` and a `name`. This folder is printed from the\n\
         tables that stand beside the readers in `placemat/spec/src/resource/`; `placemat schema` prints the same as JSON Schema\n\
         ([cluster.schema.json](cluster.schema.json)), with which editors complete and check.\n\n\
         | kind | is |\n|---|---|\n",
    );
    // Writing to a string does not fail.
    for kind in kinds() {
        let _ = writeln!(text, "| [{}]({}) | {} |", kind.name, page(kind), kind.doc);
    }
    text.push_str("\n## Values\n\n| value | is | for example |\n|---|---|---|\n");
    let mut forms: Vec<&Form> = Vec::new();
    for key in kinds().flat_map(|kind| COMMON.iter().chain(kind.keys)) {
        collect(key.shape, &mut forms);
    }
    forms.sort_by_key(|form| form.name);
    forms.dedup_by_key(|form| form.name);
    for form in forms {
        let _ = writeln!(
            text,
            "| {} | {} | `{}` |",
            form.name, form.doc, form.example
        );
    }
    text
}

fn collect(shape: Shape, forms: &mut Vec<&'static Form>) {
    match shape {
        Shape::Form(form) => forms.push(form),
        Shape::List(inner) | Shape::Dictionary(inner) => collect(*inner, forms),
        Shape::Map(keys) => keys.iter().for_each(|key| collect(key.shape, forms)),
        Shape::Tagged(variants) => {
            let keys = variants.iter().flat_map(|variant| variant.keys);
            keys.for_each(|key| collect(key.shape, forms));
        }
        Shape::Either(shapes) => shapes.iter().for_each(|shape| collect(*shape, forms)),
        Shape::Text
        | Shape::Boolean
        | Shape::Integer(..)
        | Shape::Decimal(..)
        | Shape::Choice(_)
        | Shape::Nothing
        | Shape::Ignored => {}
    }
}

fn of_kind(kind: &KindDoc) -> String {
    let mut text = format!(
        "# {}\n\n{}\n\n```yaml\n{}```\n",
        kind.name, kind.doc, kind.example
    );
    table("", COMMON.iter().chain(kind.keys), &mut text);
    text
}

/// A table of keys, then one for each map among their values.
fn table(title: &str, keys: impl Iterator<Item = &'static Key> + Clone, text: &mut String) {
    if !title.is_empty() {
        let _ = write!(text, "\n## {title}\n");
    }
    text.push_str("\n| key | value | default | means |\n|---|---|---|---|\n");
    for key in keys.clone() {
        let default = if key.required {
            "required"
        } else {
            key.default
        };
        let words = words(key.shape);
        let doc = match choices(key.shape) {
            None => key.doc.to_owned(),
            Some(list) => format!("{} {list}", key.doc),
        };
        let _ = writeln!(text, "| `{}` | {words} | {default} | {doc} |", key.name);
    }
    for key in keys {
        let path = match title.split(": ").next() {
            None | Some("") => key.name.to_owned(),
            Some(title) => format!("{}.{}", title.trim_matches('`'), key.name),
        };
        inner(&path, key.shape, text);
    }
}

fn inner(path: &str, shape: Shape, text: &mut String) {
    match shape {
        Shape::Map(keys) => table(&format!("`{path}`"), keys.iter(), text),
        Shape::List(element) => inner(&format!("{path}[]"), *element, text),
        Shape::Dictionary(value) => inner(&format!("{path}.NAME"), *value, text),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| inner(path, *shape, text)),
        Shape::Tagged(variants) => {
            for variant in variants {
                let title = format!("`{path}`: `kind: {}`, {}", variant.word, variant.doc);
                table(&title, variant.keys.iter(), text);
            }
        }
        _ => {}
    }
}

/// What a value is, in a few words.
fn words(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".into(),
        Shape::Form(form) => form.name.into(),
        Shape::Boolean => "`true` or `false`".into(),
        Shape::Integer(low, high) => format!("{low} to {high}"),
        Shape::Decimal(low, high) => format!("{low} to {high}"),
        Shape::Choice(_) => "a word".into(),
        Shape::List(inner) => format!("list of {}", words(*inner)),
        Shape::Map(_) | Shape::Tagged(_) => "map, below".into(),
        Shape::Dictionary(value) => format!("map of {}", words(*value)),
        Shape::Either(shapes) => {
            let shapes: Vec<String> = shapes.iter().map(|shape| words(*shape)).collect();
            shapes.join(" or ")
        }
        Shape::Nothing => "nothing".into(),
        Shape::Ignored => "anything".into(),
    }
}

/// The words that a value can be, with their meaning.
fn choices(shape: Shape) -> Option<String> {
    let Shape::Choice(words) = shape else {
        return None;
    };
    let words: Vec<String> = words
        .iter()
        .map(|(word, doc)| format!("`{word}`: {doc}"))
        .collect();
    Some(words.join("; ") + ".")
}
