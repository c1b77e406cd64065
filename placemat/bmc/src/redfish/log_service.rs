//! The event log, which IPMI shows too (LogService and LogEntry schemas).

use super::auth::Caller;
use super::protocol::{Id, Methods};
use super::{Error, Service, body, collection as members_of, link};
use crate::sel::{CAPACITY, Record, Sel};
use crate::user::Privilege;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json};
use serde_json::{Value, json};

/// Path of the collection of logs.
pub(super) const COLLECTION: &str = "/redfish/v1/Systems/1/LogServices";
const PATH: &str = "/redfish/v1/Systems/1/LogServices/Sel";
const CLEAR: &str = "LogService.ClearLog";

pub(super) fn collection() -> Methods<Service> {
    let read = || async {
        let ids = ["Sel".to_owned()];
        Json(members_of(
            "LogService",
            COLLECTION,
            "Log Service Collection",
            &ids,
        ))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("LogServiceCollection"),
        router: get(read),
    }
}

pub(super) fn routes() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD",
        schema: Some("LogService"),
        router: get(read),
    }
}

pub(super) fn clear() -> Methods<Service> {
    Methods {
        allow: "POST",
        schema: None,
        router: post(clear_log),
    }
}

/// The entries, whole (section 9.5.11 lets members be expanded).
pub(super) fn entries() -> Methods<Service> {
    let read = |State(service): State<Service>| async move {
        let entries: Vec<Value> = service
            .bmc
            .sel(|sel, _| sel.records().iter().map(entry).collect());
        let mut body = members_of("LogEntry", &format!("{PATH}/Entries"), "Event Log", &[]);
        body["Members@odata.count"] = entries.len().into();
        body["Members"] = entries.into();
        Json(body)
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("LogEntryCollection"),
        router: get(read),
    }
}

pub(super) fn one() -> Methods<Service> {
    let read = |State(service): State<Service>, Id(id): Id| async move {
        let entry = service.bmc.sel(|sel, _| {
            let mut records = sel.records().iter();
            records
                .find(|record| record.id.to_string() == id)
                .map(entry)
        });
        entry
            .map(Json)
            .ok_or_else(|| Error::missing(&format!("{PATH}/Entries/{id}")))
    };
    Methods {
        allow: "GET, HEAD",
        schema: Some("LogEntry"),
        router: get(read),
    }
}

async fn read(State(service): State<Service>) -> Json<Value> {
    let (now, full) = service
        .bmc
        .sel(|sel, now| (sel.time(now), sel.has_overflowed()));
    Json(json!({
        "@odata.id": PATH,
        "@odata.type": "#LogService.v1_7_0.LogService",
        "Id": "Sel",
        "Name": "System Event Log",
        "LogEntryType": "SEL",
        "MaxNumberOfRecords": CAPACITY,
        "OverWritePolicy": "NeverOverWrites",
        "DateTime": date(now),
        "DateTimeLocalOffset": "+00:00",
        "ServiceEnabled": true,
        "Status": { "State": "Enabled", "Health": if full { "Warning" } else { "OK" } },
        "Entries": link(&format!("{PATH}/Entries")),
        "Actions": {
            "#LogService.ClearLog": { "target": format!("{PATH}/Actions/{CLEAR}") },
        },
    }))
}

async fn clear_log(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    bytes: Bytes,
) -> Result<StatusCode, Error> {
    caller.require(Privilege::Operator)?;
    if let Some(unknown) = body::object(&bytes)?.keys().next() {
        return Err(Error::parameter_unknown(CLEAR, unknown));
    }
    service.bmc.sel(Sel::clear);
    Ok(StatusCode::NO_CONTENT)
}

fn entry(record: &Record) -> Value {
    let id = record.id;
    let mut entry = json!({
        "@odata.id": format!("{PATH}/Entries/{id}"),
        "@odata.type": "#LogEntry.v1_16_0.LogEntry",
        "Id": id.to_string(),
        "Name": format!("Log Entry {id}"),
        "EntryType": "SEL",
    });
    if let Some(time) = record.time() {
        entry["Created"] = date(time).into();
    }
    if let Some(event) = record.event() {
        entry["EntryCode"] = if event.deasserted {
            "Deassert"
        } else {
            "Assert"
        }
        .into();
        entry["SensorNumber"] = event.sensor.into();
        entry["Message"] = event.words().into();
        entry["Severity"] = if event.is_trouble() { "Critical" } else { "OK" }.into();
    } else {
        let hex: Vec<String> = record
            .body
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        entry["Message"] = format!("record {}", hex.join(" ")).into();
        entry["Severity"] = "OK".into();
    }
    entry
}

/// Seconds since 1970 as Redfish writes a date (DSP0266 section 9.3.5).
fn date(seconds: u32) -> String {
    jiff::Timestamp::from_second(seconds.into())
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
