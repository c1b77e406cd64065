//! SMBIOS serials: one node each; and entries of boot servers: each means nodes, no node has two of
//! its own, and what an entry asks for can reach its machines.

use super::{Once, twice};
use crate::document::At;
use crate::draft::Draft;
use crate::problem::{Findings, Problem, nearest};
use crate::resource::{BootEntry, BootMethod, BootOf, BootServer, NodeIndex};
use crate::selector::{Index, TargetKind};
use std::collections::HashMap;

pub(super) fn check(draft: &Draft, findings: &Findings) {
    let mut serials = Once::new();
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for (serial, owner) in &draft.ledger.serials {
        owners.entry(serial.as_str()).or_insert(owner);
        if let Some(first) = serials.again(serial.as_str(), serial.place, owner) {
            let message = format!("the serial {} is used twice", serial.value);
            findings.error(twice("duplicate-serial", message, serial.place, &first));
        }
    }
    if draft.cluster.boot_servers.is_empty() {
        return;
    }
    let index = NodeIndex::of(&draft.cluster);
    for server in draft.cluster.boot_servers.values() {
        for entry in &server.machines {
            // A name that seems to be missing may stand in a document that could not be read.
            if !draft.ledger.lost {
                exists(draft, server, entry, &index, &owners, findings);
            }
        }
        once(draft, server, &index, findings);
        parameters(draft, server, &index, findings);
    }
}

/// What messages call it.
fn called(server: &BootServer) -> String {
    format!("BootServer `{}`", server.name)
}

/// An entry is for nodes that there are. A node's name is looked at with all other names.
fn exists(
    draft: &Draft,
    server: &BootServer,
    entry: &BootEntry,
    index: &NodeIndex<'_>,
    owners: &HashMap<&str, &str>,
    findings: &Findings,
) {
    let server = called(server);
    match &entry.of {
        BootOf::Serial(serial) if !owners.contains_key(serial.as_str()) => {
            let near = nearest(serial, owners.keys().copied());
            let help = match near.and_then(|near| owners.get_key_value(near)) {
                Some((near, owner)) => format!("did you mean `{near}`, the serial of {owner}?"),
                None => {
                    "a node's serial is its `smbios.serial`, by default the hex SHA-1 of its name"
                        .to_owned()
                }
            };
            findings.error(
                Problem::new(
                    "unknown-serial",
                    format!("{server} has an entry for serial {serial}, which no node has"),
                )
                .at(entry.place, "no node has this serial")
                .help(help),
            );
        }
        BootOf::Mac(mac) if index.meant(&draft.cluster, &entry.of).is_empty() => {
            findings.error(
                Problem::new(
                    "unknown-mac",
                    format!("{server} has an entry for MAC {mac}, which no node's interface has"),
                )
                .at(entry.place, "given to no interface of a node")
                .help("a MAC address that the lab makes up is not known here: name the `node`"),
            );
        }
        BootOf::Nodes(selector) => {
            let all = Index::of(&draft.cluster);
            match selector.resolve_among(all.among(selector)) {
                Err(error) => {
                    findings.error(error.problem(&At::new(selector, entry.place)));
                }
                Ok(targets) => {
                    // A rack means the nodes in it.
                    let rack = selector.to_string().starts_with("rack/");
                    let other = targets.iter().find(|it| it.kind != TargetKind::Node);
                    let any = targets.iter().any(|it| it.kind == TargetKind::Node);
                    if let Some(other) = other.filter(|_| !(rack && any)) {
                        findings.error(
                            Problem::new("bad-machine", format!("{server} cannot boot {other}"))
                                .at(entry.place, "not a node")
                                .help("entries are for nodes: `node/*`, `node/role=cs`, `rack/1`"),
                        );
                    }
                }
            }
        }
        BootOf::Serial(_) | BootOf::Mac(_) | BootOf::Node(_) => {}
    }
}

/// No machine has two entries of its own.
fn once(draft: &Draft, server: &BootServer, index: &NodeIndex<'_>, findings: &Findings) {
    let mut entries = Once::new();
    let own = server
        .machines
        .iter()
        .filter(|entry| !matches!(entry.of, BootOf::Nodes(_)));
    for entry in own {
        let word = match &entry.of {
            BootOf::Serial(word) | BootOf::Node(word) => word.clone(),
            BootOf::Mac(mac) => mac.to_string(),
            BootOf::Nodes(_) => continue,
        };
        let meant = index.meant(&draft.cluster, &entry.of);
        let key = meant.first().map_or(word.clone(), |node| node.name.clone());
        if let Some(first) = entries.again(key, entry.place, "") {
            findings.error(
                Problem::new(
                    "duplicate-machine",
                    format!("{} has two entries for machine {word}", called(server)),
                )
                .at(entry.place, "given again here")
                .at(first.0, "first given here"),
            );
        }
    }
}

/// Kernel parameters are words of iPXE's script; a UKI has its own, and firmware adds none.
fn parameters(draft: &Draft, server: &BootServer, index: &NodeIndex<'_>, findings: &Findings) {
    let asked = |entry: &BootEntry| entry.kernel_params.is_some();
    if server.kernel_params.is_none() && !server.machines.iter().any(asked) {
        return;
    }
    let problem = |place, whose: &str| {
        Problem::new(
            "conflict",
            format!(
                "{} gives kernel parameters to {whose}, which boots a UKI",
                called(server)
            ),
        )
        .at(place, "reach nobody: a UKI has a command line of its own")
        .help("add `boot: ipxe`")
    };
    let recipes = server.recipes(&draft.cluster, index);
    for entry in &server.machines {
        let meant = index.meant(&draft.cluster, &entry.of);
        let Some(params) = entry
            .kernel_params
            .as_ref()
            .filter(|it| !it.value.is_empty())
        else {
            continue;
        };
        let uki = meant.iter().find(|node| {
            let recipe = recipes.get(node.name.as_str());
            recipe.is_some_and(|recipe| {
                // Those of an entry that comes first are what counts.
                let own = std::ptr::eq(recipe.kernel_params, params.value.as_slice());
                own && recipe.boot == BootMethod::Uki
            })
        });
        if let Some(node) = uki {
            findings.error(problem(params.place, &format!("node `{}`", node.name)));
        }
    }
    if let Some(params) = &server.kernel_params
        && !server.hands_out_ipxe()
    {
        findings.error(problem(params.place, "every machine"));
    }
}
