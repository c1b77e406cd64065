//! The manager: this BMC (Manager schema).

use super::protocol::Methods;
use super::{ID, Service, collection as members, link};
use axum::Json;
use axum::extract::State;
use axum::routing::get;
use serde_json::{Value, json};

pub(super) fn collection() -> Methods<Service> {
    let read = || async {
        let ids = [ID.to_owned()];
        Json(members(
            "Manager",
            "/redfish/v1/Managers",
            "Manager Collection",
            &ids,
        ))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("ManagerCollection"),
        router: get(read),
    }
}

pub(super) fn routes() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD",
        schema: Some("Manager"),
        router: get(read),
    }
}

async fn read(State(service): State<Service>) -> Json<Value> {
    let identity = service.bmc.identity();
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    Json(json!({
        "@odata.id": "/redfish/v1/Managers/1",
        "@odata.type": "#Manager.v1_17_0.Manager",
        "Id": ID,
        "Name": format!("BMC of {}", identity.name),
        "ManagerType": "BMC",
        "Manufacturer": "placemat",
        "Model": "placemat virtual BMC",
        "FirmwareVersion": env!("CARGO_PKG_VERSION"),
        "ServiceEntryPointUUID": identity.uuid_text(),
        "DateTime": now,
        "DateTimeLocalOffset": "+00:00",
        "PowerState": "On",
        "Status": { "State": "Enabled", "Health": "OK" },
        "Links": {
            "ManagerForServers": [link("/redfish/v1/Systems/1")],
            "ManagerForChassis": [link("/redfish/v1/Chassis/1")],
            "ManagerInChassis": link("/redfish/v1/Chassis/1"),
        },
    }))
}
