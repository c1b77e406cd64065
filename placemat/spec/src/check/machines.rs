//! SMBIOS serials: one node each, and every machine entry of a boot server means a node.

use super::{Once, twice};
use crate::draft::Ledger;
use crate::problem::{Findings, Problem, nearest};
use std::collections::HashMap;

pub(super) fn check(ledger: &Ledger, findings: &Findings) {
    let mut serials = Once::new();
    let mut nodes: HashMap<&str, &str> = HashMap::new();
    for (serial, owner) in &ledger.serials {
        nodes.entry(serial.as_str()).or_insert(owner);
        if let Some(first) = serials.again(serial.as_str(), serial.place, owner) {
            let message = format!("the serial {} is used twice", serial.value);
            findings.error(twice("duplicate-serial", message, serial.place, &first));
        }
    }
    let mut entries = Once::new();
    for (serial, server) in &ledger.machines {
        if let Some(first) = entries.again((server, serial.as_str()), serial.place, server) {
            findings.error(
                Problem::new(
                    "duplicate-machine",
                    format!("{server} has two entries for machine {}", serial.value),
                )
                .at(serial.place, "given again here")
                .at(first.0, "first given here"),
            );
        }
        if !nodes.contains_key(serial.as_str()) && !ledger.lost {
            let near = nearest(serial, nodes.keys().copied());
            let help = match near.and_then(|near| nodes.get_key_value(near)) {
                Some((near, owner)) => format!("did you mean `{near}`, the serial of {owner}?"),
                None => {
                    "a node's serial is its `smbios.serial`, by default the hex SHA-1 of its name"
                        .to_owned()
                }
            };
            findings.error(
                Problem::new(
                    "unknown-serial",
                    format!(
                        "{server} has an entry for serial {}, which no node has",
                        serial.value
                    ),
                )
                .at(serial.place, "no node has this serial")
                .help(help),
            );
        }
    }
}
