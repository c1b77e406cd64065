//! Prints a [`Network`].

use super::Network;
use super::read::TYPES;
use crate::print::{Map, word};
use crate::resource::impair;

pub(crate) fn print(network: &Network) -> Map {
    let Network {
        name,
        kind,
        addresses,
        mtu,
        use_nat,
        use_nat_place: _,
        impair,
        labels,
        place: _,
    } = network;
    let map = Map::resource("Network", name).text("type", word(&TYPES, kind));
    // One may be of placemat v2's kind, which a list does not take.
    let map = match addresses.as_slice() {
        [one] => map.text("address", one),
        many => map.addresses("addresses", many),
    };
    map.maybe("mtu", *mtu)
        .with("use-nat", *use_nat)
        .maybe("impair", impair.as_ref().map(impair::print))
        .labels(labels)
}
