//! References: what one resource names of another must exist, and be fit for its use.

use crate::draft::{Draft, Kind, Ledger, Reference, Segment, Want};
use crate::problem::{Findings, Problem, suggestion};
use crate::resource::ImageSource;
use std::collections::{HashMap, HashSet};

pub(super) fn check(draft: &Draft, findings: &Findings) {
    let ledger = &draft.ledger;
    let mut declared: HashMap<Kind, HashSet<&str>> = HashMap::new();
    for it in &ledger.names {
        declared
            .entry(it.kind)
            .or_default()
            .insert(it.name.as_str());
    }
    for reference in &ledger.references {
        let kinds = kinds(reference.want);
        let name = reference.name.as_str();
        if kinds
            .iter()
            .any(|kind| declared.get(kind).is_some_and(|names| names.contains(name)))
        {
            if let Want::Bundle(why) = reference.want {
                bundle(draft, reference, why, findings);
            }
            continue;
        }
        findings.error(dangling(ledger, reference, kinds));
    }
    unused(ledger, findings);
}

fn kinds(want: Want) -> &'static [Kind] {
    match want {
        Want::Network => &[Kind::Network],
        Want::Image | Want::Bundle(_) => &[Kind::Image],
        Want::DeviceClass => &[Kind::DeviceClass],
        Want::DataFolder => &[Kind::DataFolder],
        Want::Dependency => &[Kind::Node, Kind::Router, Kind::BootServer],
        Want::Node => &[Kind::Node],
    }
}

fn dangling(ledger: &Ledger, reference: &Reference, kinds: &[Kind]) -> Problem {
    let name = &reference.name;
    let (code, what, introduction) = match reference.want {
        Want::Network => ("unknown-network", "network", "networks are"),
        Want::Image | Want::Bundle(_) => ("unknown-image", "image", "images are"),
        Want::DeviceClass => ("unknown-device-class", "device class", "device classes are"),
        Want::DataFolder => ("unknown-data-folder", "data folder", "data folders are"),
        Want::Dependency => ("unknown-dependency", "machine", "machines are"),
        Want::Node => ("unknown-node", "node", "nodes are"),
    };
    let of_kind: Vec<&str> = ledger
        .names
        .iter()
        .filter(|it| kinds.contains(&it.kind))
        .map(|it| it.name.as_str())
        .collect();
    let problem = Problem::new(
        code,
        format!(
            "{} refers to {what} `{}`, which does not exist",
            reference.by, name.value
        ),
    )
    .at(name.place, format!("no {what} has this name"));
    // The name of something else is a better hint than a similar name.
    match ledger.names.iter().find(|it| it.name.value == name.value) {
        Some(other) => problem
            .at(other.name.place, format!("this is {}", other.kind.a_word()))
            .help(suggestion(name, introduction, &of_kind)),
        None => problem.help(suggestion(name, introduction, &of_kind)),
    }
}

fn bundle(draft: &Draft, reference: &Reference, why: &str, findings: &Findings) {
    let Some(image) = draft.cluster.images.get(reference.name.as_str()) else {
        return;
    };
    if !matches!(image.source, ImageSource::Bundle(_)) {
        findings.error(
            Problem::new(
                "not-a-bundle",
                format!(
                    "{} needs a bundle, and image `{}` is a disk image",
                    reference.by, image.name
                ),
            )
            .at(reference.name.place, "must name an image with `bundle`")
            .at(image.place, "a disk image")
            .help(why),
        );
    }
}

/// A network that nothing is plugged into is probably a name mistyped elsewhere. One with an address
/// is left alone: it may hold BMCs, or be there for the hub.
fn unused(ledger: &Ledger, findings: &Findings) {
    let mut used: HashSet<&str> = ledger
        .interfaces
        .iter()
        .map(|it| it.network.as_str())
        .collect();
    used.extend(ledger.addresses.iter().filter_map(|it| match &it.segment {
        Segment::Network(name) => Some(name.as_str()),
        Segment::Loopback | Segment::Bmc => None,
    }));
    for network in ledger.names.iter().filter(|it| it.kind == Kind::Network) {
        if !used.contains(network.name.as_str()) {
            findings.warning(
                Problem::new(
                    "unused-network",
                    format!("nothing is plugged into network `{}`", network.name.value),
                )
                .at(network.name.place, "no interface names it"),
            );
        }
    }
}
