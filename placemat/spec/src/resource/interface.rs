//! `interfaces:` and `loopback:` of routers, boot servers and nodes.

use super::{Impair, Name, impair};
use crate::Place;
use crate::document::{At, Fields, Item, Value};
use crate::draft::{InterfaceUse, Reading, Segment, Want};
use crate::print::Map;
use crate::schema::{ADDRESSES, Key, MAC, NAME, Shape};
use crate::value::{Mac, parse_interface_address};
use ipnet::IpNet;
use std::str::FromStr;

/// One end of a link: an interface of a router, node or boot server.
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// Kernel name inside: `eth0`, `eth1`, ... in file order, unless given. At most 15 bytes.
    pub name: String,
    /// The network it is plugged into.
    pub network: Name,
    /// Static addresses, with prefix length.
    pub addresses: Vec<IpNet>,
    /// Fixed MAC; when absent, one is derived from resource name and index.
    pub mac: Option<Mac>,
    /// What happens to the frames that it sends.
    pub impair: Option<Impair>,
    /// Where it stands in the file.
    pub place: Place,
}

/// `interfaces` of routers, boot servers and nodes.
pub(super) const KEY: Key = Key::optional(
    "interfaces",
    Shape::List(&Shape::Either(&[
        Shape::Form(&NAME),
        Shape::Map(&[
            Key::required(
                "network",
                Shape::Form(&NAME),
                "The network it is plugged into.",
            ),
            Key::optional("name", Shape::Text, "Its name inside, of at most 15 bytes.")
                .or("`eth0`, `eth1`, ... in the order of the list"),
            Key::optional("mac", Shape::Form(&MAC), "Its MAC address.")
                .or("one derived from the owner's name and the place in the list"),
            impair::KEY,
            Key::optional(
                "addresses",
                ADDRESSES,
                "Its addresses. Servers that QEMU runs configure themselves, or ask DHCP.",
            ),
        ]),
    ])),
    "Its interfaces, each the name of a network or a map.",
);

/// `loopback` of routers, boot servers and nodes.
pub(super) const LOOPBACK: Key = Key::optional(
    "loopback",
    ADDRESSES,
    "Addresses on `lo`, which its BIRD announces or not.",
);

/// Takes `interfaces`: a list of network names, or of maps.
pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Vec<Interface> {
    let items = fields
        .opt("interfaces")
        .and_then(|it| it.list())
        .unwrap_or_default();
    items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| one(index, item, reading))
        .collect()
}

fn one(index: usize, item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Interface> {
    let default_name = format!("eth{index}");
    let mut interface = Interface {
        name: default_name,
        network: Name::new(),
        addresses: Vec::new(),
        mac: None,
        impair: None,
        place: item.place(),
    };
    let mut name_place = item.place();
    // Placemat v2 writes a node's interfaces as bare network names.
    let network = if matches!(item.tree().value, Value::Scalar(_)) {
        item.string()?
    } else {
        let mut fields = item.fields()?;
        let network = fields.req("network").and_then(|it| it.string());
        if let Some(name) = fields.opt("name").and_then(|it| it.string()) {
            name_place = name.place;
            interface.name = name.value;
        }
        interface.mac = fields
            .opt("mac")
            .and_then(|it| mac(&it, reading))
            .map(|mac| mac.value);
        interface.impair = impair::read(&mut fields);
        let addresses = addresses(&mut fields, "addresses");
        fields.finish();
        if let Some(network) = &network {
            for net in &addresses {
                let segment = Segment::Network(network.value.clone());
                reading.draft.ledger.address(segment, *net, &reading.owner);
            }
        }
        interface.addresses = addresses.into_iter().map(|net| net.value).collect();
        network?
    };
    reading
        .draft
        .ledger
        .refer(Want::Network, &network, &reading.owner);
    reading.draft.ledger.interfaces.push(InterfaceUse {
        owner: reading.owner.clone(),
        network: network.clone(),
        name: At::new(interface.name.clone(), name_place),
    });
    interface.network = network.value;
    Some(interface)
}

fn mac(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<At<Mac>> {
    let mac = item.parse(
        "bad-mac",
        "a MAC address such as `52:54:00:aa:bb:01`",
        Mac::from_str,
    )?;
    reading.draft.ledger.macs.push((mac, reading.owner.clone()));
    Some(mac)
}

/// Takes a list of addresses with prefix length.
pub(super) fn addresses(fields: &mut Fields<'_>, key: &'static str) -> Vec<At<IpNet>> {
    let items = fields.opt(key).and_then(|it| it.list()).unwrap_or_default();
    items.iter().filter_map(address).collect()
}

/// One address with prefix length.
pub(super) fn address(item: &Item<'_>) -> Option<At<IpNet>> {
    item.parse(
        "bad-address",
        "an address with prefix length, such as `10.0.0.1/24`",
        parse_interface_address,
    )
}

/// Takes `loopback`: addresses on `lo`.
pub(super) fn loopback(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Vec<IpNet> {
    let addresses = addresses(fields, "loopback");
    for net in &addresses {
        reading
            .draft
            .ledger
            .address(Segment::Loopback, *net, &reading.owner);
    }
    addresses.into_iter().map(|net| net.value).collect()
}

/// Prints an interface.
pub(super) fn print(interface: &Interface) -> Map {
    let Interface {
        name,
        network,
        addresses,
        mac,
        impair,
        place: _,
    } = interface;
    Map::new()
        .text("network", network)
        .text("name", name)
        .maybe_text("mac", *mac)
        .maybe("impair", impair.as_ref().map(impair::print))
        .addresses("addresses", addresses)
}
