//! The session service (SessionService schema).

use super::protocol::Methods;
use super::session::TIMEOUT;
use super::{Service, link};
use axum::Json;
use axum::routing::get;
use serde_json::{Value, json};

pub(super) fn routes() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD",
        schema: Some("SessionService"),
        router: get(read),
    }
}

async fn read() -> Json<Value> {
    Json(json!({
        "@odata.id": "/redfish/v1/SessionService",
        "@odata.type": "#SessionService.v1_1_8.SessionService",
        "Id": "SessionService",
        "Name": "Session Service",
        "ServiceEnabled": true,
        "SessionTimeout": TIMEOUT.as_secs(),
        "Status": { "State": "Enabled", "Health": "OK" },
        "Sessions": link("/redfish/v1/SessionService/Sessions"),
    }))
}
