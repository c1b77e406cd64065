//! Reads `kind: BootServer`.

use super::{BootEntry, BootServer, dhcp, entry, fault};
use crate::document::Fields;
use crate::draft::{Reading, Want};
use crate::problem::Problem;
use crate::resource::{interface, labels, router};

/// What a boot server's image must be.
pub(super) const BUNDLE: Want =
    Want::Bundle("a boot server serves the `node.efi` or the `vmlinuz` of a bundle");

/// TCP port that BIRD listens on for BGP, on every address (RFC 4271, section 8.2.1).
const BGP: u16 = 179;
/// TCP port of HTTP where the file gives none.
const DEFAULT_PORT: u16 = 80;

pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let interfaces = interface::read(fields, reading);
    let loopback = interface::loopback(fields, reading);
    let first_is_ipv6 = loopback.first().is_some_and(|net| net.addr().is_ipv6());
    if fields.lacks("loopback") || first_is_ipv6 {
        let place = fields.key_place("loopback").unwrap_or(fields.place());
        let problem = Problem::new(
            "missing-key",
            format!(
                "{} does not begin its `loopback` with an IPv4 address",
                fields.describe()
            ),
        )
        .at(
            place,
            "the first `loopback` address is where DHCP relays send to",
        )
        .help("for example `loopback: [10.69.0.3/32]`");
        fields.missing(&["loopback"], problem);
    }
    let image = fields.req("image").and_then(|it| it.string());
    if let Some(image) = &image {
        reading.draft.ledger.refer(BUNDLE, image, &reading.owner);
    }
    let bird = router::bird(fields, reading);
    let http_port = http_port(fields, bird.is_some());
    let server = BootServer {
        name: reading.name.value.clone(),
        interfaces,
        loopback,
        bird,
        dhcp: dhcp::read(fields, reading),
        http_port,
        image: image.map(|image| image.value).unwrap_or_default(),
        boot: entry::method(fields).unwrap_or_default(),
        kernel_params: entry::kernel_params(fields),
        machines: machines(fields, reading),
        faults: fault::read(fields),
        labels: labels::read(fields),
        place: reading.place(),
    };
    reading
        .draft
        .cluster
        .boot_servers
        .entry(server.name.clone())
        .or_insert(server);
}

/// Takes `http`: the port to serve at.
fn http_port(fields: &mut Fields<'_>, bird: bool) -> u16 {
    let owner = fields.describe();
    let Some(mut fields) = fields.opt("http").and_then(|it| it.fields()) else {
        return DEFAULT_PORT;
    };
    let port = fields.opt("port").and_then(|it| it.integer(1..=65535_u16));
    if let Some(port) = port.as_ref().filter(|port| bird && port.value == BGP) {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("two programs of {owner} take port {BGP}"),
            )
            .at(
                port.place,
                "HTTP here, and its `bird` listens for BGP there",
            )
            .help("take another: 80 is HTTP's own"),
        );
    }
    fields.finish();
    port.map_or(DEFAULT_PORT, |port| port.value)
}

fn machines(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Vec<BootEntry> {
    let items = fields
        .opt("machines")
        .and_then(|it| it.list())
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| entry::read(item, reading))
        .collect()
}
