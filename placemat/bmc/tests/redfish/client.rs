//! A client that asks the router in memory, without TLS.

use crate::support::{self, Machine};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use placemat_bmc::Bmc;
use placemat_bmc::redfish::Service;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

/// `admin:placemat`, `reader:look`, `admin:wrong`.
pub(crate) const ADMIN: &str = "Basic YWRtaW46cGxhY2VtYXQ=";
pub(crate) const READER: &str = "Basic cmVhZGVyOmxvb2s=";
pub(crate) const WRONG: &str = "Basic YWRtaW46d3Jvbmc=";
pub(crate) const SYSTEM: &str = "/redfish/v1/Systems/1";
pub(crate) const RESET: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
pub(crate) const ACCOUNTS: &str = "/redfish/v1/AccountService";
pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

/// A client of a service in memory.
pub(crate) struct Client {
    pub(crate) machine: Arc<Machine>,
    pub(crate) bmc: Bmc,
    router: Router,
    pub(crate) auth: Option<&'static str>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(crate) fn message(&self) -> String {
        let body = self.json();
        let info = &body["error"]["@Message.ExtendedInfo"][0];
        format!(
            "{} {}",
            self.status.as_u16(),
            info["MessageId"].as_str().expect("an id")
        )
    }
}

impl Client {
    pub(crate) fn new() -> Self {
        let machine = Arc::new(Machine::default());
        let bmc = support::bmc(&machine);
        let router = Service::new(bmc.clone()).router();
        Self {
            machine,
            bmc,
            router,
            auth: Some(ADMIN),
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(auth) = self.auth {
            request = request.header("Authorization", auth);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(bytes.to_vec()).expect("text"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn reset(&self, kind: &str) -> Answer {
        self.send("POST", RESET, &[], &format!("{{\"ResetType\":\"{kind}\"}}"))
            .await
    }

    pub(crate) async fn patch(&self, boot: &str) -> Answer {
        self.send("PATCH", SYSTEM, &[], &format!("{{\"Boot\":{{{boot}}}}}"))
            .await
    }
}
