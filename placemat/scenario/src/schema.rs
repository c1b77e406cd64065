//! JSON Schema of scenario files, made from the rows of steps and conditions and the keys of documents, so
//! that whatever a file may say stands in one place.

use crate::condition::CONDITIONS;
use crate::load::{DOCUMENTS, GATE_KEYS, Key, Row, STEP_KEYS};
use crate::step::{COMMAND_MAPS, MEASURE_MAPS, STEPS};
use serde_json::{Map, Value, json};

/// The schema of one document of a scenario file.
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    definitions.insert("text".into(), text());
    definitions.insert(
        "selector".into(),
        json!({
            "description": "What is meant, such as `router/spine-1`, `node/rack=1+role=cs`, `rack/1`; several in a list.",
            "anyOf": [reference("text"), {"type": "array", "items": reference("text")}],
        }),
    );
    definitions.insert(
        "duration".into(),
        json!({"type": "string", "description": "A duration, such as `500ms`, `10s`, `1m30s`.", "examples": ["10s"]}),
    );
    definitions.insert(
        "step".into(),
        one_of(
            STEPS,
            STEP_KEYS,
            "A step: one kind, and keys that every step may have.",
        ),
    );
    definitions.insert(
        "condition".into(),
        one_of(CONDITIONS, &[], "A condition: one kind."),
    );
    definitions.insert("gate".into(), map(GATE_KEYS));
    let mut choices = Vec::new();
    let mut names = Vec::new();
    for (name, keys) in DOCUMENTS {
        definitions.insert((*name).to_owned(), map(keys));
        names.push(*name);
        choices.push(json!({
            "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
            "then": reference(name),
        }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "placemat scenario file",
        "description": "One document of a scenario file. A file has any number of them, with `---` between.",
        "type": "object",
        "required": ["kind", "name"],
        "properties": {"kind": {"enum": names, "description": "What the document is."}},
        "allOf": choices,
        "$defs": definitions,
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// Any scalar: it is taken as its text.
fn text() -> Value {
    json!({"type": ["string", "number", "boolean"]})
}

fn list(of: &Value) -> Value {
    json!({"type": "array", "items": of})
}

fn dictionary(of: &Value) -> Value {
    json!({"type": "object", "additionalProperties": of})
}

/// A map of these keys and no others.
fn map(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| (key.name.to_owned(), described(key)))
        .collect();
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A map with exactly one of the kinds of a table.
fn one_of<P>(rows: &[Row<P>], common: &[Key], description: &str) -> Value {
    let mut properties = Map::new();
    for key in common {
        properties.insert(key.name.to_owned(), described(key));
    }
    let with = json!({"description": "Params of what `use` names.", "type": "object"});
    properties.insert("with".into(), with);
    for row in rows {
        let mut value = match row.keys {
            [item] if item.name.is_empty() => form(item.form),
            keys => map(keys),
        };
        value["description"] = json!(row.doc);
        properties.insert(row.name.to_owned(), value);
    }
    let kinds: Vec<Value> = rows
        .iter()
        .map(|row| json!({"required": [row.name]}))
        .collect();
    json!({
        "description": description,
        "type": "object",
        "properties": properties,
        "oneOf": kinds,
        "additionalProperties": false,
    })
}

fn described(key: &Key) -> Value {
    let mut value = form(key.form);
    if !key.doc.is_empty() {
        value["description"] = json!(key.doc);
    }
    value
}

/// What a key takes, by the words of its row.
fn form(form: &str) -> Value {
    if let Some((_, keys)) = MEASURE_MAPS
        .iter()
        .chain(COMMAND_MAPS)
        .find(|(name, _)| *name == form)
    {
        return map(keys);
    }
    let steps = || list(&reference("step"));
    match form {
        "SELECTOR" | "SELECTOR | ADDRESS" | "SELECTOR | PREFIX" | "SELECTOR | [TEXT]" => {
            reference("selector")
        }
        "DURATION" => reference("duration"),
        "[TEXT]" | "[WORD]" => list(&reference("text")),
        "TEXT | [TEXT]" => json!({"anyOf": [reference("text"), list(&reference("text"))]}),
        "{NAME: TEXT}" | "{POINTER: VALUE}" => dictionary(&reference("text")),
        // A default of null says that there is none.
        "{NAME: DEFAULT}" => json!({"type": "object"}),
        "CONDITION" => reference("condition"),
        "- CONDITION" => list(&reference("condition")),
        "[STEP]" => steps(),
        "[[STEP]]" => list(&steps()),
        "CONDITION | {that, timeout, stable-for}" => gate(&[]),
        "CONDITION | {that, timeout, stable-for} | none" => gate(&["none"]),
        "{NAME: CONDITION}" => dictionary(&entry("that", &reference("condition"))),
        "{NAME: [STEP]}" => dictionary(&entry("steps", &steps())),
        "{NAME: stdout | stderr | exit}" => dictionary(&words(&["stdout", "stderr", "exit"])),
        // Which words there are is told behind the key.
        "TEXT" | "SHELL TEXT" | "NAME" | "PATH" | "LIBRARY.NAME" | "PERCENT" | "RATE" | "FAULT"
        | "RESET" | "TARGET" | "WORD" | "Established" | "Up" | "agent" => reference("text"),
        form => alternatives(form),
    }
}

fn gate(words: &[&str]) -> Value {
    let mut forms = vec![reference("condition"), reference("gate")];
    forms.extend(words.iter().map(|word| json!({"const": word})));
    json!({"anyOf": forms})
}

/// What a library has under a name: the thing itself, or that with params.
fn entry(key: &str, body: &Value) -> Value {
    json!({"anyOf": [body, {
        "type": "object",
        "properties": {"params": {"type": "object"}, key: body},
        "required": [key],
        "additionalProperties": false,
    }]})
}

/// `all | NUMBER`, `true | false`, `udp`: one of these, or a variable.
fn alternatives(form: &str) -> Value {
    let (mut types, mut plain) = (Vec::new(), Vec::new());
    for word in form.split(" | ") {
        match word {
            "NUMBER" => types.push(json!({"type": "integer"})),
            "true" => types.push(json!({"type": "boolean"})),
            "false" => {}
            word => {
                let fine = word.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
                assert!(fine, "`{form}` is a form that the schema does not know");
                plain.push(word);
            }
        }
    }
    if !plain.is_empty() {
        types.push(words(&plain));
    }
    types.push(json!({"type": "string", "pattern": "\\$\\("}));
    json!({"anyOf": types})
}

fn words(words: &[&str]) -> Value {
    json!({"enum": words})
}
