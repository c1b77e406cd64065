//! The system: power state, boot override, identity (ComputerSystem schema).

use super::auth::Caller;
use super::protocol::Methods;
use super::{Error, ID, Service, body, boot, collection as members, link, log_service, reset};
use crate::bmc::ActError;
use crate::chassis::{Chassis, Identify, PowerPolicy};
use crate::user::Privilege;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::get;
use axum::{Extension, Json};
use serde_json::{Value, json};

const PATH: &str = "/redfish/v1/Systems/1";
const POLICIES: &[(&str, PowerPolicy)] = &[
    ("AlwaysOff", PowerPolicy::AlwaysOff),
    ("LastState", PowerPolicy::Previous),
    ("AlwaysOn", PowerPolicy::AlwaysOn),
];

pub(super) fn collection() -> Methods<Service> {
    let read = || async {
        let ids = [ID.to_owned()];
        Json(members(
            "ComputerSystem",
            "/redfish/v1/Systems",
            "Computer System Collection",
            &ids,
        ))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("ComputerSystemCollection"),
        router: get(read),
    }
}

pub(super) fn routes() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD, PATCH",
        schema: Some("ComputerSystem"),
        router: get(read).patch(write),
    }
}

async fn read(State(service): State<Service>) -> Json<Value> {
    Json(system(&service))
}

/// PATCH: all properties are checked before any is set.
async fn write(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    bytes: Bytes,
) -> Result<Json<Value>, Error> {
    caller.require(Privilege::Operator)?;
    let mut boot = None;
    let mut policy = None;
    let mut light = None;
    for (property, value) in &body::object(&bytes)? {
        match property.as_str() {
            "Boot" => {
                let object = value
                    .as_object()
                    .ok_or_else(|| Error::wrong_type(value, property))?;
                boot = Some(boot::patch(service.bmc.chassis().boot, object)?);
            }
            "PowerRestorePolicy" => policy = Some(body::choice(value, property, POLICIES)?),
            "LocationIndicatorActive" => light = Some(body::boolean(value, property)?),
            known if system(&service).get(known).is_some() => {
                return Err(Error::read_only(property));
            }
            _ => return Err(Error::unknown(property)),
        }
    }
    if let Some(policy) = policy {
        service.bmc.set_policy(policy);
    }
    if let Some(lit) = light {
        service
            .bmc
            .set_identify(if lit { Identify::On } else { Identify::Off });
    }
    if let Some(boot) = boot {
        service
            .bmc
            .set_boot(boot)
            .await
            .map_err(|error| match error {
                ActError::Busy => Error::busy(),
                error => Error::internal(&error.to_string()),
            })?;
    }
    Ok(Json(system(&service)))
}

fn system(service: &Service) -> Value {
    let identity = service.bmc.identity();
    let chassis = service.bmc.chassis();
    let policy = POLICIES
        .iter()
        .find(|(_, policy)| *policy == chassis.policy);
    json!({
        "@odata.id": PATH,
        "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem",
        "Id": ID,
        "Name": identity.name,
        "SystemType": "Virtual",
        "Manufacturer": identity.manufacturer,
        "Model": identity.product,
        "SerialNumber": identity.serial,
        "UUID": identity.uuid_text(),
        "HostName": identity.name,
        "PowerState": power_state(&chassis),
        "PowerRestorePolicy": policy.map(|(name, _)| name),
        "LocationIndicatorActive": chassis.identify_lit(service.bmc.uptime()),
        "Status": status(&chassis),
        "Boot": boot::read(chassis.boot),
        "LogServices": link(log_service::COLLECTION),
        "Links": {
            "Chassis": [link("/redfish/v1/Chassis/1")],
            "ManagedBy": [link("/redfish/v1/Managers/1")],
        },
        "Actions": {
            "#ComputerSystem.Reset": reset::offer(service, &format!("{PATH}/Actions/ComputerSystem.Reset")),
        },
    })
}

/// `PowerState` (Resource schema).
pub(super) fn power_state(chassis: &Chassis) -> &'static str {
    if chassis.is_on() { "On" } else { "Off" }
}

/// `Status` (Resource schema).
pub(super) fn status(chassis: &Chassis) -> Value {
    json!({
        "State": if chassis.is_on() { "Enabled" } else { "StandbyOffline" },
        "Health": if chassis.power_fault { "Critical" } else { "OK" },
    })
}
