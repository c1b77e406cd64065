//! Redfish: every resource as it is read, actions, overrides and sessions.

mod client;
mod errors;
mod https;
#[path = "../support/mod.rs"]
mod support;

use axum::http::StatusCode;
use client::{ACCOUNTS, ADMIN, Client, READER, SESSIONS, SYSTEM, WRONG};
use placemat_bmc::fault::Fault;
use placemat_bmc::redfish::Limits;
use serde_json::Value;
use std::sync::atomic::Ordering;

/// All links in a document.
fn links(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str() {
                    Some(path) if key == "@odata.id" => found.push(path.to_owned()),
                    _ => links(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| links(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_linked_resource_is_served() {
    let client = Client::new();
    let mut paths = vec![
        "/redfish".to_owned(),
        "/redfish/v1/".to_owned(),
        "/redfish/v1/odata".to_owned(),
    ];
    let mut report = String::new();
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        let answer = client.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers["odata-version"], "4.0");
        assert!(answer.headers.contains_key("allow"), "{path}");
        let body = answer.json();
        if path != "/redfish" && !path.ends_with("odata") {
            assert_eq!(body["@odata.id"], path.as_str());
        }
        let mut found = Vec::new();
        links(&body, &mut found);
        for link in found {
            if !paths.contains(&link) {
                paths.push(link);
            }
        }
        let pretty = serde_json::to_string_pretty(&body).expect("JSON");
        report.extend([format!("### {path}\n{pretty}\n")]);
    }
    let csdl = client.get("/redfish/v1/$metadata").await;
    assert_eq!(csdl.headers["content-type"], "application/xml");
    report.push_str(&csdl.text);
    insta::with_settings!({filters => vec![
        (r#""DateTime": ".*""#, r#""DateTime": "T""#),
        (r#""FirmwareVersion": ".*""#, r#""FirmwareVersion": "V""#),
    ]}, {
        insta::assert_snapshot!(report);
    });
}

#[tokio::test]
async fn resets() {
    let client = Client::new();
    for (kind, status, acts) in [
        ("ForceOff", 204, &[][..]),
        ("GracefulShutdown", 204, &[]),
        ("ForceRestart", 409, &[]),
        ("PowerCycle", 409, &[]),
        ("GracefulRestart", 409, &[]),
        ("On", 204, &["power on"]),
        ("On", 204, &[]),
        ("ForceOn", 204, &[]),
        ("ForceRestart", 204, &["reset"]),
        ("PowerCycle", 204, &["power off", "power on"]),
        ("ForceOff", 204, &["power off"]),
        ("PushPowerButton", 204, &["power on"]),
        ("Nmi", 400, &[]),
        ("Explode", 400, &[]),
    ] {
        let answer = client.reset(kind).await;
        assert_eq!(answer.status.as_u16(), status, "{kind}: {}", answer.text);
        assert_eq!(client.machine.acts(), acts, "{kind}");
    }
    assert_eq!(client.get(SYSTEM).await.json()["PowerState"], "On");
    let body = "{\"ResetType\":\"ForceOff\"}";
    let path = "/redfish/v1/Chassis/1/Actions/Chassis.Reset";
    assert_eq!(client.send("POST", path, &[], body).await.status, 204);
    assert_eq!(client.get(SYSTEM).await.json()["PowerState"], "Off");
    client.machine.broken.store(true, Ordering::SeqCst);
    assert_eq!(
        client.reset("On").await.message(),
        "500 Base.1.18.0.InternalError"
    );
    assert_eq!(
        client.get(SYSTEM).await.json()["Status"]["Health"],
        "Critical"
    );
}

#[tokio::test]
async fn a_graceful_restart_comes_back() {
    let client = Client::new();
    client.reset("On").await;
    assert_eq!(client.reset("GracefulRestart").await.status, 204);
    assert_eq!(client.machine.acts(), ["power on", "shutdown", "power on"]);
}

#[tokio::test]
async fn boot_override() {
    let client = Client::new();
    let mut report = String::new();
    for boot in [
        "\"BootSourceOverrideTarget\":\"UefiHttp\",\"BootSourceOverrideEnabled\":\"Once\"",
        "\"BootSourceOverrideEnabled\":\"Continuous\"",
        "\"BootSourceOverrideTarget\":\"Hdd\",\"BootSourceOverrideMode\":\"Legacy\"",
        "\"BootSourceOverrideEnabled\":\"Disabled\"",
        "\"BootSourceOverrideTarget\":\"Pxe\"",
        "\"BootSourceOverrideTarget\":\"None\"",
    ] {
        let answer = client.patch(boot).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let now = &client.get(SYSTEM).await.json()["Boot"];
        report.extend([format!(
            "{boot}\n  -> {} {} {}\n",
            now["BootSourceOverrideTarget"],
            now["BootSourceOverrideEnabled"],
            now["BootSourceOverrideMode"]
        )]);
    }
    insta::assert_snapshot!(report);
}

#[tokio::test]
async fn once_is_used_up_and_continuous_is_not() {
    let client = Client::new();
    client
        .patch("\"BootSourceOverrideTarget\":\"UefiHttp\",\"BootSourceOverrideEnabled\":\"Once\"")
        .await;
    client.reset("On").await;
    let boot = client.get(SYSTEM).await.json()["Boot"].clone();
    assert_eq!(boot["BootSourceOverrideEnabled"], "Disabled");
    client
        .patch("\"BootSourceOverrideTarget\":\"Hdd\",\"BootSourceOverrideEnabled\":\"Continuous\"")
        .await;
    client.reset("ForceRestart").await;
    client.reset("ForceRestart").await;
    assert_eq!(
        client.machine.acts(),
        [
            "power on from UefiHttp Once efi=true",
            "arm",
            "arm from Hdd Continuous efi=true",
            "reset from Hdd Continuous efi=true",
            "reset from Hdd Continuous efi=true",
        ]
    );
}

#[tokio::test]
async fn other_settings() {
    let client = Client::new();
    let body = "{\"PowerRestorePolicy\":\"AlwaysOn\",\"LocationIndicatorActive\":true}";
    let answer = client.send("PATCH", SYSTEM, &[], body).await.json();
    assert_eq!(answer["PowerRestorePolicy"], "AlwaysOn");
    assert_eq!(answer["LocationIndicatorActive"], true);
}

#[tokio::test]
async fn open_to_all() {
    let mut client = Client::new();
    client.auth = None;
    for path in [
        "/redfish",
        "/redfish/",
        "/redfish/v1",
        "/redfish/v1/",
        "/redfish/v1/odata",
        "/redfish/v1/$metadata",
    ] {
        assert_eq!(client.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn sessions() {
    let mut client = Client::new();
    client.auth = None;
    let login = "{\"UserName\":\"reader\",\"Password\":\"look\"}";
    let created = client.send("POST", SESSIONS, &[], login).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let token = created.headers["x-auth-token"].to_str().expect("text");
    let location = created.headers["location"].to_str().expect("text");
    assert_eq!(created.json()["@odata.id"], location);
    let with = [("X-Auth-Token", token)];
    assert_eq!(
        client.send("GET", SYSTEM, &with, "").await.status,
        StatusCode::OK
    );
    assert_eq!(
        client.send("PATCH", SYSTEM, &with, "{}").await.status,
        StatusCode::FORBIDDEN
    );
    let list = client.send("GET", SESSIONS, &with, "").await.json();
    assert_eq!(list["Members"][0]["@odata.id"], location);
    let other = client
        .send(
            "POST",
            &format!("{SESSIONS}/Members"),
            &[],
            "{\"UserName\":\"admin\",\"Password\":\"placemat\"}",
        )
        .await;
    let others = other.headers["location"].to_str().expect("text");
    assert_eq!(
        client.send("DELETE", others, &with, "").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        client.send("DELETE", location, &with, "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        client.send("GET", SYSTEM, &with, "").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn sessions_end_with_mains_power_even_behind_a_pulled_cable() {
    let mut client = Client::new();
    client.auth = None;
    let login = "{\"UserName\":\"reader\",\"Password\":\"look\"}";
    let created = client.send("POST", SESSIONS, &[], login).await;
    let token = created.headers["x-auth-token"].to_str().expect("text");
    let with = [("X-Auth-Token", token)];
    client.bmc.set_fault(Fault::Unreachable, true);
    assert_eq!(client.send("GET", SYSTEM, &with, "").await.status, 200);
    client.bmc.mains_lost().await.expect("unplugged");
    client.bmc.mains_back().await.expect("plugged in");
    client.bmc.set_fault(Fault::Unreachable, false);
    assert_eq!(client.send("GET", SYSTEM, &with, "").await.status, 401);
    let again = client.send("POST", SESSIONS, &[], login).await;
    assert_ne!(again.headers["location"], created.headers["location"]);
}

#[tokio::test]
async fn wrong_passwords_lock_out_if_asked_for() {
    let mut client = Client::new();
    let policy = "{\"AccountLockoutThreshold\":2,\"AccountLockoutDuration\":3600,\"AccountLockoutCounterResetAfter\":3600}";
    let told = client.send("PATCH", ACCOUNTS, &[], policy).await.json();
    assert_eq!(told["AccountLockoutThreshold"], 2);
    assert_eq!(client.get(ACCOUNTS).await.json(), told);
    let reader = "/redfish/v1/AccountService/Accounts/3";
    let before = client.get(reader).await;
    assert_eq!(before.json()["Locked"], false);
    let login = |password: &str| format!("{{\"UserName\":\"reader\",\"Password\":\"{password}\"}}");
    for (password, status) in [
        ("wrong", 401),
        ("look", 201), // forgives
        ("wrong", 401),
        ("wrong", 401),
        ("look", 401),
    ] {
        let answer = client.send("POST", SESSIONS, &[], &login(password)).await;
        assert_eq!(answer.status, status, "{password}");
    }
    let after = client.get(reader).await;
    assert_eq!(after.json()["Locked"], true);
    assert_ne!(before.headers["etag"], after.headers["etag"]);
    // The others, and Basic authentication.
    for (auth, status) in [
        (ADMIN, 200),
        (READER, 401),
        (WRONG, 401),
        (WRONG, 401),
        (ADMIN, 401),
    ] {
        client.auth = Some(auth);
        assert_eq!(client.get(SYSTEM).await.status, status, "{auth}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let client = Client::new();
    let body = format!("{{\"{}\":1}}", "x".repeat(Limits::default().body));
    let answer = client.send("PATCH", SYSTEM, &[], &body).await;
    assert_eq!(answer.message(), "413 Base.1.18.0.GeneralError");
    assert!(answer.headers.contains_key("odata-version"));
}
