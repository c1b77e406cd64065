//! `/redfish` and the service root (DSP0266 sections 6.2 and 8.1).

use super::protocol::Methods;
use super::{Service, link};
use axum::Json;
use axum::extract::State;
use axum::routing::get;
use serde_json::{Value, json};

/// Versions of the protocol.
pub(super) fn versions() -> Methods<Service> {
    let versions = || async { Json(json!({ "v1": "/redfish/v1/" })) };
    Methods {
        allow: "GET, HEAD",
        schema: None,
        router: get(versions),
    }
}

pub(super) fn routes() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD",
        schema: Some("ServiceRoot"),
        router: get(read),
    }
}

async fn read(State(service): State<Service>) -> Json<Value> {
    Json(json!({
        "@odata.id": "/redfish/v1/",
        "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot",
        "Id": "RootService",
        "Name": "Root Service",
        "RedfishVersion": "1.18.0",
        "UUID": service.bmc.identity().uuid_text(),
        "Vendor": "placemat",
        "Product": "placemat virtual BMC",
        "Systems": link("/redfish/v1/Systems"),
        "Chassis": link("/redfish/v1/Chassis"),
        "Managers": link("/redfish/v1/Managers"),
        "SessionService": link("/redfish/v1/SessionService"),
        "AccountService": link("/redfish/v1/AccountService"),
        "Links": { "Sessions": link("/redfish/v1/SessionService/Sessions") },
        "ProtocolFeaturesSupported": {
            "ExcerptQuery": false,
            "FilterQuery": false,
            "OnlyMemberQuery": false,
            "SelectQuery": false,
        },
    }))
}
