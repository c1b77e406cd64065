//! The account service, its accounts and its roles (AccountService, ManagerAccount and Role
//! schemas). The users come from the cluster file; only when they are locked out can be set.

use super::auth::Caller;
use super::protocol::{Id, Methods};
use super::{Error, Service, body, collection, link};
use crate::user::{LockoutPolicy, Privilege, User};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::routing::get;
use axum::{Extension, Json};
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/redfish/v1/AccountService";
const THRESHOLD: &str = "AccountLockoutThreshold";
const DURATION: &str = "AccountLockoutDuration";
const RESET_AFTER: &str = "AccountLockoutCounterResetAfter";
const ROLES: [Privilege; 3] = [
    Privilege::Administrator,
    Privilege::Operator,
    Privilege::User,
];

pub(super) fn routes() -> Methods<Service> {
    let read = |State(service): State<Service>| async move { Json(account_service(&service)) };
    Methods {
        allow: "GET, HEAD, PATCH",
        schema: Some("AccountService"),
        router: get(read).patch(write),
    }
}

/// PATCH of the lockout policy. All properties are checked before any is set.
async fn write(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    bytes: Bytes,
) -> Result<Json<Value>, Error> {
    caller.require(Privilege::Administrator)?;
    let mut policy = service.bmc.accounts().policy();
    let body = body::object(&bytes)?;
    for (property, value) in &body {
        match property.as_str() {
            THRESHOLD => policy.threshold = body::number(value, property)?,
            DURATION => policy.duration = seconds(value, property)?,
            RESET_AFTER => policy.reset_after = seconds(value, property)?,
            known if account_service(&service).get(known).is_some() => {
                return Err(Error::read_only(property));
            }
            _ => return Err(Error::unknown(property)),
        }
    }
    // The schema wants the one to be no longer than the other. Blame the one that came.
    if policy.reset_after > policy.duration
        && let Some((property, value)) = [RESET_AFTER, DURATION]
            .iter()
            .find_map(|property| body.get_key_value(*property))
    {
        return Err(Error::out_of_range(value, property));
    }
    service.bmc.accounts().set_policy(policy);
    Ok(Json(account_service(&service)))
}

fn seconds(value: &Value, property: &str) -> Result<Duration, Error> {
    body::number::<u16>(value, property).map(|seconds| Duration::from_secs(seconds.into()))
}

pub(super) fn accounts() -> Methods<Service> {
    let read = |State(service): State<Service>| async move {
        let ids: Vec<String> = (1..=service.bmc.users().iter().len())
            .map(|number| number.to_string())
            .collect();
        Json(collection(
            "ManagerAccount",
            &format!("{PATH}/Accounts"),
            "Accounts Collection",
            &ids,
        ))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("ManagerAccountCollection"),
        router: get(read),
    }
}

pub(super) fn account() -> Methods<Service> {
    let read = |State(service): State<Service>, Id(id): Id| async move {
        let index = id
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        index
            .and_then(|index| service.bmc.users().iter().nth(index))
            .map(|user| {
                (
                    [(ETAG, account_etag(&service, user))],
                    Json(one_account(&service, &id, user)),
                )
            })
            .ok_or_else(|| Error::missing(&format!("{PATH}/Accounts/{id}")))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("ManagerAccount"),
        router: get(read),
    }
}

pub(super) fn roles() -> Methods<Service> {
    let read = || async {
        let ids = ROLES.map(|role| role.role().to_owned());
        Json(collection(
            "Role",
            &format!("{PATH}/Roles"),
            "Roles Collection",
            &ids,
        ))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("RoleCollection"),
        router: get(read),
    }
}

pub(super) fn role() -> Methods<Service> {
    let read = |Id(id): Id| async move {
        ROLES
            .into_iter()
            .find(|role| role.role() == id)
            .map(|role| Json(one_role(role)))
            .ok_or_else(|| Error::missing(&format!("{PATH}/Roles/{id}")))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("Role"),
        router: get(read),
    }
}

fn account_service(service: &Service) -> Value {
    let LockoutPolicy {
        threshold,
        duration,
        reset_after,
    } = service.bmc.accounts().policy();
    json!({
        "@odata.id": PATH,
        "@odata.type": "#AccountService.v1_13_0.AccountService",
        "Id": "AccountService",
        "Name": "Account Service",
        "ServiceEnabled": true,
        "MinPasswordLength": 1,
        "MaxPasswordLength": 20,
        THRESHOLD: threshold,
        DURATION: duration.as_secs(),
        RESET_AFTER: reset_after.as_secs(),
        "AccountLockoutCounterResetEnabled": true,
        "Status": { "State": "Enabled", "Health": "OK" },
        "Accounts": link(&format!("{PATH}/Accounts")),
        "Roles": link(&format!("{PATH}/Roles")),
    })
}

/// ETag of an account (DSP0266 section 6.5 asks for one here). Only the lock ever changes.
fn account_etag(service: &Service, user: &User) -> &'static str {
    if is_locked(service, user) {
        "\"locked\""
    } else {
        "\"1\""
    }
}

fn is_locked(service: &Service, user: &User) -> bool {
    let bmc = &service.bmc;
    bmc.accounts().is_locked(bmc.uptime(), &user.name)
}

fn one_account(service: &Service, id: &str, user: &User) -> Value {
    let locked = is_locked(service, user);
    let role = user.privilege.role();
    json!({
        "@odata.id": format!("{PATH}/Accounts/{id}"),
        "@odata.etag": account_etag(service, user),
        "@odata.type": "#ManagerAccount.v1_10_0.ManagerAccount",
        "Id": id,
        "Name": format!("Account {id}"),
        "UserName": user.name,
        "Password": null,
        "RoleId": role,
        "Enabled": true,
        "Locked": locked,
        "AccountTypes": ["Redfish", "IPMI"],
        "Links": { "Role": link(&format!("{PATH}/Roles/{role}")) },
    })
}

fn one_role(role: Privilege) -> Value {
    let name = role.role();
    // DSP0266 section 13.5.3, and what the Operator may do here: act on power and boot.
    let privileges: &[&str] = match role {
        Privilege::Administrator => &[
            "Login",
            "ConfigureManager",
            "ConfigureUsers",
            "ConfigureComponents",
            "ConfigureSelf",
        ],
        Privilege::Operator => &["Login", "ConfigureComponents", "ConfigureSelf"],
        Privilege::User | Privilege::Callback => &["Login", "ConfigureSelf"],
    };
    json!({
        "@odata.id": format!("{PATH}/Roles/{name}"),
        "@odata.type": "#Role.v1_3_1.Role",
        "Id": name,
        "Name": name,
        "RoleId": name,
        "IsPredefined": true,
        "AssignedPrivileges": privileges,
    })
}
