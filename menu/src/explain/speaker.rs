//! What machines that speak BGP have in common: labels, ASN, loopbacks, NICs, sessions, power.

use super::Making;
use super::book::Book;
use crate::topology::{Interface, Speaker};
use ipnet::IpNet;
use placemat_spec::explain::{Origin, Value};

/// Labels of what stands in a rack or pod, or belongs to one.
pub(super) fn labels(book: &Book, rack: Option<u32>, pod: Option<u32>) -> Vec<Value> {
    let mut values = Vec::new();
    if let Some(rack) = rack {
        let how = "racks are numbered from 1, through all pods";
        values.push(Value::new("labels.rack", rack, how, vec![book.rack(rack)]));
    }
    if let Some(pod) = pod {
        let how = "pods are numbered from 1";
        values.push(Value::new(
            "labels.pod",
            pod,
            how,
            vec![book.key(&["pods"])],
        ));
    }
    values
}

/// ASN and loopbacks, of what speaks BGP.
pub(super) fn routing(book: &Book, speaker: &Speaker) -> Vec<Value> {
    if speaker.asn == 0 {
        return Vec::new();
    }
    let mut values = vec![
        book.asn("asn", speaker.asn),
        book.address("loopback", speaker.loopback, speaker.loopback),
    ];
    if let Some(address) = speaker.loopback6 {
        values.push(book.address("loopback", address, address));
    }
    values
}

/// NICs with static addresses.
pub(super) fn interfaces(book: &Book, own: &str, interfaces: &[Interface]) -> Vec<Value> {
    let mut values = Vec::new();
    for nic in interfaces {
        values.push(plugged(book, own, nic));
        let nets = nic.address.map(IpNet::from).into_iter();
        for net in nets.chain(nic.address6.map(IpNet::from)) {
            values.push(book.address(format!("{}.address", nic.name), net, net.addr()));
        }
    }
    values
}

/// The network of a NIC, and who else is on it.
pub(super) fn plugged(book: &Book, own: &str, nic: &Interface) -> Value {
    let others = book.plugs(&nic.network).iter().map(|(name, _)| *name);
    let others: Vec<&str> = others.filter(|name| *name != own).collect();
    let how = match others.as_slice() {
        [] => "nobody else is on it".into(),
        [one] => format!("shared with {one}"),
        [one, two] => format!("shared with {one} and {two}"),
        [first, .., last] => format!("shared with {} others, {first} to {last}", others.len()),
    };
    Value::new(&nic.name, &nic.network, how, Vec::new())
}

/// Sessions, and the timers of all of them.
pub(super) fn sessions(book: &Book, speaker: &Speaker) -> Vec<Value> {
    let mut values = Vec::new();
    for session in &speaker.sessions {
        let what = format!("bgp.{}", session.name);
        if let Some(local) = session.local {
            values.push(book.address(format!("{what}.local"), local, local));
        }
        let neighbor = session.neighbor;
        values.push(book.address(format!("{what}.neighbor"), neighbor, neighbor));
        values.push(book.asn(format!("{what}.asn"), session.asn));
    }
    if values.is_empty() {
        return values;
    }
    let timers = book.plan.timers;
    let interval = format!("{}ms", timers.bfd_interval);
    values.push(book.given("bfd.interval", interval, &["bfd", "interval"]));
    let multiplier = &["bfd", "multiplier"];
    values.push(book.given("bfd.multiplier", timers.bfd_multiplier, multiplier));
    for (key, seconds) in [
        ("hold", timers.hold),
        ("connect", timers.connect),
        ("error-wait", timers.error_wait),
    ] {
        let what = format!("bgp.{key}");
        values.push(book.given(what, format!("{seconds}s"), &["bgp", key]));
    }
    values
}

/// Feeds and PDUs that a machine is plugged into.
pub(super) fn power(book: &Book, role: &str, rack: Option<u32>, pod: Option<u32>) -> Vec<Value> {
    let by_role = format!("router/role={role}");
    let by_pod = pod.map(|pod| format!("{by_role}+pod={pod}"));
    let by_load = |load: &String| *load == by_role || Some(load) == by_pod.as_ref();
    let plugged = book.plan.feeds.iter().filter(|feed| {
        if rack.is_some() {
            feed.rack == rack
        } else {
            feed.loads.iter().any(by_load)
        }
    });
    let how = "every machine is plugged into what its rack or group of switches has";
    plugged
        .map(|feed| Value::new("power", &feed.name, how, power_keys(book)))
        .collect()
}

/// The keys that feeds and PDUs are made of.
pub(super) fn power_keys(book: &Book) -> Vec<Origin> {
    match book.dc.power {
        None => vec![book.key(&["power"])],
        Some(_) => ["feeds", "pdus"]
            .map(|key| book.key(&["power", key]))
            .into(),
    }
}
