//! Redfish: every resource as it is read, actions, overrides, sessions and errors. Against the
//! router in memory; and over TLS with the real `curl`.

mod support;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use placemat_bmc::fault::Fault;
use placemat_bmc::redfish::Service;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use support::{Board, Machine, have};
use tower::ServiceExt;

/// `admin:placemat`, `reader:look`, `admin:wrong`.
const ADMIN: &str = "Basic YWRtaW46cGxhY2VtYXQ=";
const READER: &str = "Basic cmVhZGVyOmxvb2s=";
const WRONG: &str = "Basic YWRtaW46d3Jvbmc=";
const SYSTEM: &str = "/redfish/v1/Systems/1";
const RESET: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

struct Client {
    machine: Arc<Machine>,
    router: Router,
    auth: Option<&'static str>,
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    fn message(&self) -> String {
        let body = self.json();
        let info = &body["error"]["@Message.ExtendedInfo"][0];
        format!(
            "{} {}",
            self.status.as_u16(),
            info["MessageId"].as_str().expect("an id")
        )
    }
}

impl Client {
    fn new() -> Self {
        let machine = Arc::new(Machine::default());
        let router = Service::new(support::bmc(&machine)).router();
        Self {
            machine,
            router,
            auth: Some(ADMIN),
        }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(auth) = self.auth {
            request = request.header("Authorization", auth);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(bytes.to_vec()).expect("text"),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    async fn reset(&self, kind: &str) -> Answer {
        self.send("POST", RESET, &[], &format!("{{\"ResetType\":\"{kind}\"}}"))
            .await
    }

    async fn patch(&self, boot: &str) -> Answer {
        self.send("PATCH", SYSTEM, &[], &format!("{{\"Boot\":{{{boot}}}}}"))
            .await
    }
}

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
async fn errors() {
    let mut client = Client::new();
    let mut report = String::new();
    for (method, path, headers, body) in [
        ("GET", "/redfish/v1/Nothing", &[][..], ""),
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
            "{\"LocationIndicatorActive\":\"yes\"}",
        ),
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
    ] {
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

#[test]
fn over_tls_with_curl() {
    if !have("curl") {
        return;
    }
    let board = Board::start();
    let (status, body) = board.curl(&[], "/redfish/v1/Systems/1");
    assert_eq!(status, "200");
    assert!(body.contains("\"PowerState\":\"Off\""), "{body}");
    let reset = |kind: &str| {
        board
            .curl(
                &["-X", "POST", "-d", &format!("{{\"ResetType\":\"{kind}\"}}")],
                RESET,
            )
            .0
    };
    assert_eq!(reset("On"), "204");
    assert_eq!(reset("ForceRestart"), "204");
    let boot = "{\"Boot\":{\"BootSourceOverrideTarget\":\"UefiHttp\",\"BootSourceOverrideEnabled\":\"Once\"}}";
    assert_eq!(board.curl(&["-X", "PATCH", "-d", boot], SYSTEM).0, "200");
    assert_eq!(reset("PowerCycle"), "204");
    assert_eq!(
        board.machine.acts(),
        [
            "power on",
            "reset",
            "arm from UefiHttp Once efi=true",
            "power off",
            "power on from UefiHttp Once efi=true",
            "arm"
        ]
    );
    board.bmc.set_fault(Fault::Unreachable, true);
    assert_eq!(board.curl(&["--max-time", "1"], SYSTEM).0, "000");
    board.bmc.set_fault(Fault::Unreachable, false);
    assert_eq!(board.curl(&[], SYSTEM).0, "200");
}

#[test]
fn the_certificate_is_the_authoritys() {
    if !have("curl") {
        return;
    }
    let board = Board::start();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, board.authority.pem()).expect("written");
    let output = std::process::Command::new("curl")
        .args(["-s", "--noproxy", "*", "--cacert"])
        .arg(&path)
        .arg(format!("https://127.0.0.1:{}/redfish", board.https))
        .output()
        .expect("curl runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "{\"v1\":\"/redfish/v1/\"}",
        "{output:?}"
    );
}
