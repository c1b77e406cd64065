//! The OData service document and the metadata document (DSP0266 sections 8.4.2 and 8.4.1).

use super::Service;
use super::protocol::Methods;
use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde_json::{Value, json};
use std::fmt::Write;

/// Schemas that are served: name, and version where it has one.
const SCHEMAS: &[(&str, Option<&str>)] = &[
    ("ServiceRoot", Some("v1_15_0")),
    ("ComputerSystem", Some("v1_20_0")),
    ("ComputerSystemCollection", None),
    ("Chassis", Some("v1_23_0")),
    ("ChassisCollection", None),
    ("Manager", Some("v1_17_0")),
    ("ManagerCollection", None),
    ("LogService", Some("v1_7_0")),
    ("LogServiceCollection", None),
    ("LogEntry", Some("v1_16_0")),
    ("LogEntryCollection", None),
    ("SessionService", Some("v1_1_8")),
    ("Session", Some("v1_5_0")),
    ("SessionCollection", None),
    ("AccountService", Some("v1_13_0")),
    ("ManagerAccount", Some("v1_10_0")),
    ("ManagerAccountCollection", None),
    ("Role", Some("v1_3_1")),
    ("RoleCollection", None),
    ("Message", Some("v1_1_2")),
    ("Resource", Some("v1_14_1")),
];

pub(super) fn odata() -> Methods<Service> {
    Methods {
        allow: "GET, HEAD",
        schema: None,
        router: get(|| async { Json(service_document()) }),
    }
}

pub(super) fn csdl() -> Methods<Service> {
    let document = || async { ([(CONTENT_TYPE, "application/xml")], metadata_document()) };
    Methods {
        allow: "GET, HEAD",
        schema: None,
        router: get(document),
    }
}

fn service_document() -> Value {
    let entries = [
        "Systems",
        "Chassis",
        "Managers",
        "SessionService",
        "AccountService",
    ];
    let mut value = vec![json!({ "name": "Service", "kind": "Singleton", "url": "/redfish/v1/" })];
    value.extend(entries.map(
        |name| json!({ "name": name, "kind": "Singleton", "url": format!("/redfish/v1/{name}") }),
    ));
    value.push(json!({
        "name": "Sessions", "kind": "Singleton", "url": "/redfish/v1/SessionService/Sessions",
    }));
    json!({ "@odata.context": "/redfish/v1/$metadata", "value": value })
}

fn metadata_document() -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <edmx:Edmx xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\" Version=\"4.0\">\n",
    );
    for (schema, version) in SCHEMAS {
        let versioned = version
            .map(|version| format!("    <edmx:Include Namespace=\"{schema}.{version}\"/>\n"));
        // Writing to a string cannot fail.
        let _ = write!(
            xml,
            "  <edmx:Reference Uri=\"http://redfish.dmtf.org/schemas/v1/{schema}_v1.xml\">\n    \
             <edmx:Include Namespace=\"{schema}\"/>\n{}  </edmx:Reference>\n",
            versioned.unwrap_or_default(),
        );
    }
    xml.push_str(
        "  <edmx:DataServices>\n    \
         <Schema xmlns=\"http://docs.oasis-open.org/odata/ns/edm\" Namespace=\"Service\">\n      \
         <EntityContainer Name=\"Service\" Extends=\"ServiceRoot.v1_15_0.ServiceContainer\"/>\n    \
         </Schema>\n  </edmx:DataServices>\n</edmx:Edmx>\n",
    );
    xml
}
