//! Reads `kind: Network`.

use super::{Network, NetworkType};
use crate::document::{At, Fields};
use crate::draft::{Reading, Segment};
use crate::problem::Problem;
use crate::resource::{interface, labels};
use ipnet::IpNet;

const TYPES: [(&str, NetworkType); 3] = [
    ("internal", NetworkType::Internal),
    ("external", NetworkType::External),
    ("bmc", NetworkType::Bmc),
];

pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let kind = fields
        .req("type")
        .and_then(|it| it.choice(&TYPES))
        .map(|kind| kind.value);
    let mut addresses: Vec<At<IpNet>> = fields
        .opt("address")
        .as_ref()
        .and_then(interface::address)
        .into_iter()
        .collect();
    addresses.extend(interface::addresses(fields, "addresses"));
    // 68 is the least that IPv4 allows (RFC 791), 65535 the most that a link takes.
    let mtu = fields
        .opt("mtu")
        .and_then(|it| it.integer(68..=65535_u32))
        .map(|mtu| mtu.value);
    let use_nat = fields.opt("use-nat").and_then(|it| it.boolean());
    let labels = labels::read(fields);
    if let Some(kind) = kind {
        check(kind, fields, use_nat);
    }
    for net in &addresses {
        let segment = Segment::Network(reading.name.value.clone());
        reading.draft.ledger.address(segment, *net, &reading.owner);
    }
    let network = Network {
        name: reading.name.value.clone(),
        kind: kind.unwrap_or(NetworkType::Internal),
        addresses: addresses.into_iter().map(|net| net.value).collect(),
        mtu,
        use_nat: use_nat.is_some_and(|it| it.value),
        labels,
        place: reading.place(),
    };
    reading
        .draft
        .cluster
        .networks
        .entry(network.name.clone())
        .or_insert(network);
}

/// Which keys go with which type.
fn check(kind: NetworkType, fields: &mut Fields<'_>, use_nat: Option<At<bool>>) {
    let word = TYPES
        .iter()
        .find(|(_, it)| *it == kind)
        .map_or("", |(word, _)| *word);
    let address = ["address", "addresses"]
        .into_iter()
        .find(|key| !fields.lacks(key))
        .and_then(|key| fields.key_place(key));
    let findings = fields.findings();
    match (kind, address) {
        (NetworkType::Internal, Some(place)) => findings.error(
            Problem::new(
                "conflict",
                format!(
                    "{} is internal and cannot have an address",
                    fields.describe()
                ),
            )
            .at(place, "belongs to networks of type `external` or `bmc`")
            .help("remove it, or make the network `type: external`"),
        ),
        (NetworkType::External | NetworkType::Bmc, None) => {
            let problem = Problem::new(
                "missing-key",
                format!(
                    "{} is of type {word} and has no `address`",
                    fields.describe()
                ),
            )
            .at(fields.place(), "`address` is required here")
            .help("`address` is the hub's own on this network, such as `10.72.16.1/20`");
            fields.missing(&["address", "addresses"], problem);
        }
        _ => {}
    }
    if let Some(nat) = use_nat.filter(|nat| nat.value) {
        findings.error(if kind == NetworkType::External {
            Problem::new(
                "unsupported",
                format!("`use-nat` of {} is not supported yet", fields.describe()),
            )
            .at(nat.place, "not supported yet")
            .help("remove it: a lab reaches nothing outside of it")
        } else {
            Problem::new(
                "conflict",
                format!("{} is of type {word} and cannot use NAT", fields.describe()),
            )
            .at(nat.place, "only for networks of type `external`")
        });
    }
    if let (Some(one), Some(many)) = (fields.key_place("address"), fields.key_place("addresses")) {
        findings.error(
            Problem::new(
                "conflict",
                format!("{} has both `address` and `addresses`", fields.describe()),
            )
            .at(many, "keep one of the two")
            .at(one, "the other is here"),
        );
    }
}
