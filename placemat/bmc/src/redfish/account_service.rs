//! The account service, its accounts and its roles (AccountService, ManagerAccount and Role
//! schemas). To read only: the users come from the cluster file.

use super::protocol::Methods;
use super::{Error, Service, collection, link};
use crate::user::{Privilege, User};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::routing::get;
use serde_json::{Value, json};

const PATH: &str = "/redfish/v1/AccountService";
/// ETag of the accounts, which never change (DSP0266 section 6.5 asks for one here).
const UNCHANGED: &str = "\"1\"";
const ROLES: [Privilege; 3] = [
    Privilege::Administrator,
    Privilege::Operator,
    Privilege::User,
];

pub(super) fn routes() -> Methods<Service> {
    let read = || async { Json(service()) };
    Methods {
        allow: "GET, HEAD",
        schema: Some("AccountService"),
        router: get(read),
    }
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
    let read = |State(service): State<Service>, Path(id): Path<String>| async move {
        let index = id
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        index
            .and_then(|index| service.bmc.users().iter().nth(index))
            .map(|user| ([(ETAG, UNCHANGED)], Json(one_account(&id, user))))
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
    let read = |Path(id): Path<String>| async move {
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

fn service() -> Value {
    json!({
        "@odata.id": PATH,
        "@odata.type": "#AccountService.v1_13_0.AccountService",
        "Id": "AccountService",
        "Name": "Account Service",
        "ServiceEnabled": true,
        "MinPasswordLength": 1,
        "MaxPasswordLength": 20,
        "Status": { "State": "Enabled", "Health": "OK" },
        "Accounts": link(&format!("{PATH}/Accounts")),
        "Roles": link(&format!("{PATH}/Roles")),
    })
}

fn one_account(id: &str, user: &User) -> Value {
    let role = user.privilege.role();
    json!({
        "@odata.id": format!("{PATH}/Accounts/{id}"),
        "@odata.type": "#ManagerAccount.v1_10_0.ManagerAccount",
        "@odata.etag": UNCHANGED,
        "Id": id,
        "Name": format!("Account {id}"),
        "UserName": user.name,
        "Password": null,
        "RoleId": role,
        "Enabled": true,
        "Locked": false,
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
