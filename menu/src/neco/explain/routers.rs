//! Routers, clients and networks.

use super::book::Book;
use crate::explain::Making;
use crate::neco::plan::{Namespace, Network, Session};
use placemat_spec::explain::Value;

pub(super) fn router(book: &Book, router: &Namespace) -> Vec<Value> {
    let name = &router.name;
    let (how, from) = match router.role {
        "spine" => ("spineN, numbered from 1", vec![book.key("spine")]),
        "tor" => (
            "rackR-torT, by rack and ToR",
            router
                .rack
                .map(|rack| book.rack(rack))
                .into_iter()
                .collect(),
        ),
        _ => ("there is one", Vec::new()),
    };
    let mut values = vec![Value::new("name", name, how, from)];
    values.extend(book.labels(router.role, router.rack));
    let routing = routing(book, name);
    values.extend(routing.first().cloned());
    for (index, nic) in router.interfaces.iter().enumerate() {
        let how = "in the order of its links";
        values.push(Value::new(
            format!("eth{index}"),
            &nic.network,
            how,
            Vec::new(),
        ));
        let what = format!("eth{index}.address");
        values.push(book.address(what, nic.address, nic.address.addr()));
    }
    values.extend(routing.into_iter().skip(1));
    for script in &router.init_scripts {
        let how = "written beside cluster.yml";
        values.push(Value::new("init-scripts", script, how, Vec::new()));
    }
    for app in &router.apps {
        let what = format!("apps.{}", app.name);
        let how = match app.name {
            "dnsmasq" => "relays DHCP to the addresses that Neco's boot servers share",
            _ => "reads its configuration where that was written",
        };
        values.push(Value::new(what, app.command.join(" "), how, Vec::new()));
    }
    let clients = [
        ("external", book.plan.nat.external),
        ("operation", book.plan.nat.operation),
    ];
    let own = clients.into_iter().find(|(role, _)| *role == router.role);
    values.extend(own.map(|(_, via)| book.address("default-route", via, via)));
    values
}

/// Its ASN, then its sessions and static routes; nothing of who speaks no BGP.
fn routing(book: &Book, name: &str) -> Vec<Value> {
    let plan = book.plan;
    if name == "core" {
        let mut values = vec![book.asn("asn", plan.core.asn)];
        let way = plan.core.internet;
        values.push(book.address("default-route", way, way));
        values.extend(sessions(book, &plan.core.spines));
        return values;
    }
    if let Some(spine) = plan.spines.iter().find(|spine| spine.name == name) {
        let mut values = vec![book.asn("asn", spine.asn)];
        values.extend(sessions(
            book,
            std::iter::once(&spine.core).chain(&spine.tors),
        ));
        for route in &spine.statics {
            let key = match route.what {
                "load balancers" => "exposed.loadbalancer",
                "bastions" => "exposed.bastion",
                "egress" => "exposed.egress",
                "global" => "exposed.global",
                _ => "bmc-ipv4-pool",
            };
            let how = "given; the core is told of it as a whole";
            let what = format!("static.{}", key.rsplit('.').next().unwrap_or(key));
            let via = format!("{what}.via");
            values.push(Value::new(what, route.prefix, how, vec![book.key(key)]));
            values.push(book.address(via, route.via, route.via));
        }
        return values;
    }
    let tor = plan.tors.iter().find(|tor| tor.name == name);
    tor.map_or_else(Vec::new, |tor| {
        let mut values = vec![book.asn("asn", tor.asn)];
        values.extend(sessions(book, tor.spines.iter().chain(&tor.servers)));
        values
    })
}

fn sessions<'s>(book: &Book, sessions: impl IntoIterator<Item = &'s Session>) -> Vec<Value> {
    let one = |session: &Session| {
        let what = format!("bgp.{}", session.peer);
        let neighbor = session.neighbor;
        [
            book.address(format!("{what}.neighbor"), neighbor, neighbor),
            book.asn(format!("{what}.asn"), session.asn),
        ]
    };
    sessions.into_iter().flat_map(one).collect()
}

pub(super) fn network(book: &Book, network: &Network) -> Vec<Value> {
    let how = match network.kind {
        "bmc" => "the network of all BMCs",
        "external" => "the way out",
        _ => "named after both ends, or what it joins",
    };
    let mut values = vec![
        Value::new("name", &network.name, how, Vec::new()),
        Value::new(
            "type",
            network.kind,
            "follows from what it is for",
            Vec::new(),
        ),
    ];
    values.extend(
        network
            .address
            .map(|net| book.address("hub", net, net.addr())),
    );
    for router in &book.plan.namespaces {
        for (index, nic) in router.interfaces.iter().enumerate() {
            if nic.network == network.name {
                let what = format!("{}.eth{index}", router.name);
                values.push(book.address(what, nic.address, nic.address.addr()));
            }
        }
    }
    values
}
