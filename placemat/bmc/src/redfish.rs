//! Redfish (DSP0266): resources, one file each, and one line each in [`Service::router`]. What is
//! linked is served, what is not served is not linked.

mod account_service;
mod auth;
mod body;
mod boot;
mod chassis;
mod error;
mod log_service;
mod manager;
mod metadata;
mod protocol;
mod reset;
mod service_root;
mod session;
mod session_service;
mod system;

pub use error::Error;

use crate::bmc::Bmc;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_request};
use protocol::resource;
use serde_json::{Value, json};
use session::Sessions;
use std::sync::Arc;
use std::time::Duration;

/// What a client may take up of a BMC: it is small, and many of them share a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a client may take for its handshake, for the head of a request (and between two
    /// requests), and for the body.
    pub patience: Duration,
    /// How long a connection may last. One that is in use then ends with the answer under way.
    pub lifetime: Duration,
    /// Connections at a time. Further ones wait, as for a host that is busy.
    pub connections: usize,
    /// Bytes in the body of a request.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
            lifetime: Duration::from_secs(600),
            connections: 64,
            body: 64 * 1024,
        }
    }
}

/// Name of the one system, chassis and manager in their collections.
const ID: &str = "1";

/// The Redfish service of one BMC. Clones are the same service.
#[derive(Clone)]
pub struct Service {
    bmc: Bmc,
    sessions: Arc<Sessions>,
}

impl Service {
    /// A service without sessions.
    pub fn new(bmc: Bmc) -> Self {
        Self {
            bmc,
            sessions: Arc::default(),
        }
    }

    /// All resources, as an HTTP service. No TLS in here.
    pub fn router(&self) -> Router {
        let resources = Router::new()
            .route("/redfish", resource(service_root::versions()))
            .route("/redfish/v1/", resource(service_root::routes()))
            .route("/redfish/v1/odata", resource(metadata::odata()))
            .route("/redfish/v1/$metadata", resource(metadata::csdl()))
            .route("/redfish/v1/Systems", resource(system::collection()))
            .route("/redfish/v1/Systems/1", resource(system::routes()))
            .route(
                "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
                resource(reset::system()),
            )
            .route(log_service::COLLECTION, resource(log_service::collection()))
            .route(
                "/redfish/v1/Systems/1/LogServices/Sel",
                resource(log_service::routes()),
            )
            .route(
                "/redfish/v1/Systems/1/LogServices/Sel/Actions/LogService.ClearLog",
                resource(log_service::clear()),
            )
            .route(
                "/redfish/v1/Systems/1/LogServices/Sel/Entries",
                resource(log_service::entries()),
            )
            .route(
                "/redfish/v1/Systems/1/LogServices/Sel/Entries/{id}",
                resource(log_service::one()),
            )
            .route("/redfish/v1/Chassis", resource(chassis::collection()))
            .route("/redfish/v1/Chassis/1", resource(chassis::routes()))
            .route(
                "/redfish/v1/Chassis/1/Actions/Chassis.Reset",
                resource(reset::chassis()),
            )
            .route("/redfish/v1/Managers", resource(manager::collection()))
            .route("/redfish/v1/Managers/1", resource(manager::routes()))
            .route(
                "/redfish/v1/SessionService",
                resource(session_service::routes()),
            )
            .route(
                "/redfish/v1/SessionService/Sessions",
                resource(session::collection()),
            )
            .route(
                "/redfish/v1/SessionService/Sessions/Members",
                resource(session::members()),
            )
            .route(
                "/redfish/v1/SessionService/Sessions/{id}",
                resource(session::routes()),
            )
            .route(
                "/redfish/v1/AccountService",
                resource(account_service::routes()),
            )
            .route(
                "/redfish/v1/AccountService/Accounts",
                resource(account_service::accounts()),
            )
            .route(
                "/redfish/v1/AccountService/Accounts/{id}",
                resource(account_service::account()),
            )
            .route(
                "/redfish/v1/AccountService/Roles",
                resource(account_service::roles()),
            )
            .route(
                "/redfish/v1/AccountService/Roles/{id}",
                resource(account_service::role()),
            )
            .fallback(protocol::not_found)
            // Inside of the next layer: whoever has no name sends no body, but to log in.
            .layer(from_fn_with_state(self.clone(), body::read))
            .layer(from_fn_with_state(self.clone(), auth::check))
            .layer(from_fn(protocol::check))
            .with_state(self.clone());
        // Around the routes, so that it comes before the choice of one.
        Router::new()
            .fallback_service(resources)
            .layer(map_request(protocol::trim_path))
    }
}

/// A collection (DSP0266 section 9.5.11).
fn collection(kind: &str, path: &str, name: &str, members: &[String]) -> Value {
    let links: Vec<Value> = members
        .iter()
        .map(|id| link(&format!("{path}/{id}")))
        .collect();
    json!({
        "@odata.id": path,
        "@odata.type": format!("#{kind}Collection.{kind}Collection"),
        "Name": name,
        "Members": links,
        "Members@odata.count": members.len(),
    })
}

fn link(path: &str) -> Value {
    json!({ "@odata.id": path })
}
