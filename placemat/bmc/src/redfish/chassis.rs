//! The chassis that the system sits in (Chassis schema).

use super::protocol::Methods;
use super::system::{power_state, status};
use super::{ID, Service, collection as members, link, reset};
use axum::Json;
use axum::extract::State;
use axum::routing::get;
use serde_json::{Value, json};

const PATH: &str = "/redfish/v1/Chassis/1";

pub(super) fn collection() -> Methods<Service> {
    let read = || async {
        let ids = [ID.to_owned()];
        Json(members(
            "Chassis",
            "/redfish/v1/Chassis",
            "Chassis Collection",
            &ids,
        ))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("ChassisCollection"),
        router: get(read),
    }
}

pub(super) fn routes() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD",
        schema: Some("Chassis"),
        router: get(read),
    }
}

async fn read(State(service): State<Service>) -> Json<Value> {
    let identity = service.bmc.identity();
    let chassis = service.bmc.chassis();
    Json(json!({
        "@odata.id": PATH,
        "@odata.type": "#Chassis.v1_23_0.Chassis",
        "Id": ID,
        "Name": identity.name,
        "ChassisType": "RackMount",
        "Manufacturer": identity.manufacturer,
        "Model": identity.product,
        "SerialNumber": identity.serial,
        "PowerState": power_state(&chassis),
        "LocationIndicatorActive": chassis.identify_lit(service.bmc.uptime()),
        "Status": status(&chassis),
        "Links": {
            "ComputerSystems": [link("/redfish/v1/Systems/1")],
            "ManagedBy": [link("/redfish/v1/Managers/1")],
            "ManagersInChassis": [link("/redfish/v1/Managers/1")],
        },
        "Actions": {
            "#Chassis.Reset": reset::offer(&service, &format!("{PATH}/Actions/Chassis.Reset")),
        },
    }))
}
