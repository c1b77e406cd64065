//! What holds for every resource: headers, methods, queries, paths (DSP0266 chapters 6 to 8).

use super::Error;
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::header::{ALLOW, CACHE_CONTROL, HeaderName, HeaderValue, LINK};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");

/// The methods of one resource.
pub(super) struct Methods<S> {
    /// Value of the Allow header.
    pub(super) allow: &'static str,
    /// Schema of what GET answers, where there is one.
    pub(super) schema: Option<&'static str>,
    /// What they do.
    pub(super) router: MethodRouter<S>,
}

/// Makes all answers of a resource say which methods it has, errors included (section 6.4), and
/// which schema describes it.
pub(super) fn resource<S: Clone + Send + Sync + 'static>(methods: Methods<S>) -> MethodRouter<S> {
    let allow = HeaderValue::from_static(methods.allow);
    let described_by = methods.schema.and_then(|schema| {
        let url = format!("http://redfish.dmtf.org/schemas/v1/{schema}.json");
        HeaderValue::from_str(&format!("<{url}>; rel=describedby")).ok()
    });
    let head = move |mut response: Response| {
        response.headers_mut().insert(ALLOW, allow.clone());
        if let Some(link) = described_by
            .clone()
            .filter(|_| response.status().is_success())
        {
            response.headers_mut().insert(LINK, link);
        }
        std::future::ready(response)
    };
    let not_allowed = |method: Method| async move { Error::method_not_allowed(&method) };
    methods
        .router
        .fallback(not_allowed)
        .layer(axum::middleware::map_response(head))
}

/// Checks what any request must obey, and adds what any response must carry.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let mut response = match refuse(&request) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(ODATA_VERSION, HeaderValue::from_static("4.0"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache"));
    response
}

fn refuse(request: &Request) -> Option<Error> {
    let version = request.headers().get(&ODATA_VERSION);
    if version.is_some_and(|version| version != "4.0") {
        return Some(Error::odata_version()); // section 6.5
    }
    let query = request.uri().query().unwrap_or_default();
    query
        .split('&')
        .find(|part| part.starts_with('$'))
        .map(|_| Error::query_not_supported()) // section 7.3
}

/// A trailing slash names the same resource (section 6.2).
pub(super) async fn trim_path(mut request: Request) -> Request {
    let path = request.uri().path();
    let trimmed = path.trim_end_matches('/');
    let wanted = if trimmed == "/redfish/v1" {
        "/redfish/v1/"
    } else {
        trimmed
    };
    if wanted != path && !wanted.is_empty() {
        let query = request
            .uri()
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        if let Ok(uri) = format!("{wanted}{query}").parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// The last part of a path with a parameter. One that is no text names nothing.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id))
            .map_err(|_| Error::missing(parts.uri.path()))
    }
}

/// Anything that is not there.
pub(super) async fn not_found(uri: Uri) -> Error {
    Error::missing(uri.path())
}
