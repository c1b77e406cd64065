//! The actions `ComputerSystem.Reset` and `Chassis.Reset` (Resource schema, `ResetType`).
//!
//! Asking for the state that is there already (On when on, ForceOff when off) succeeds with 204:
//! `sushy` and `gofish` take any other status for a failure, and neco's tools send On without
//! looking first. What needs a machine that is on (ForceRestart, PowerCycle, ...) answers 409
//! when it is off, since 204 would say that a restart was under way.

use super::auth::Caller;
use super::protocol::Methods;
use super::{Error, Service, body};
use crate::bmc::ActError;
use crate::chassis::{Cause, PowerCommand};
use crate::user::Privilege;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};

const TYPES: &[(&str, PowerCommand)] = &[
    ("On", PowerCommand::On),
    ("ForceOn", PowerCommand::On),
    ("ForceOff", PowerCommand::Off),
    ("GracefulShutdown", PowerCommand::Shutdown),
    ("GracefulRestart", PowerCommand::Restart),
    ("ForceRestart", PowerCommand::Reset),
    ("PowerCycle", PowerCommand::Cycle),
    ("PushPowerButton", PowerCommand::Button),
    ("Nmi", PowerCommand::Nmi),
];

pub(super) fn system() -> Methods<Service> {
    let act = |service: State<Service>, caller: Extension<Caller>, bytes: Bytes| {
        reset(service, caller, bytes, "ComputerSystem.Reset")
    };
    Methods {
        allow: "POST",
        schema: None,
        router: post(act),
    }
}

pub(super) fn chassis() -> Methods<Service> {
    let act = |service: State<Service>, caller: Extension<Caller>, bytes: Bytes| {
        reset(service, caller, bytes, "Chassis.Reset")
    };
    Methods {
        allow: "POST",
        schema: None,
        router: post(act),
    }
}

/// The action's entry in `Actions`.
pub(super) fn offer(service: &Service, target: &str) -> Value {
    let types: Vec<&str> = offered(service).map(|(name, _)| name).collect();
    json!({ "target": target, "ResetType@Redfish.AllowableValues": types })
}

fn offered(service: &Service) -> impl Iterator<Item = (&'static str, PowerCommand)> {
    let nmi = service.bmc.has_nmi();
    TYPES
        .iter()
        .copied()
        .filter(move |(_, command)| nmi || *command != PowerCommand::Nmi)
}

async fn reset(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    bytes: Bytes,
    action: &'static str,
) -> Result<StatusCode, Error> {
    caller.require(Privilege::Operator)?;
    let parameters = body::object(&bytes)?;
    if let Some(unknown) = parameters.keys().find(|key| *key != "ResetType") {
        return Err(Error::parameter_unknown(action, unknown));
    }
    let wanted = parameters
        .get("ResetType")
        .ok_or_else(|| Error::parameter_missing(action, "ResetType"))?;
    let (_, command) = offered(&service)
        .find(|(name, _)| wanted == name)
        .ok_or_else(|| Error::parameter_not_in_list(wanted, "ResetType", action))?;
    match service.bmc.power(command, Cause::Redfish).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(ActError::Refused(_) | ActError::Interrupted) => Err(Error::standby()),
        Err(ActError::Busy) => Err(Error::busy()),
        Err(ActError::Machine { source, .. }) => Err(Error::internal(&source.to_string())),
    }
}
