//! Sessions: log in by POST, log out by DELETE (DSP0266 section 13.3.4, Session schema).

use super::auth::{Caller, TOKEN};
use super::protocol::{Id, Methods};
use super::{Error, Service, body, collection as members_of};
use crate::user::Privilege;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

const PATH: &str = "/redfish/v1/SessionService/Sessions";
/// A session that is silent for this long is gone.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1800);
/// Sessions that are kept; a new one pushes out the one that was silent the longest.
const CAPACITY: usize = 64;

/// All sessions of a service.
#[derive(Default)]
pub(super) struct Sessions {
    table: Mutex<Table>,
}

#[derive(Default)]
pub(super) struct Table {
    last_id: u64,
    by_id: BTreeMap<u64, Session>,
    /// The number of losses of mains power that these sessions have seen.
    mains_losses: u32,
}

struct Session {
    user: String,
    token: String,
    last_heard: Instant,
}

impl Sessions {
    /// The sessions that live: none that was silent for too long, and none from before a loss of
    /// mains power, of which there have been `mains_losses`.
    fn lock(&self, mains_losses: u32) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.mains_losses != mains_losses {
            table.mains_losses = mains_losses;
            table.by_id.clear();
        }
        table
            .by_id
            .retain(|_, session| session.last_heard.elapsed() < TIMEOUT);
        table
    }
}

impl Table {
    /// The user of the session with this token; notes that it was heard of.
    pub(super) fn user(&mut self, token: &str) -> Option<String> {
        let session = self
            .by_id
            .values_mut()
            .find(|session| session.token.as_bytes().ct_eq(token.as_bytes()).into())?;
        session.last_heard = Instant::now();
        Some(session.user.clone())
    }

    fn open(&mut self, user: &str) -> (u64, String) {
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("the kernel has random bytes");
        let token = format!("{:032x}", u128::from_ne_bytes(random));
        if self.by_id.len() >= CAPACITY
            && let Some((&oldest, _)) = self
                .by_id
                .iter()
                .min_by_key(|(_, session)| session.last_heard)
        {
            self.by_id.remove(&oldest);
        }
        self.last_id += 1;
        let id = self.last_id;
        let session = Session {
            user: user.to_owned(),
            token: token.clone(),
            last_heard: Instant::now(),
        };
        self.by_id.insert(id, session);
        (id, token)
    }
}

pub(super) fn collection() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD, POST",
        schema: Some("SessionCollection"),
        router: get(list).post(create),
    }
}

/// Some clients post to the collection's `Members` (section 7.8.1).
pub(super) fn members() -> Methods<Service> {
    Methods {
        allow: "POST",
        schema: Some("SessionCollection"),
        router: post(create),
    }
}

pub(super) fn routes() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD, DELETE",
        schema: Some("Session"),
        router: get(read).delete(remove),
    }
}

async fn list(State(service): State<Service>) -> Json<Value> {
    let ids: Vec<String> = service
        .sessions()
        .by_id
        .keys()
        .map(u64::to_string)
        .collect();
    Json(members_of("Session", PATH, "Session Collection", &ids))
}

async fn create(State(service): State<Service>, bytes: Bytes) -> Result<Response, Error> {
    let body = body::object(&bytes)?;
    let property = |name: &str| {
        let value = body
            .get(name)
            .ok_or_else(|| Error::property_missing(name))?;
        body::string(value, name)
    };
    let (name, password) = (property("UserName")?, property("Password")?);
    let user = service
        .log_in(name, password)
        .ok_or_else(Error::unauthorized)?;
    let (id, token) = service.sessions().open(&user.name);
    let id = id.to_string();
    let headers = [(LOCATION.as_str(), format!("{PATH}/{id}")), (TOKEN, token)];
    Ok((StatusCode::CREATED, headers, Json(session(&id, &user.name))).into_response())
}

async fn read(State(service): State<Service>, Id(id): Id) -> Result<Json<Value>, Error> {
    let (id, user) = service.find(&id)?;
    Ok(Json(session(&id.to_string(), &user)))
}

async fn remove(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    let (id, user) = service.find(&id)?;
    if user != caller.name {
        caller.require(Privilege::Administrator)?;
    }
    service.sessions().by_id.remove(&id);
    Ok(StatusCode::NO_CONTENT)
}

impl Service {
    /// The sessions that live now.
    pub(super) fn sessions(&self) -> MutexGuard<'_, Table> {
        self.sessions.lock(self.bmc.chassis().mains_losses)
    }

    fn find(&self, id: &str) -> Result<(u64, String), Error> {
        id.parse()
            .ok()
            .and_then(|id| Some((id, self.sessions().by_id.get(&id)?.user.clone())))
            .ok_or_else(|| Error::missing(&format!("{PATH}/{id}")))
    }
}

fn session(id: &str, user: &str) -> Value {
    json!({
        "@odata.id": format!("{PATH}/{id}"),
        "@odata.type": "#Session.v1_5_0.Session",
        "Id": id,
        "Name": format!("Session {id}"),
        "UserName": user,
        "Password": null,
    })
}
