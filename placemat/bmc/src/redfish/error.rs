//! Errors, in the words of DMTF's Base message registry (DSP0266 section 13.7, DSP8011). A kind of
//! error is one constructor here.

use axum::Json;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Version of the message registry.
const REGISTRY: &str = "Base.1.18.0";

/// An answer that says what was wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    status: StatusCode,
    id: &'static str,
    message: String,
    args: Vec<String>,
    resolution: &'static str,
}

impl Error {
    fn new(
        status: StatusCode,
        id: &'static str,
        message: impl Into<String>,
        args: &[&str],
        resolution: &'static str,
    ) -> Self {
        Self {
            status,
            id,
            message: message.into(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            resolution,
        }
    }

    /// Nobody has logged in, or not rightly.
    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "NoValidSession",
            "There is no valid session established with the implementation.",
            &[],
            "Establish a session before attempting any operations, or use Basic authentication.",
        )
    }

    /// Logged in, but may not.
    pub(super) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "InsufficientPrivilege",
            "There are insufficient privileges for the account or credentials associated with the current session to perform the requested operation.",
            &[],
            "Either abandon the operation or log in as a user with the privilege to do it.",
        )
    }

    /// There is nothing at this path.
    pub(super) fn missing(path: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ResourceMissingAtURI",
            format!("The resource at the URI '{path}' was not found."),
            &[path],
            "Place a valid resource at the URI or correct the URI and resubmit the request.",
        )
    }

    /// The resource does not have this method.
    pub(super) fn method_not_allowed(method: &Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "OperationNotAllowed",
            format!("The HTTP method {method} is not allowed on this resource."),
            &[],
            "Use one of the methods that the Allow header lists.",
        )
    }

    /// A version of OData that nobody knows.
    pub(super) fn odata_version() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "HeaderInvalid",
            "The header OData-Version is invalid: this service speaks version 4.0.",
            &["OData-Version"],
            "Leave the header out, or send 4.0.",
        )
    }

    /// A query option that is not served.
    pub(super) fn query_not_supported() -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "QueryNotSupported",
            "Querying is not supported by the implementation.",
            &[],
            "Remove the query parameters and resubmit the request.",
        )
    }

    /// The body is no JSON object.
    pub(super) fn malformed() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "MalformedJSON",
            "The request body submitted was malformed JSON and could not be parsed by the receiving service.",
            &[],
            "Ensure that the request body is a valid JSON object and resubmit the request.",
        )
    }

    /// The body is longer than this many bytes.
    pub(super) fn too_long(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "GeneralError",
            format!("The request body has more than {limit} bytes."),
            &[],
            "Send a shorter body: no resource here needs a longer one.",
        )
    }

    /// The body did not come in time.
    pub(super) fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "GeneralError",
            "The request body did not arrive in time.",
            &[],
            "Resubmit the request, and send its body at once.",
        )
    }

    /// A property that the resource does not have.
    pub(super) fn unknown(property: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "PropertyUnknown",
            format!(
                "The property {property} is not in the list of valid properties for the resource."
            ),
            &[property],
            "Remove the unknown property from the request body and resubmit the request.",
        )
    }

    /// A property that can only be read.
    pub(super) fn read_only(property: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "PropertyNotWritable",
            format!(
                "The property {property} is a read-only property and cannot be assigned a value."
            ),
            &[property],
            "Remove the property from the request body and resubmit the request.",
        )
    }

    /// A property that must be there.
    pub(super) fn property_missing(property: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "PropertyMissing",
            format!(
                "The property {property} is a required property and must be included in the request."
            ),
            &[property],
            "Ensure that the property is in the request body and has a valid value and resubmit the request.",
        )
    }

    /// A value that is none of those possible.
    pub(super) fn not_in_list(value: &Value, property: &str) -> Self {
        let value = plain(value);
        Self::new(
            StatusCode::BAD_REQUEST,
            "PropertyValueNotInList",
            format!(
                "The value '{value}' for the property {property} is not in the list of acceptable values."
            ),
            &[&value, property],
            "Choose a value from the enumeration list that the implementation can support and resubmit the request.",
        )
    }

    /// A number that is too small or too large.
    pub(super) fn out_of_range(value: &Value, property: &str) -> Self {
        let value = plain(value);
        Self::new(
            StatusCode::BAD_REQUEST,
            "PropertyValueOutOfRange",
            format!(
                "The value '{value}' for the property {property} is not in the supported range of acceptable values."
            ),
            &[&value, property],
            "Correct the value for the property in the request body and resubmit the request.",
        )
    }

    /// A value of another type.
    pub(super) fn wrong_type(value: &Value, property: &str) -> Self {
        let value = plain(value);
        Self::new(
            StatusCode::BAD_REQUEST,
            "PropertyValueTypeError",
            format!(
                "The value '{value}' for the property {property} is not a type that the property can accept."
            ),
            &[&value, property],
            "Correct the value for the property in the request body and resubmit the request.",
        )
    }

    /// A parameter of an action that must be there.
    pub(super) fn parameter_missing(action: &str, parameter: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "ActionParameterMissing",
            format!(
                "The action {action} requires the parameter {parameter} to be present in the request body."
            ),
            &[action, parameter],
            "Supply the action with the required parameter in the request body when the request is resubmitted.",
        )
    }

    /// A parameter that the action does not have.
    pub(super) fn parameter_unknown(action: &str, parameter: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "ActionParameterUnknown",
            format!("The action {action} was submitted with the invalid parameter {parameter}."),
            &[action, parameter],
            "Correct the invalid parameter and resubmit the request.",
        )
    }

    /// A value of a parameter that is none of those possible.
    pub(super) fn parameter_not_in_list(value: &Value, parameter: &str, action: &str) -> Self {
        let value = plain(value);
        Self::new(
            StatusCode::BAD_REQUEST,
            "ActionParameterValueNotInList",
            format!(
                "The value '{value}' for the parameter {parameter} in the action {action} is not in the list of acceptable values."
            ),
            &[&value, parameter, action],
            "Choose a value from the enumeration list that the implementation can support and resubmit the request.",
        )
    }

    /// The machine is off, and the action needs it on.
    pub(super) fn standby() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "ResourceInStandby",
            "The request could not be performed because the resource is in standby.",
            &[],
            "Ensure that the resource is in the correct power state and resubmit the request.",
        )
    }

    /// Too much to do.
    pub(super) fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceTemporarilyUnavailable",
            "The service is temporarily unavailable. Retry in 1 seconds.",
            &["1"],
            "Wait for the indicated retry duration and retry the operation.",
        )
    }

    /// The machine failed; `why` is its own account.
    pub(super) fn internal(why: &str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("The request failed due to an internal service error: {why}"),
            &[],
            "Resubmit the request. If the problem persists, look into the log of the lab.",
        )
    }
}

/// A value as messages show it: strings without quotes.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let id = format!("{REGISTRY}.{}", self.id);
        let body = json!({
            "error": {
                "code": id,
                "message": self.message,
                "@Message.ExtendedInfo": [{
                    "@odata.type": "#Message.v1_1_2.Message",
                    "MessageId": id,
                    "Message": self.message,
                    "MessageArgs": self.args,
                    "MessageSeverity": "Critical",
                    "Resolution": self.resolution,
                }],
            }
        });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"Redfish\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
