//! Bodies of requests: JSON objects, read property by property so that an error names the property.

use super::Error;
use axum::body::Bytes;
use serde_json::{Map, Value};

/// Reads a body. An empty one is an empty object.
pub(super) fn object(bytes: &Bytes) -> Result<Map<String, Value>, Error> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Error::malformed()),
    }
}

/// The one of `choices` that a string names.
pub(super) fn choice<T: Copy>(
    value: &Value,
    property: &str,
    choices: &[(&str, T)],
) -> Result<T, Error> {
    let name = value
        .as_str()
        .ok_or_else(|| Error::wrong_type(value, property))?;
    choices
        .iter()
        .find(|(choice, _)| *choice == name)
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| Error::not_in_list(value, property))
}

/// A string.
pub(super) fn string<'a>(value: &'a Value, property: &str) -> Result<&'a str, Error> {
    value
        .as_str()
        .ok_or_else(|| Error::wrong_type(value, property))
}

/// A boolean.
pub(super) fn boolean(value: &Value, property: &str) -> Result<bool, Error> {
    value
        .as_bool()
        .ok_or_else(|| Error::wrong_type(value, property))
}
