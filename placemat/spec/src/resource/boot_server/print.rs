//! Prints a [`BootServer`].

use super::entry::METHODS;
use super::{
    BootEntry, BootFaults, BootOf, BootServer, Dhcp, DhcpFault, DhcpHost, DhcpRange, HttpFault,
};
use crate::document::At;
use crate::print::{Map, Value, word};
use crate::resource::{interface, router};
use crate::value::{format_duration, format_rate};

pub(crate) fn print(server: &BootServer) -> Map {
    let BootServer {
        name,
        interfaces,
        loopback,
        bird,
        dhcp,
        http_port,
        image,
        boot,
        kernel_params,
        machines,
        faults,
        labels,
        place: _,
    } = server;
    Map::resource("BootServer", name)
        .list("interfaces", interfaces.iter().map(interface::print))
        .addresses("loopback", loopback)
        .text("image", image)
        .maybe("bird", bird.as_ref().map(router::print_bird))
        .map("dhcp", print_dhcp(dhcp))
        .with("http", Map::new().with("port", *http_port))
        .text("boot", word(&METHODS, boot))
        .maybe("kernel-params", kernel_params.as_ref().map(params))
        .map("faults", print_faults(*faults))
        .list("machines", machines.iter().map(entry))
        .labels(labels)
}

fn params(params: &At<Vec<String>>) -> Value {
    Value::list(&params.value)
}

fn print_dhcp(dhcp: &Dhcp) -> Map {
    let Dhcp { ranges, hosts } = dhcp;
    let host = |host: &DhcpHost| {
        let DhcpHost {
            mac,
            address,
            place: _,
        } = host;
        Map::new().text("mac", mac).text("address", address)
    };
    Map::new()
        .list("ranges", ranges.iter().map(range))
        .list("hosts", hosts.iter().map(host))
}

fn range(range: &DhcpRange) -> Map {
    let DhcpRange {
        subnet,
        start,
        end,
        router,
        lease,
        place: _,
    } = range;
    Map::new()
        .text("subnet", subnet)
        .text("start", start)
        .text("end", end)
        .maybe_text("router", *router)
        .text("lease", format_duration(*lease))
}

fn print_faults(faults: BootFaults) -> Map {
    let BootFaults { http, dhcp } = faults;
    let slow = || Map::new().text("how", "slow");
    let http = http.map(|fault| match fault {
        HttpFault::Slow { rate } => slow().text("rate", format_rate(rate)).into(),
        other => Value::text(other),
    });
    let dhcp = dhcp.map(|fault| match fault {
        DhcpFault::Slow { delay } => slow().text("delay", format_duration(delay)).into(),
        other => Value::text(other),
    });
    Map::new().maybe("http", http).maybe("dhcp", dhcp)
}

fn entry(entry: &BootEntry) -> Map {
    let BootEntry {
        of,
        image,
        boot,
        kernel_params,
        config,
        ignition,
        place: _,
    } = entry;
    let map = match of {
        BootOf::Serial(serial) => Map::new().text("serial", serial),
        BootOf::Node(name) => Map::new().text("node", name),
        BootOf::Mac(mac) => Map::new().text("mac", mac),
        BootOf::Nodes(selector) => Map::new().text("nodes", selector),
    };
    map.maybe_text("image", image.as_ref())
        .maybe_text("boot", boot.as_ref().map(|boot| word(&METHODS, boot)))
        .maybe("kernel-params", kernel_params.as_ref().map(params))
        .maybe_path("config", config.as_deref())
        .maybe_path("ignition", ignition.as_deref())
}
