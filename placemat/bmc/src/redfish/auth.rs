//! Who is asking: a session token or Basic authentication (DSP0266 section 13.3).

use super::{Error, Service};
use crate::user::{Privilege, User};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{AUTHORIZATION, HeaderMap};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Header of a session's token.
pub(super) const TOKEN: &str = "x-auth-token";

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// User name.
    pub(super) name: String,
    /// What they may do.
    pub(super) privilege: Privilege,
}

impl Caller {
    /// Fails unless the caller may do what takes this privilege.
    pub(super) fn require(&self, privilege: Privilege) -> Result<(), Error> {
        (self.privilege >= privilege)
            .then_some(())
            .ok_or_else(Error::forbidden)
    }
}

/// Lets nobody by without a name, save to what must be open to all (section 13.3.2).
pub(super) async fn check(
    State(service): State<Service>,
    mut request: Request,
    next: Next,
) -> Response {
    if is_open(request.method(), request.uri().path()) {
        return next.run(request).await;
    }
    match service.caller(request.headers()) {
        Some(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        None => Error::unauthorized().into_response(),
    }
}

fn is_open(method: &Method, path: &str) -> bool {
    match path {
        "/redfish" | "/redfish/v1/" | "/redfish/v1/odata" | "/redfish/v1/$metadata" => {
            matches!(*method, Method::GET | Method::HEAD)
        }
        "/redfish/v1/SessionService/Sessions" | "/redfish/v1/SessionService/Sessions/Members" => {
            *method == Method::POST
        }
        _ => false,
    }
}

impl Service {
    /// The user of this name and password, unless locked out.
    pub(super) fn log_in(&self, name: &str, password: &str) -> Option<&User> {
        let accounts = self.bmc.accounts();
        accounts.authenticate(self.bmc.uptime(), name, password)
    }

    fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let user = if let Some(token) = headers.get(TOKEN) {
            let name = self.sessions().user(token.to_str().ok()?)?;
            self.bmc.users().find(name.as_bytes())?
        } else {
            let (name, password) = basic(headers)?;
            self.log_in(&name, &password)?
        };
        Some(Caller {
            name: user.name.clone(),
            privilege: user.privilege,
        })
    }
}

/// Name and password of Basic authentication (RFC 7617).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
