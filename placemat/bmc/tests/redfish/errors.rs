//! What is refused, and in which words.

use crate::client::{ACCOUNTS, Client, READER, RESET, SESSIONS, SYSTEM, WRONG};
use proptest::prelude::*;
use serde_json::{Value, json};

const ENTRY: &str = "/redfish/v1/Systems/1/LogServices/Sel/Entries/1";
const CLEAR: &str = "/redfish/v1/Systems/1/LogServices/Sel/Actions/LogService.ClearLog";

type Row = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// Requests that are refused: method, path, headers, body.
const REFUSED: &[Row] = &[
    ("GET", "/redfish/v1/Nothing", &[], ""),
    ("GET", "/redfish/v1/Systems/2", &[], ""),
    ("GET", "/redfish/v1/SessionService/Sessions/7", &[], ""),
    ("DELETE", SYSTEM, &[], ""),
    ("GET", RESET, &[], ""),
    ("POST", "/redfish/v1/Chassis", &[], "{}"),
    ("GET", SYSTEM, &[("OData-Version", "3.0")], ""),
    ("GET", "/redfish/v1/Systems?$expand=.", &[], ""),
    ("PATCH", SYSTEM, &[], "{"),
    ("PATCH", SYSTEM, &[], "[]"),
    ("PATCH", SYSTEM, &[], "{\"Colour\":\"red\"}"),
    ("PATCH", SYSTEM, &[], "{\"UUID\":\"x\"}"),
    ("PATCH", SYSTEM, &[], "{\"Boot\":1}"),
    ("PATCH", SYSTEM, &[], "{\"Boot\":{\"Colour\":\"red\"}}"),
    (
        "PATCH",
        SYSTEM,
        &[],
        "{\"Boot\":{\"BootSourceOverrideTarget\":\"Tape\"}}",
    ),
    (
        "PATCH",
        SYSTEM,
        &[],
        "{\"Boot\":{\"BootSourceOverrideTarget\":7}}",
    ),
    (
        "PATCH",
        SYSTEM,
        &[],
        "{\"Boot\":{\"BootSourceOverrideEnabled\":\"Once\"}}",
    ),
    (
        "PATCH",
        SYSTEM,
        &[],
        "{\"Boot\":{\"BootSourceOverrideEnabled\":\"Continuous\"}}",
    ),
    (
        "PATCH",
        SYSTEM,
        &[],
        "{\"Boot\":{\"BootSourceOverrideMode\":\"Legacy\"}}",
    ),
    (
        "PATCH",
        SYSTEM,
        &[],
        "{\"LocationIndicatorActive\":\"yes\"}",
    ),
    ("GET", ENTRY, &[], ""),
    ("GET", "/redfish/v1/AccountService/Roles/%ff", &[], ""),
    ("DELETE", "/redfish/v1/SessionService/Sessions/%ff", &[], ""),
    ("POST", CLEAR, &[], "{\"Colour\":\"red\"}"),
    ("PATCH", ACCOUNTS, &[], "{\"AccountLockoutThreshold\":256}"),
    (
        "PATCH",
        ACCOUNTS,
        &[],
        "{\"AccountLockoutThreshold\":\"3\"}",
    ),
    ("PATCH", ACCOUNTS, &[], "{\"AccountLockoutDuration\":-1}"),
    ("PATCH", ACCOUNTS, &[], "{\"AccountLockoutDuration\":5}"),
    (
        "PATCH",
        ACCOUNTS,
        &[],
        "{\"AccountLockoutCounterResetAfter\":31}",
    ),
    ("PATCH", ACCOUNTS, &[], "{\"MaxPasswordLength\":30}"),
    ("PATCH", ACCOUNTS, &[], "{\"Colour\":\"red\"}"),
    ("POST", RESET, &[], ""),
    ("POST", RESET, &[], "{\"ResetType\":\"Explode\"}"),
    ("POST", RESET, &[], "{\"ResetType\":\"On\",\"Delay\":1}"),
    ("POST", RESET, &[], "{\"ResetType\":\"ForceRestart\"}"),
    ("POST", SESSIONS, &[], "{\"UserName\":\"admin\"}"),
    (
        "POST",
        SESSIONS,
        &[],
        "{\"UserName\":\"admin\",\"Password\":\"wrong\"}",
    ),
];

#[tokio::test]
async fn errors() {
    let mut client = Client::new();
    let mut report = String::new();
    for (method, path, headers, body) in REFUSED {
        let answer = client.send(method, path, headers, body).await;
        let allow = answer
            .headers
            .get("allow")
            .map(|allow| allow.to_str().expect("text"));
        let body = answer.json();
        let info = &body["error"]["@Message.ExtendedInfo"][0];
        report.extend([format!(
            "{method} {path} {body}\n  {} {} {}\n  Allow: {}\n",
            answer.status.as_u16(),
            info["MessageId"].as_str().expect("an id"),
            info["Message"].as_str().expect("a message"),
            allow.unwrap_or("-"),
            body = if headers.is_empty() {
                ""
            } else {
                "(with headers)"
            },
        )]);
    }
    for (auth, method, path) in [
        (None, "GET", SYSTEM),
        (Some(WRONG), "GET", SYSTEM),
        (Some("Bearer x"), "GET", SYSTEM),
        (Some("Basic !"), "GET", "/redfish/v1/Nothing"),
        (Some(READER), "POST", RESET),
        (Some(READER), "PATCH", SYSTEM),
        (Some(READER), "PATCH", ACCOUNTS),
        (Some(READER), "POST", CLEAR),
    ] {
        client.auth = auth;
        let answer = client.send(method, path, &[], "{}").await;
        let challenge = answer.headers.contains_key("www-authenticate");
        report.extend([format!(
            "{auth:?} {method} {path}\n  {} challenge: {challenge}\n",
            answer.message()
        )]);
    }
    insta::assert_snapshot!(report);
}

/// Values of every kind, small ones more often.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..300u16).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec!["Once", "None", "Cd", "Legacy", "UEFI", "AlwaysOn"])
            .prop_map(Value::from),
        prop::collection::vec(any::<bool>(), 0..3).prop_map(Value::from),
    ]
}

const PROPERTIES: [&str; 12] = [
    "Boot",
    "BootSourceOverrideTarget",
    "BootSourceOverrideEnabled",
    "BootSourceOverrideMode",
    "PowerRestorePolicy",
    "LocationIndicatorActive",
    "AccountLockoutThreshold",
    "AccountLockoutDuration",
    "AccountLockoutCounterResetAfter",
    "ResetType",
    "UserName",
    "Password",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_body_gets_an_answer(
        properties in prop::collection::btree_map(prop::sample::select(PROPERTIES.to_vec()), any_value(), 0..4),
        junk: Vec<u8>,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let client = Client::new();
            let plain = json!(properties).to_string();
            let boot = json!({ "Boot": properties }).to_string();
            let junk = String::from_utf8_lossy(&junk).into_owned();
            for (method, path) in [
                ("PATCH", SYSTEM),
                ("PATCH", ACCOUNTS),
                ("POST", RESET),
                ("POST", SESSIONS),
                ("POST", CLEAR),
            ] {
                for body in [&plain, &boot, &junk] {
                    let status = client.send(method, path, &[], body).await.status;
                    assert!(!status.is_server_error(), "{method} {path} {body}: {status}");
                }
            }
        });
    }
}
