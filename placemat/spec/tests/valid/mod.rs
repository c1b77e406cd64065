//! Checks values against JSON Schema: the part of 2020-12 that the schema of cluster files uses.
//! Patterns are left out; an unknown keyword is a failure, so that none is passed over.

use serde_json::Value;

/// What is wrong with `value`, each with the path to it.
pub(crate) fn errors(schema: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(schema, schema, value, "", &mut errors);
    errors
}

fn holds(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut errors = Vec::new();
    check(root, schema, value, "", &mut errors);
    errors.is_empty()
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let keywords = schema.as_object().expect("a schema is a map");
    for (keyword, rule) in keywords {
        let right = match keyword.as_str() {
            "$schema" | "title" | "description" | "examples" | "$defs" | "pattern" | "then" => true,
            "$ref" => {
                let pointer = rule.as_str().and_then(|it| it.strip_prefix('#'));
                let target = pointer.and_then(|it| root.pointer(it));
                check(root, target.expect("a definition"), value, at, errors);
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|it| is(it, value)),
                one => is(one, value),
            },
            "const" => value == rule,
            "enum" => list(rule).contains(value),
            "minimum" => value.as_f64().is_none_or(|it| Some(it) >= rule.as_f64()),
            "maximum" => value.as_f64().is_none_or(|it| Some(it) <= rule.as_f64()),
            "oneOf" => {
                list(rule)
                    .iter()
                    .filter(|it| holds(root, it, value))
                    .count()
                    == 1
            }
            "anyOf" => list(rule).iter().any(|it| holds(root, it, value)),
            "allOf" => {
                for each in list(rule) {
                    check(root, each, value, at, errors);
                }
                true
            }
            "if" => {
                if holds(root, rule, value) {
                    check(root, &schema["then"], value, at, errors);
                }
                true
            }
            "required" => value.as_object().is_none_or(|map| {
                let names = list(rule).iter().filter_map(Value::as_str);
                names.into_iter().all(|name| map.contains_key(name))
            }),
            "properties" | "additionalProperties" | "items" => {
                inside(root, schema, keyword, value, at, errors)
            }
            other => panic!("the schema has `{other}`, which this test does not know"),
        };
        if !right {
            errors.push(format!("{at}: {keyword}: {rule}"));
        }
    }
}

fn inside(
    root: &Value,
    schema: &Value,
    keyword: &str,
    value: &Value,
    at: &str,
    errors: &mut Vec<String>,
) -> bool {
    let rule = &schema[keyword];
    if let ("items", Value::Array(list)) = (keyword, value) {
        for (index, element) in list.iter().enumerate() {
            check(root, rule, element, &format!("{at}[{index}]"), errors);
        }
    }
    let known = schema["properties"].as_object();
    for (name, inner) in value.as_object().into_iter().flatten() {
        let rule = match (keyword, known.and_then(|known| known.get(name))) {
            ("properties", Some(rule)) => rule,
            ("additionalProperties", None) => rule,
            _ => continue,
        };
        if *rule == Value::Bool(false) {
            errors.push(format!("{at}.{name}: unknown key"));
        } else {
            check(root, rule, inner, &format!("{at}.{name}"), errors);
        }
    }
    true
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        other => panic!("a type {other:?}"),
    }
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().expect("a list")
}
