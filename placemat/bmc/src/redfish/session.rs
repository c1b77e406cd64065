//! Sessions: log in by POST, log out by DELETE (DSP0266 section 13.3.4, Session schema).

use super::auth::{Caller, TOKEN};
use super::protocol::Methods;
use super::{Error, Service, body, collection as members_of};
use crate::user::Privilege;
use axum::body::Bytes;
use axum::extract::{Path, State};
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
struct Table {
    last_id: u64,
    by_id: BTreeMap<u64, Session>,
}

struct Session {
    user: String,
    token: String,
    last_heard: Instant,
}

impl Sessions {
    /// The user of the session with this token; notes that it was heard of.
    pub(super) fn user(&self, token: &str) -> Option<String> {
        let mut table = self.lock();
        let session = table
            .by_id
            .values_mut()
            .find(|session| session.token.as_bytes().ct_eq(token.as_bytes()).into())?;
        session.last_heard = Instant::now();
        Some(session.user.clone())
    }

    /// Ends all.
    pub(super) fn clear(&self) {
        self.lock().by_id.clear();
    }

    fn open(&self, user: &str) -> (u64, String) {
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("the kernel has random bytes");
        let token = format!("{:032x}", u128::from_ne_bytes(random));
        let mut table = self.lock();
        if table.by_id.len() >= CAPACITY
            && let Some((&oldest, _)) = table
                .by_id
                .iter()
                .min_by_key(|(_, session)| session.last_heard)
        {
            table.by_id.remove(&oldest);
        }
        table.last_id += 1;
        let id = table.last_id;
        let session = Session {
            user: user.to_owned(),
            token: token.clone(),
            last_heard: Instant::now(),
        };
        table.by_id.insert(id, session);
        (id, token)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table
            .by_id
            .retain(|_, session| session.last_heard.elapsed() < TIMEOUT);
        table
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
        .sessions
        .lock()
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
        .bmc
        .users()
        .authenticate(name, password)
        .ok_or_else(Error::unauthorized)?;
    let (id, token) = service.sessions.open(&user.name);
    let id = id.to_string();
    let headers = [(LOCATION.as_str(), format!("{PATH}/{id}")), (TOKEN, token)];
    Ok((StatusCode::CREATED, headers, Json(session(&id, &user.name))).into_response())
}

async fn read(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let (id, user) = service.find(&id)?;
    Ok(Json(session(&id.to_string(), &user)))
}

async fn remove(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let (id, user) = service.find(&id)?;
    if user != caller.name {
        caller.require(Privilege::Administrator)?;
    }
    service.sessions.lock().by_id.remove(&id);
    Ok(StatusCode::NO_CONTENT)
}

impl Service {
    fn find(&self, id: &str) -> Result<(u64, String), Error> {
        id.parse()
            .ok()
            .and_then(|id| Some((id, self.sessions.lock().by_id.get(&id)?.user.clone())))
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
