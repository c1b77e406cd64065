//! Networks, feeds and the image.

use super::Making;
use super::book::Book;
use super::speaker::{labels, power_keys};
use crate::topology::{Feed, Network};
use ipnet::IpNet;
use placemat_spec::explain::Value;

pub(super) fn network(book: &Book, network: &Network) -> Vec<Value> {
    let how = match network.role {
        "bmc" => "the network of all BMCs",
        "link" => "named after both ends",
        "boot" => "rRb-tT, by rack and ToR",
        "node" => "rR-nodeT, by rack and ToR",
        _ => "named after its key",
    };
    let behind = ["internet", "external", "operation"].contains(&network.role);
    let from = behind.then(|| book.key(&["core", network.role]));
    let from = from.into_iter().collect();
    let mut values = vec![
        Value::new("name", &network.name, how, from),
        Value::new("labels.role", network.role, "what it is for", Vec::new()),
    ];
    values.extend(labels(book, network.rack, network.pod));
    let hub = network.bmc.map(IpNet::from).into_iter();
    for net in hub.chain(network.outside.iter().copied()) {
        values.push(book.address("hub", net, net.addr()));
    }
    values.extend(segment(book, network));
    for (name, nic) in book.plugs(&network.name) {
        let what = format!("{name}.{}", nic.name);
        let nets = nic.address.map(IpNet::from).into_iter();
        for net in nets.chain(nic.address6.map(IpNet::from)) {
            values.push(book.address(&what, net, net.addr()));
        }
    }
    values
}

/// Prefix and DHCP range of a network of servers, if it is one.
fn segment(book: &Book, network: &Network) -> Vec<Value> {
    let gateways = book.plan.routers.iter().filter_map(|router| {
        let segment = router.segment.as_ref()?;
        let mut nics = router.interfaces.iter();
        let nic = nics.find(|nic| nic.name == segment.interface)?;
        (nic.network == network.name).then_some(segment)
    });
    let mut values = Vec::new();
    for segment in gateways {
        let ranges = book.plan.boot_servers.iter().flat_map(|boot| &boot.ranges);
        for range in ranges.filter(|range| range.router == segment.gateway) {
            let net = range.subnet;
            values.push(book.address("prefix", net, net.network()));
            values.push(book.address("dhcp.start", range.start, range.start));
            values.push(book.address("dhcp.end", range.end, range.end));
        }
        if let Some(net) = segment.prefix6 {
            values.push(book.address("prefix", net, net.network()));
        }
    }
    values
}

pub(super) fn feed(book: &Book, feed: &Feed) -> Vec<Value> {
    let how = match (feed.pdu, feed.rack, feed.pod) {
        (true, ..) => "GROUP-pdu-SIDE, of each rack and group of switches",
        (_, Some(_), _) => "feed-rackR: without `power` each rack has one",
        (_, _, Some(_)) => "feed-podP: without `power` the spines of each pod have one",
        _ => "feed-SIDE, or without `power` feed-GROUP",
    };
    let mut values = vec![Value::new("name", &feed.name, how, power_keys(book))];
    values.extend(labels(book, feed.rack, feed.pod));
    if let Some(side) = feed.feed {
        let how = "PDU a hangs on feed a, and b on b, where there are as many";
        values.push(Value::new("labels.feed", side, how, power_keys(book)));
    }
    for load in &feed.loads {
        let how = match (feed.pdu, book.dc.power) {
            (false, Some(_)) => "feeds feed PDUs",
            _ => "what its rack or group of switches has",
        };
        values.push(Value::new("loads", load, how, Vec::new()));
    }
    values
}

pub(super) fn image(book: &Book) -> Vec<Value> {
    let image = &book.plan.image;
    let mut bundle = book.given("bundle", image.bundle.display(), &["image", "bundle"]);
    bundle.how = "given, from the folder of the rack spec".into();
    vec![book.given("name", &image.name, &["image", "name"]), bundle]
}
