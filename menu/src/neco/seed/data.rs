//! What templates of seeds see.

use crate::neco::gotemplate::Value;
use crate::neco::input::Menu;
use crate::neco::plan::{Rack, Server};
use ipnet::Ipv4Net;
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
    cluster_id: Option<&'a str>,
    proxy: Option<Ipv4Addr>,
    ntp: Vec<Ipv4Addr>,
    pod: Option<Ipv4Net>,
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
