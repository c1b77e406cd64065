//! The tables as JSON Schema (2020-12), for editors and other programs.

use super::{COMMON, Form, Key, KindDoc, Shape, Variant, kinds};
use crate::document::{Tree, Value as Node};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The schema of one document: of any kind, or of one.
pub fn json_schema(only: Option<&KindDoc>) -> Value {
    let kinds: Vec<&KindDoc> = kinds()
        .filter(|kind| only.is_none_or(|only| only.name == kind.name))
        .collect();
    document_schema(
        &kinds,
        "placemat cluster file",
        "One document of a cluster file. A file has any number of them, with `---` between.",
    )
}

/// The schema of a document of one of these kinds.
pub fn document_schema(kinds: &[&KindDoc], title: &str, description: &str) -> Value {
    let mut forms = BTreeMap::new();
    let mut definitions = Map::new();
    for kind in kinds {
        definitions.insert(kind.name.to_owned(), of_kind(kind, &mut forms));
    }
    let names: Vec<&str> = definitions.keys().map(String::as_str).collect();
    let choices: Vec<Value> = names
        .iter()
        .map(|name| {
            json!({
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": format!("#/$defs/{name}")},
            })
        })
        .collect();
    let kinds = json!({"enum": names, "description": "The kind of resource."});
    definitions.extend(forms);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        "type": "object",
        "required": ["kind", "name"],
        "properties": {"kind": kinds},
        "allOf": choices,
        "$defs": definitions,
    })
}

/// Definitions of the forms in use, by their name.
type Forms = BTreeMap<String, Value>;

fn of_kind(kind: &KindDoc, forms: &mut Forms) -> Value {
    let keys: Vec<&Key> = COMMON.iter().chain(kind.keys).collect();
    let mut schema = object(&keys, forms);
    schema["title"] = kind.name.into();
    schema["description"] = kind.doc.into();
    schema["properties"]["kind"] = json!({"const": kind.name});
    schema
}

/// A map of these keys and no others.
fn object(keys: &[&Key], forms: &mut Forms) -> Value {
    let mut properties = Map::new();
    for key in keys {
        properties.insert(key.name.to_owned(), of_key(key, forms));
    }
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

fn of_key(key: &Key, forms: &mut Forms) -> Value {
    let mut schema = of_shape(key.shape, forms);
    let mut words = key.doc.to_owned();
    if !key.default.is_empty() {
        words = format!("{words} Default: {}.", key.default);
    }
    schema["description"] = words.into();
    schema
}

fn of_shape(shape: Shape, forms: &mut Forms) -> Value {
    match shape {
        // A plain scalar keeps its text, whatever YAML would call it.
        Shape::Text => json!({"type": ["string", "number", "boolean"]}),
        Shape::Form(form) => {
            forms.insert(form.name.to_owned(), of_form(form));
            json!({"$ref": format!("#/$defs/{}", form.name)})
        }
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Integer(low, high) => json!({"type": "integer", "minimum": low, "maximum": high}),
        Shape::Decimal(low, high) => json!({"type": "number", "minimum": low, "maximum": high}),
        Shape::Choice(words) => {
            let each = |(word, doc): &(&str, &str)| json!({"const": word, "description": doc});
            json!({"oneOf": words.iter().map(each).collect::<Vec<_>>()})
        }
        Shape::List(element) => json!({"type": "array", "items": of_shape(*element, forms)}),
        Shape::Map(keys) => object(&keys.iter().collect::<Vec<_>>(), forms),
        Shape::Dictionary(value) => {
            json!({"type": "object", "additionalProperties": of_shape(*value, forms)})
        }
        Shape::Tagged(variants) => {
            let each = |variant: &Variant| of_variant(variant, forms);
            json!({"oneOf": variants.iter().map(each).collect::<Vec<_>>()})
        }
        Shape::Either(shapes) => {
            let each = |shape: &Shape| of_shape(*shape, forms);
            json!({"anyOf": shapes.iter().map(each).collect::<Vec<_>>()})
        }
        Shape::Nothing => json!({"const": ""}),
        Shape::Ignored => json!({}),
    }
}

fn of_variant(variant: &Variant, forms: &mut Forms) -> Value {
    let kind = Key::required("kind", Shape::Text, variant.doc);
    let keys: Vec<&Key> = [&kind].into_iter().chain(variant.keys).collect();
    let mut schema = object(&keys, forms);
    schema["description"] = variant.doc.into();
    schema["properties"]["kind"] = json!({"const": variant.word});
    schema
}

fn of_form(form: &Form) -> Value {
    json!({
        // Numbers, too: `memory: 2048`. A pattern is about strings alone.
        "type": ["string", "number", "boolean"],
        "pattern": form.pattern,
        "description": form.doc,
        "examples": [form.example],
    })
}

/// A document as other programs see it, by YAML 1.2's core schema.
pub fn to_json(tree: &Tree) -> Value {
    match &tree.value {
        Node::Map(map) => {
            let entries = map.iter();
            Value::Object(
                entries
                    .map(|(key, entry)| (key.clone(), to_json(&entry.tree)))
                    .collect(),
            )
        }
        Node::List(list) => list.iter().map(to_json).collect(),
        Node::Scalar(scalar) if scalar.is_null() => Value::Null,
        Node::Scalar(scalar) if !scalar.plain => scalar.text.as_str().into(),
        Node::Scalar(scalar) => match scalar.text.as_str() {
            "true" | "True" | "TRUE" => true.into(),
            "false" | "False" | "FALSE" => false.into(),
            text => text
                .parse::<i64>()
                .map(Value::from)
                .or_else(|_| text.parse::<f64>().map(Value::from))
                .unwrap_or_else(|_| text.into()),
        },
    }
}
