//! What templates of seeds see.

use crate::neco::gotemplate::Value;
use crate::neco::input::Menu;
use crate::neco::plan::{Rack, Server};
use ipnet::Ipv4Net;
use placemat_spec::problem::suggestion;
use serde::Serialize;
use std::net::Ipv4Addr;

/// For Go's templates: names and forms are those of Neco's menu.
pub(super) fn go(rack: &Rack, server: &Server) -> Value {
    let text = |address: &Ipv4Addr| Value::from(address.to_string());
    let tor = |number: usize| {
        let spines = rack.spine_addresses[number].iter().map(text).collect();
        Value::Record(
            "a ToR",
            vec![
                ("NodeInterface", rack.node_interface.as_str().into()),
                ("SpineAddresses", Value::List(spines)),
            ],
        )
    };
    let node = |server: &Server, bastion: Option<Ipv4Net>| {
        let [_, node1, node2] = server.addresses.map(|address| text(&address));
        let bastion = bastion.map(|net| net.to_string()).unwrap_or_default();
        Value::Record(
            "a server",
            vec![
                ("Name", server.short_name.as_str().into()),
                ("BastionAddress", bastion.into()),
                ("Node1Address", node1),
                ("Node2Address", node2),
            ],
        )
    };
    let list = |servers: &[Server]| Value::List(servers.iter().map(|it| node(it, None)).collect());
    let rack = Value::Record(
        "the rack",
        vec![
            ("Name", rack.name.as_str().into()),
            ("Index", rack.index.into()),
            ("ASN", rack.asn.into()),
            ("ToR1", tor(0)),
            ("ToR2", tor(1)),
            ("BootNode", node(&rack.boot, Some(rack.bastion))),
            ("CSList", list(&rack.cs)),
            ("SSList", list(&rack.ss)),
        ],
    );
    Value::Record(
        "the seed",
        vec![("Name", server.name.as_str().into()), ("Rack", rack)],
    )
}

/// For minijinja's.
#[derive(Serialize)]
pub(super) struct Seed<'a> {
    name: &'a str,
    serial: &'a str,
    addresses: [Ipv4Addr; 3],
    rack: &'a Rack,
    ntp: Vec<Ipv4Addr>,
    // What is not there is undefined: a template would print what is none as `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Ipv4Net>,
}

/// The names that every seed sees.
const ALWAYS: [&str; 5] = ["name", "serial", "addresses", "rack", "ntp"];
/// Those that it sees where the menu has them.
const WHERE_GIVEN: [&str; 3] = ["cluster_id", "proxy", "pod"];
/// What `rack` has.
const RACK: [&str; 9] = [
    "name",
    "index",
    "asn",
    "node_interface",
    "spine_addresses",
    "bastion",
    "boot",
    "cs",
    "ss",
];
/// What a server of a rack has.
const SERVER: [&str; 4] = ["name", "short_name", "serial", "addresses"];

/// All that minijinja's templates see, for messages.
pub(super) fn seen() -> String {
    format!(
        "seeds see {}, and where the menu has them {}; `rack` has {}; its servers have {}",
        listed(&ALWAYS),
        listed(&WHERE_GIVEN),
        listed(&RACK),
        listed(&SERVER),
    )
}

/// What to do about an expression that is undefined.
pub(super) fn instead_of(expression: &str) -> String {
    if WHERE_GIVEN.contains(&expression) {
        return format!(
            "the menu says nothing of it; `{{% if {expression} is defined %}}` asks whether it does"
        );
    }
    if expression.ends_with(']') {
        return "there is no such element; numbers begin at 0".into();
    }
    match expression.rsplit_once('.') {
        None => {
            let names = [&ALWAYS[..], &WHERE_GIVEN[..]].concat();
            suggestion(expression, "there are", &names)
        }
        Some(("rack", name)) => suggestion(name, "there are", &RACK),
        // A variable of a loop is a server, most likely; if it is not, all names are of use.
        Some(_) => seen(),
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

pub(super) fn jinja<'a>(menu: &'a Menu, rack: &'a Rack, server: &'a Server) -> Seed<'a> {
    let allocation = crate::neco::Allocation::new(menu);
    let servers = allocation
        .ntp()
        .map(|(servers, _)| servers.map(|net| net.addr()));
    Seed {
        name: &server.name,
        serial: &server.serial,
        addresses: server.addresses,
        rack,
        cluster_id: menu.inventory.cluster_id.as_deref(),
        proxy: menu.network.proxy.map(|it| it.value),
        ntp: servers.into_iter().flatten().collect(),
        pod: menu.network.pod.map(|it| it.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neco::plan::Server;
    use serde_json::{Value, json};

    fn keys(value: &Value) -> Vec<&str> {
        value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    }

    /// Messages name what there is, all of it.
    #[test]
    fn names_in_messages_are_those_of_the_data() {
        let one = Ipv4Addr::LOCALHOST;
        let server = Server {
            name: "boot-0".into(),
            short_name: "boot".into(),
            serial: "s".into(),
            addresses: [one; 3],
        };
        let rack = Rack {
            name: "rack0".into(),
            index: 0,
            asn: 1,
            node_interface: "eth2".into(),
            spine_addresses: [vec![one], vec![one]],
            boot: server.clone(),
            bastion: Ipv4Net::from(one),
            cs: vec![server.clone()],
            ss: Vec::new(),
        };
        let seed = |cluster_id, proxy, pod| {
            let seed = Seed {
                name: &server.name,
                serial: &server.serial,
                addresses: server.addresses,
                rack: &rack,
                ntp: vec![one],
                cluster_id,
                proxy,
                pod,
            };
            json!(seed)
        };
        let most = seed(Some("c"), Some(one), Some(Ipv4Net::from(one)));
        let names = [&ALWAYS[..], &WHERE_GIVEN[..]].concat();
        assert_eq!(sorted(&keys(&most)), sorted(&names));
        assert_eq!(sorted(&keys(&seed(None, None, None))), sorted(&ALWAYS));
        assert_eq!(sorted(&keys(&most["rack"])), sorted(&RACK));
        assert_eq!(sorted(&keys(&most["rack"]["boot"])), sorted(&SERVER));
    }
}
