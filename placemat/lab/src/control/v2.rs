//! placemat v2's HTTP API, for scripts and tools that speak it:
//!
//! | request | answer |
//! |---|---|
//! | `GET /nodes` | every node, in file order |
//! | `GET /nodes/NAME` | one node |
//! | `POST /nodes/NAME/start`, `stop`, `restart` | power on, power off, reset |
//!
//! 404: no such node; 400: no such action; 500: it did not work. Bodies are as v2's, and where v2 had
//! none, of an error, `{"error": ...}`. Nobody is asked who they are: listen on loopback.
//!
//! Unlike v2, `stop` pulls the plug and `start` is a boot: a guest that powered itself off can be
//! started, and starting what runs does nothing. Nodes without a serial of their own are told apart.

use crate::lab::Lab;
use crate::server::Server;
use axum::Json;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use placemat_spec::event::BootPhase;
use placemat_spec::power::PowerAction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Header of every answer: the lab's run directory on the host, where its control socket is.
pub const RUN_DIR_HEADER: &str = "placemat-run-dir";

/// What the API tells besides the lab itself.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// The lab's run directory, as the host sees it.
    pub run_dir: PathBuf,
    /// Folder of the consoles' sockets, where there are some.
    pub sockets: Option<PathBuf>,
}

/// A node as v2 describes it. Field names and types are v2's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// TAP devices in the hub, by network.
    taps: BTreeMap<String, String>,
    volumes: Vec<String>,
    /// Number of CPUs.
    cpu: u32,
    /// As QEMU takes it: `512M`, `2G`.
    memory: String,
    uefi: bool,
    tpm: bool,
    smbios: Smbios,
    /// `On` or `Off`.
    power_status: String,
    /// Unix socket of its serial console, or nothing.
    socket_path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Smbios {
    manufacturer: String,
    product: String,
    serial: String,
}

struct Api {
    lab: Lab,
    options: ApiOptions,
    /// TAP devices by node and network.
    taps: BTreeMap<String, BTreeMap<String, String>>,
}

/// Path of the console socket of a node in a folder of them.
pub fn socket_path(folder: &Path, node: &str) -> PathBuf {
    folder.join(format!("{node}.socket"))
}

/// Serves the API on a listener, which may be of any network namespace, until `cancel`.
pub async fn serve(
    listener: TcpListener,
    lab: Lab,
    options: ApiOptions,
    cancel: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let header = HeaderValue::from_str(&options.run_dir.to_string_lossy()).ok();
    let api = Arc::new(Api {
        taps: taps(&lab),
        lab,
        options,
    });
    let app = Router::new()
        .route("/nodes", get(list))
        .route("/nodes/{name}", get(show))
        .route("/nodes/{name}/{action}", post(act))
        .with_state(api)
        .layer(axum::middleware::map_response(
            move |mut answer: Response| {
                if let Some(run_dir) = &header {
                    answer.headers_mut().insert(RUN_DIR_HEADER, run_dir.clone());
                }
                std::future::ready(answer)
            },
        ));
    cancel
        .run_until_cancelled(axum::serve(listener, app).into_future())
        .await
        .unwrap_or(Ok(()))
}

/// A second NIC on the same network is told with its interface behind it.
fn taps(lab: &Lab) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut nodes: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    // By the names that they have: a lab that was changed keeps those of links that stayed.
    for tap in lab.wiring().plan().taps.clone() {
        let taps = nodes.entry(tap.end.target.name).or_default();
        let network = if taps.contains_key(&tap.bridge) {
            format!("{}:{}", tap.bridge, tap.end.interface)
        } else {
            tap.bridge
        };
        taps.insert(network, tap.name);
    }
    nodes
}

impl Api {
    fn node(&self, server: &Server) -> NodeStatus {
        let node = server.node();
        let words = |text: &Option<String>| text.clone().unwrap_or_default();
        // A mock or a namespace has no console.
        let socket = self.options.sockets.as_deref();
        let socket = socket.filter(|_| server.body().machine().is_some());
        NodeStatus {
            name: node.name.clone(),
            taps: self.taps.get(&node.name).cloned().unwrap_or_default(),
            volumes: node.volumes.iter().map(|it| it.name.clone()).collect(),
            cpu: node.cpu.count,
            memory: memory(node.memory.mib),
            uefi: node.firmware.uefi,
            tpm: node.devices.tpm.is_some(),
            smbios: Smbios {
                manufacturer: words(&node.smbios.manufacturer),
                product: words(&node.smbios.product),
                serial: node.smbios.serial.clone(),
            },
            power_status: if is_on(server) { "On" } else { "Off" }.into(),
            socket_path: socket
                .map(|folder| socket_path(folder, &node.name).display().to_string())
                .unwrap_or_default(),
        }
    }
}

fn is_on(server: &Server) -> bool {
    server.track().phase() != BootPhase::Off
}

fn memory(mib: u64) -> String {
    if mib.is_multiple_of(1024) {
        format!("{}G", mib / 1024)
    } else {
        format!("{mib}M")
    }
}

async fn list(State(api): State<Arc<Api>>) -> Json<Vec<NodeStatus>> {
    Json(
        api.lab
            .servers()
            .iter()
            .map(|server| api.node(server))
            .collect(),
    )
}

async fn show(State(api): State<Arc<Api>>, UrlPath(name): UrlPath<String>) -> Response {
    match api.lab.server(&name) {
        Some(server) => Json(api.node(&server)).into_response(),
        None => no_node(&name),
    }
}

async fn act(
    State(api): State<Arc<Api>>,
    UrlPath((name, action)): UrlPath<(String, String)>,
) -> Response {
    let Some(server) = api.lab.server(&name) else {
        return no_node(&name);
    };
    let action = match action.as_str() {
        "stop" => PowerAction::ForceOff,
        "restart" if is_on(&server) => PowerAction::ForceRestart,
        // As in v2, a restart makes what was stopped run.
        "start" | "restart" => PowerAction::On,
        _ => {
            let error = format!("no action `{action}`: start, stop, restart");
            return refusal(StatusCode::BAD_REQUEST, &error);
        }
    };
    match api.lab.power(&server.target(), action, "api").await {
        Ok(()) => Json(json!(null)).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.message),
    }
}

fn no_node(name: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, &format!("no node `{name}`"))
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_in_v2s_words() {
        let node = NodeStatus {
            name: "boot-0".into(),
            taps: BTreeMap::from([("r0-node1".into(), "_tap1".into())]),
            volumes: vec!["root".into(), "seed".into()],
            cpu: 2,
            memory: memory(2048),
            uefi: false,
            tpm: true,
            smbios: Smbios {
                manufacturer: String::new(),
                product: "vm".into(),
                serial: "fb8f2417".into(),
            },
            power_status: "On".into(),
            socket_path: socket_path(Path::new("/tmp"), "boot-0")
                .display()
                .to_string(),
        };
        insta::assert_snapshot!(serde_json::to_string_pretty(&node).expect("JSON"));
        assert_eq!(memory(1536), "1536M");
    }
}
