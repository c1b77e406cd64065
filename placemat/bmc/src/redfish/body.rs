//! Bodies of requests: JSON objects, read property by property so that an error names the property.

use super::{Error, Service};
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

/// Receives the whole body before anything is done with the request, if it is not too long and the
/// client does not take too long.
pub(super) async fn read(
    State(service): State<Service>,
    mut request: Request,
    next: Next,
) -> Response {
    let limits = service.bmc.limits();
    DefaultBodyLimit::max(limits.body).apply(&mut request);
    let (head, body) = request.into_parts();
    let whole = Bytes::from_request(Request::from_parts(head.clone(), body), &());
    match tokio::time::timeout(limits.patience, whole).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)))) => {
            Error::too_long(limits.body).into_response()
        }
        Ok(Err(_)) => Error::malformed().into_response(),
        Err(_) => Error::too_slow().into_response(),
    }
}

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

/// A number, within the range of its type.
pub(super) fn number<T: TryFrom<u64>>(value: &Value, property: &str) -> Result<T, Error> {
    let number = value
        .as_number()
        .ok_or_else(|| Error::wrong_type(value, property))?;
    number
        .as_u64()
        .and_then(|number| number.try_into().ok())
        .ok_or_else(|| Error::out_of_range(value, property))
}

/// A boolean.
pub(super) fn boolean(value: &Value, property: &str) -> Result<bool, Error> {
    value
        .as_bool()
        .ok_or_else(|| Error::wrong_type(value, property))
}
