//! Servers.

use super::book::Book;
use crate::explain::Making;
use crate::neco::allocation::serial;
use crate::neco::plan::{Node, Rack, Server, Volume};
use placemat_spec::explain::Value;

pub(super) fn node(book: &Book, node: &Node) -> Vec<Value> {
    if node.role == "ntp" {
        return time_server(book, node);
    }
    let how = match node.role {
        "boot" => "boot-R, by rack",
        _ => "rackR-ROLEN, by rack, role and number in it",
    };
    let rack = node.rack.unwrap_or(0);
    let mut values = vec![Value::new("name", &node.name, how, vec![book.rack(rack)])];
    values.extend(book.labels(node.role, node.rack));
    values.extend(book.spec("Node", Some(node.role)));
    if let Some(queues) = node.queues {
        let mut from = book.of_type(node.role, "cpu");
        from.extend(book.of_type(node.role, "smp"));
        from.retain(|it| it.at.is_some());
        let how = "two for each CPU";
        values.push(Value::new("network-device-queue", queues, how, from));
    }
    for (index, network) in node.interfaces.iter().enumerate() {
        let how = format!("the segment of ToR {}", index + 1);
        let from = vec![book.rack(rack)];
        values.push(Value::new(format!("eth{index}"), network, how, from));
    }
    for (index, volume) in node.volumes.iter().enumerate() {
        values.push(self::volume(book, node, index, volume));
    }
    if let Some(value) = &node.serial {
        let how = if serial(&node.name) == *value {
            format!("SHA-1 of the name {}", node.name)
        } else {
            String::new()
        };
        values.push(Value::new("serial", value, how, Vec::new()));
    }
    if let Some((rack, server)) = server(book, &node.name) {
        values.push(book.asn("asn", rack.asn));
        let whats = ["address", "eth0.address", "eth1.address"];
        for (what, address) in whats.into_iter().zip(server.addresses) {
            values.push(book.address(what, address, address));
        }
        if node.role == "boot" {
            values.push(book.address("bastion", rack.bastion, rack.bastion.addr()));
        }
    }
    values
}

/// A server by its name, with its rack.
fn server<'b>(book: &'b Book, name: &str) -> Option<(&'b Rack, &'b Server)> {
    book.plan.racks.iter().find_map(|rack| {
        let mut all = [&rack.boot].into_iter().chain(&rack.cs).chain(&rack.ss);
        let server = all.find(|server| server.name == name)?;
        Some((rack, server))
    })
}

fn volume(book: &Book, node: &Node, index: usize, volume: &Volume) -> Value {
    let (value, how, key) = match volume {
        Volume::Image { name, image, .. } if name == "root" => (
            format!("{name}: {image}"),
            "an overlay of the image",
            "image",
        ),
        Volume::Image { name, image, .. } => (
            format!("{name}: {image}"),
            "an overlay of each of `data`",
            "data",
        ),
        Volume::Seed {
            name, user_data, ..
        } => {
            let how = "the template, rendered for this server";
            (format!("{name}: {user_data}"), how, "cloud-init-template")
        }
        Volume::Raw {
            name, size, data, ..
        } => {
            let key = match (data, name.contains('-')) {
                (false, _) => "image",
                (true, true) => "disks",
                (true, false) => "disk-count",
            };
            let how = if *data {
                "an empty disk; sizes are 50G where nobody says"
            } else {
                "an empty root disk, for want of an image"
            };
            (format!("{name}: {size}"), how, key)
        }
        Volume::Folder { name, path } => (
            format!("{name}: {path}"),
            "every boot server sees what is written for sabakan",
            "",
        ),
    };
    let mut from = match key {
        "" => Vec::new(),
        key => book.of_type(node.role, key),
    };
    if key == "disk-count" {
        from.extend(book.of_type(node.role, "disk-size"));
    }
    Value::new(format!("volumes[{index}]"), value, how, from)
}

/// The time server: what it is stands in no document, but for its network.
fn time_server(book: &Book, node: &Node) -> Vec<Value> {
    let fixed = |what: &str, value: &dyn std::fmt::Display| {
        let from = vec![book.key("ntp")];
        Value::new(what, value, "as every time server of Neco's", from)
    };
    let mut values = vec![fixed("name", &node.name)];
    values.extend(book.labels(node.role, node.rack));
    values.extend(node.cpu.map(|cpu| fixed("cpu", &cpu)));
    values.extend(node.memory.as_ref().map(|memory| fixed("memory", memory)));
    values.extend(node.ignition.as_ref().map(|file| fixed("ignition", file)));
    for (index, volume) in node.volumes.iter().enumerate() {
        if let Volume::Image { name, image, .. } = volume {
            values.push(fixed(
                &format!("volumes[{index}]"),
                &format!("{name}: {image}"),
            ));
        }
    }
    for network in &node.interfaces {
        values.push(fixed("eth0", network));
    }
    if let Some(chrony) = &book.plan.chrony {
        for net in chrony.servers {
            values.push(book.address("eth0.address", net, net.addr()));
        }
        let gateway = chrony.gateway;
        values.push(book.address("default-route", gateway, gateway));
        let given = book.spec("Network", None);
        let image = given.into_iter().find(|it| it.what == "spec.chrony.image");
        values.push(image.map_or_else(
            || {
                let how = "default";
                Value::new(
                    "chrony.image",
                    &chrony.image,
                    how,
                    vec![book.key("chrony.image")],
                )
            },
            |image| Value {
                what: "chrony.image".into(),
                ..image
            },
        ));
    }
    values
}
