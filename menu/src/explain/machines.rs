//! Routers, boot servers, servers and their BMCs.

use super::Making;
use super::book::Book;
use super::speaker::{interfaces, labels, plugged, power, routing, sessions};
use crate::allocation::{Made, serial};
use crate::rack::Core;
use crate::topology::{Boot, BootServer, Role, Router, Server};
use ipnet::IpNet;
use placemat_spec::explain::{Origin, Value};
use placemat_spec::value::Mac;

pub(super) fn router(book: &Book, router: &Router) -> Vec<Value> {
    let own = &router.speaker;
    let role = router.role.to_string();
    let from = above(book, router.role);
    let mut values = vec![match router.role {
        Role::Tor => {
            let tors = book.dc.rack(router.rack.unwrap_or(0));
            let tors = book.at("tors", tors.and_then(|rack| rack.tors_place));
            let from = router.rack.map(|rack| book.rack(rack));
            let from = from.into_iter().chain([tors]).collect();
            Value::new("name", &own.name, "rackR-torT, by rack and ToR", from)
        }
        Role::Spine if router.pod.is_some() => {
            let from = vec![book.key(&["pods"]), from];
            Value::new("name", &own.name, "podP-spine-S, by pod and spine", from)
        }
        Role::Spine | Role::SuperSpine => {
            let how = format!("{role}-N, numbered from 1");
            Value::new("name", &own.name, how, vec![from])
        }
        Role::Core | Role::External | Role::Operation => {
            Value::new("name", &own.name, "named after its key", vec![from])
        }
    }];
    values.push(Value::new("labels.role", &role, "what it is", Vec::new()));
    values.extend(labels(book, router.rack, router.pod));
    values.extend(routing(book, own));
    values.extend(services(book, router));
    values.extend(interfaces(book, &own.name, &router.interfaces));
    if let Some(segment) = &router.segment {
        let prefix = segment
            .prefix6
            .map(|net| book.address("segment.prefix6", net, net.network()));
        values.extend(prefix);
        let server = segment.dhcp_server;
        values.push(book.address("dhcp-relay.to", server, server));
        let gateway = segment.gateway;
        values.push(book.address("dhcp-relay.from", gateway, gateway));
    }
    for gateway in &router.gateways {
        values.push(book.address("default-route", gateway, *gateway));
    }
    for aggregate in &router.aggregates {
        values.push(told(book, *aggregate));
    }
    for nic in &router.announced {
        let how = "the fabric is told of networks behind the core, and of the BMCs'";
        values.push(Value::new("announces", nic, how, Vec::new()));
    }
    values.extend(router.init_scripts.iter().map(|script| {
        let how = "puts the configurations of services where they are read";
        let from = vec![book.key(&["core", "services"])];
        Value::new("init-scripts", script, how, from)
    }));
    values.extend(router.apps.iter().map(|app| {
        let (how, key) = match app.name {
            "nat" => (
                "gives the core's own address to what leaves by the internet, or towards BMCs",
                vec!["core"],
            ),
            service => ("serves at its address", vec!["core", service]),
        };
        let mut from = vec![book.key(&key)];
        from.extend((app.name != "nat").then(|| book.key(&["core", "services"])));
        Value::new(
            format!("apps.{}", app.name),
            app.command.join(" "),
            how,
            from,
        )
    }));
    values.extend(sessions(book, own));
    values.extend(power(book, &role, router.rack, router.pod));
    values
}

/// The key that a router above the racks, or behind the core, is there for.
fn above(book: &Book, role: Role) -> Origin {
    match role {
        Role::SuperSpine => book.key(&["super-spines"]),
        Role::Spine | Role::Tor => book.key(&["spines"]),
        Role::Core => book.key(&["core"]),
        Role::External => book.key(&["core", "external"]),
        Role::Operation => book.key(&["core", "operation"]),
    }
}

/// Addresses of services, which the rack spec gives.
fn services(book: &Book, router: &Router) -> Vec<Value> {
    let core = book.dc.core.as_ref().filter(|_| router.role == Role::Core);
    let services = core.into_iter().flat_map(Core::services);
    services
        .map(|(key, address)| book.given(format!("loopback.{key}"), address, &["core", key]))
        .collect()
}

/// A prefix that the core is told of as a whole.
fn told(book: &Book, prefix: IpNet) -> Value {
    let known = book.plan.prefixes.iter().find(|it| it.prefix == prefix);
    let name = known.map_or("", |known| known.name.as_str());
    let exposed = book.dc.exposed.iter().any(|range| range.name == name);
    let group = if exposed { "exposed" } else { "pools" };
    let origin = book.key(&[group, name]);
    let how = "the core is told of whole pools and exposed ranges";
    Value::new("tells-core", prefix, how, vec![origin])
}

pub(super) fn boot_server(book: &Book, boot: &BootServer) -> Vec<Value> {
    let own = &boot.speaker;
    let from = vec![book.rack(boot.rack)];
    let mut values = vec![Value::new("name", &own.name, "rackR-boot, by rack", from)];
    values.push(Value::new("labels.role", "boot", "what it is", Vec::new()));
    values.extend(labels(book, Some(boot.rack), boot.pod));
    let kind = match book.plan.boot {
        Boot::BuiltIn => "built-in",
        Boot::Sabakan => "sabakan",
    };
    values.push(book.given("boot", kind, &["boot"]));
    values.extend(routing(book, own));
    for address in &own.addresses {
        values.push(book.address("loopback.bastion", address, *address));
    }
    values.extend(interfaces(book, &own.name, &boot.interfaces));
    if book.plan.boot == Boot::BuiltIn {
        values.push(book.given("image", &book.plan.image.name, &["image", "name"]));
    }
    for (index, range) in boot.ranges.iter().enumerate() {
        let what = |field| format!("dhcp.ranges[{index}].{field}");
        let net = range.subnet;
        values.push(book.address(what("subnet"), net, net.network()));
        for (field, address) in [
            ("start", range.start),
            ("end", range.end),
            ("router", range.router),
        ] {
            values.push(book.address(what(field), address, address));
        }
    }
    for host in &boot.hosts {
        let what = format!("dhcp.hosts.{}", host.mac);
        values.push(book.address(what, host.address, host.address));
    }
    for machine in &boot.machines {
        let what = format!("machines.{}", machine.name);
        values.push(numbered(what, &machine.serial, &machine.name));
    }
    values.extend(sessions(book, own));
    values.extend(power(book, "boot", Some(boot.rack), boot.pod));
    values
}

/// A serial, which is made of a name.
fn numbered(what: String, value: &str, name: &str) -> Value {
    let how = if serial(name) == value {
        format!("SHA-1 of the name {name}")
    } else {
        String::new()
    };
    Value::new(what, value, how, Vec::new())
}

pub(super) fn server(book: &Book, server: &Server) -> Vec<Value> {
    let own = &server.speaker;
    let kind = server.kind.as_str();
    let of_type = |what: &str, value: &dyn std::fmt::Display, key: &str| {
        book.given(what, value, &["types", kind, key])
    };
    let number = number(book, server);
    let place = book.server(server.rack, number);
    let how = "rackR-ROLEN, by rack, role and place in the rack's list";
    let from = vec![
        book.rack(server.rack),
        place.clone(),
        book.key(&["types", kind, "role"]),
    ];
    let mut values = vec![Value::new("name", &own.name, how, from)];
    values.push(of_type("labels.role", &server.role, "role"));
    values.extend(labels(book, Some(server.rack), server.pod));
    values.push(Value::new("type", kind, "given", vec![place]));
    values.push(of_type("tier", &server.tier, "tier"));
    if server.virtual_machine {
        values.push(of_type("cpu", &server.cpu, "cpu"));
        values.push(of_type("memory", &server.memory, "memory"));
        let disk = server.disk.as_deref().unwrap_or("none");
        values.push(of_type("disk", &disk, "disk"));
        let full = server.tier == "full";
        let from = || vec![book.key(&["types", kind, "tier"])];
        for what in ["firmware.uefi", "firmware.http-boot"] {
            values.push(Value::new(
                what,
                full,
                "tier full has it, kernel has not",
                from(),
            ));
        }
    }
    if server.runs {
        values.push(book.given("image", &book.plan.image.name, &["image", "name"]));
        values.extend(routing(book, own));
    }
    values.extend(nics(book, server));
    values.push(numbered("serial".into(), &server.serial, &own.name));
    values.extend(bmc_keys(book, server));
    values.extend(boots(book, server));
    values.extend(sessions(book, own));
    values.extend(power(book, &server.role, Some(server.rack), server.pod));
    values
}

/// Its place in the list of its rack, from 1.
fn number(book: &Book, server: &Server) -> u32 {
    let rack = book.plan.servers.iter().filter(|it| it.rack == server.rack);
    let mut numbers = (1..).zip(rack);
    let own = numbers.find(|(_, it)| it.speaker.name == server.speaker.name);
    own.map_or(0, |(number, _)| number)
}

fn nics(book: &Book, server: &Server) -> Vec<Value> {
    let hosts = book.plan.boot_servers.iter().flat_map(|boot| &boot.hosts);
    let hosts: Vec<_> = hosts.collect();
    let mut values = Vec::new();
    for nic in &server.interfaces {
        let what = |field: &str| format!("{}.{field}", nic.name);
        let mut network = plugged(book, &server.speaker.name, nic);
        let key = ["types", &server.kind, "nics"];
        network.from.push(book.key(&key));
        values.push(network);
        let Some(mac) = &nic.mac else { continue };
        if let Ok(parsed) = mac.parse::<Mac>() {
            values.push(book.made(what("mac"), mac, Made::Mac(parsed)));
        }
        let leases = hosts.iter().filter(|host| host.mac == *mac);
        values.extend(leases.map(|host| book.address(what("lease"), host.address, host.address)));
        if let Some(net) = nic.address6 {
            values.push(book.address(what("address"), net, net.addr()));
        }
    }
    values
}

/// Who boots it.
fn boots(book: &Book, server: &Server) -> Option<Value> {
    let mut all = book.plan.boot_servers.iter();
    let boot = all.find(|boot| boot.machines.iter().any(|it| it.serial == server.serial))?;
    let how = "the boot server of its rack knows it by its serial";
    let from = vec![book.key(&["boot"])];
    Some(Value::new("boots-from", &boot.speaker.name, how, from))
}

fn bmc_keys(book: &Book, server: &Server) -> Vec<Value> {
    let bmc = &server.bmc;
    vec![
        book.address("bmc.address", bmc.address, bmc.address),
        book.given("bmc.user", &bmc.user, &["bmc", "user"]),
        book.given("bmc.password", &bmc.password, &["bmc", "password"]),
    ]
}

pub(super) fn bmc(book: &Book, server: &Server) -> Vec<Value> {
    let from = vec![book.server(server.rack, number(book, server))];
    let how = "every server has one";
    let mut values = vec![Value::new("server", &server.speaker.name, how, from)];
    values.extend(bmc_keys(book, server));
    let networks = book.plan.networks.iter();
    for network in networks.filter(|network| network.role == "bmc") {
        let how = "the network of all BMCs";
        let from = vec![book.key(&["pools", "bmc"])];
        values.push(Value::new("network", &network.name, how, from));
        let hub = network.bmc;
        values.extend(hub.map(|net| book.address("network.hub", net, net.addr())));
    }
    values.push(numbered(
        "serial".into(),
        &server.serial,
        &server.speaker.name,
    ));
    values
}
