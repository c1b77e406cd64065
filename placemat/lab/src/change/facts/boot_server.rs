//! Keys of boot servers. What its HTTP offers changes in place, what its DHCP says with a new `dnsmasq`.

use super::super::How;
use super::{Facts, nets, said, word};
use crate::blueprint::Blueprint;
use crate::change::facts::other;
use placemat_spec::resource::{
    BootFaults, BootRecipe, BootServer, Dhcp, DhcpHost, DhcpRange, NodeIndex,
};
use placemat_spec::value::format_duration;

pub(super) fn facts(server: &BootServer, of: &Blueprint, index: &NodeIndex<'_>) -> Facts {
    let BootServer {
        name,
        interfaces,
        loopback,
        bird,
        dhcp,
        http_port,
        image: _,
        boot: _,
        kernel_params: _,
        machines: _,
        faults,
        labels,
        place: _,
    } = server;
    let mut facts = Facts::default();
    facts.interfaces(name, interfaces, How::Link, How::Address);
    facts.add("loopback", nets(loopback), How::Program);
    facts.bird(bird.as_ref(), of);
    let Dhcp { ranges, hosts } = dhcp;
    for range in ranges {
        let DhcpRange {
            subnet,
            start,
            end,
            router,
            lease,
            place: _,
        } = range;
        let router = said(" router", *router);
        let text = format!("{start} to {end}{router} for {}", format_duration(*lease));
        facts.add(format!("dhcp.{subnet}"), text, How::Program);
    }
    for host in hosts {
        let DhcpHost {
            mac,
            address,
            place: _,
        } = host;
        facts.add(format!("dhcp.hosts.{mac}"), address, How::Program);
    }
    facts.add("http-port", http_port, How::Program);
    facts.add("boots", recipe(&server.usual(), of), How::InPlace);
    // All entries for a machine taken together, since that is what it gets.
    for (node, each) in server.recipes(&of.cluster, index) {
        let serial = &of.cluster.nodes[node].smbios.serial;
        let text = format!("{} serial {serial}", recipe(&each, of));
        facts.add(format!("machines.{node}"), text, How::InPlace);
    }
    let BootFaults { http, dhcp } = faults;
    let http = http.map(|it| word(&it));
    facts.add("faults.http", http.unwrap_or_default(), How::InPlace);
    let dhcp = dhcp.map(|it| word(&it));
    facts.add("faults.dhcp", dhcp.unwrap_or_default(), How::Program);
    facts.labels(labels);
    facts
}

fn recipe(recipe: &BootRecipe<'_>, of: &Blueprint) -> String {
    let BootRecipe {
        image,
        boot,
        kernel_params,
        config,
        ignition,
    } = recipe;
    let mut text = format!("{} {}", other::named_image(image, &of.cluster), word(boot));
    for more in [
        kernel_params.join(" "),
        said("config", config.map(|it| it.display())),
        said("ignition", ignition.map(|it| it.display())),
    ] {
        if !more.is_empty() {
            text = format!("{text} {more}");
        }
    }
    text
}
