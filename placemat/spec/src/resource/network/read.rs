//! Reads `kind: Network`.

use super::{Network, NetworkType};
use crate::document::{At, Fields, Item};
use crate::draft::{Reading, Segment};
use crate::problem::Problem;
use crate::resource::{impair, interface, labels};
use crate::value::{parse_bridge_address, parse_interface_address};
use ipnet::IpNet;

pub(super) const TYPES: [(&str, NetworkType); 3] = [
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
        .and_then(bridge_address)
        .into_iter()
        .collect();
    addresses.extend(interface::addresses(fields, "addresses"));
    // 68 is the least that IPv4 allows (RFC 791), 65535 the most that a link takes.
    let mtu = fields
        .opt("mtu")
        .and_then(|it| it.integer(68..=65535_u32))
        .map(|mtu| mtu.value);
    let use_nat = fields.opt("use-nat").and_then(|it| it.boolean());
    let impair = impair::read(fields);
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
        use_nat_place: use_nat.filter(|it| it.value).map(|it| it.place),
        impair,
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

/// `address`, as placemat v2 has it: there the subnet's own address was taken for a host's, and
/// files in the wild have one.
fn bridge_address(item: &Item<'_>) -> Option<At<IpNet>> {
    let net = item.parse(
        "bad-address",
        "an address with prefix length, such as `10.0.0.1/24`",
        parse_bridge_address,
    )?;
    if let Err(error) = parse_interface_address(&net.value.to_string()) {
        let problem = item.problem(
            "network-address",
            "is an address that no host should have",
            error.to_string(),
        );
        item.findings().warning(problem.help(
            "it is used as placemat v2 would; give the hub a host's address, with which routers and servers can tell it from the subnet",
        ));
    }
    Some(net)
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
    if let Some(nat) = use_nat.filter(|nat| nat.value && kind != NetworkType::External) {
        findings.error(
            Problem::new(
                "conflict",
                format!("{} is of type {word} and cannot use NAT", fields.describe()),
            )
            .at(nat.place, "only for networks of type `external`"),
        );
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
