//! Reads `kind: Network`.

use super::ipam;
use crate::neco::input::{Chrony, Exposed, Network};
use crate::neco::{Beside, Inputs};
use ipnet::Ipv4Net;
use placemat_spec::document::{At, Fields, Item};
use placemat_spec::value;
use std::net::{IpAddr, Ipv4Addr};

/// Least and most that `asn-base` can be: three ASNs come before it.
const ASNS: std::ops::RangeInclusive<u32> = 4..=u32::MAX - 1;
/// The time server's container, unless `chrony` says otherwise. Neco's menu had its tag built in.
const CHRONY: &str = "ghcr.io/cybozu/chrony:4.5.0.2";

pub(super) fn read(
    fields: &mut Fields<'_>,
    inputs: &mut Inputs,
    beside: &dyn Beside,
) -> Option<Network> {
    let file = fields.req_or(
        "ipam-config",
        "`ipam-config: ipam.json` names sabakan's IPAM configuration, a file beside the menu",
    );
    let file = file.and_then(|it| it.string());
    let ipam = file.and_then(|file| ipam::read(&file, inputs, beside, fields.findings()));
    let asn_base = fields.req_or(
        "asn-base",
        "the ASN of the first rack, such as `asn-base: 64600`; three before it are taken, too",
    );
    let asn_base = asn_base.and_then(|it| it.integer(ASNS));
    let internet = required(fields, "internet", "10.0.0.0/24", "between host and core");
    let spine_tor = fields.req_or(
        "spine-tor",
        "the first address of the links between spines and ToRs, such as `spine-tor: 10.72.1.0`",
    );
    let spine_tor = spine_tor.and_then(|it| address(&it));
    let mut core =
        |key, like, other| required(fields, key, like, &format!("between core and {other}"));
    let core_spine = core("core-spine", "10.72.2.0/31", "the first spine");
    let core_external = core("core-external", "10.72.3.0/24", "`external`");
    let core_operation = core("core-operation", "10.72.4.0/24", "`operation`");
    let proxy = fields.opt("proxy").and_then(|it| address(&it));
    let ntp = fields.opt("ntp").and_then(|it| subnet(&it));
    let pod = fields.opt("pod").and_then(|it| subnet(&it));
    let exposed = fields.req_or(
        "exposed",
        "`exposed` has the ranges `loadbalancer`, `bastion`, `egress` and `global`",
    );
    let exposed = exposed.and_then(|it| self::exposed(&it));
    let chrony = fields.opt("chrony").map(|it| chrony(&it));
    Some(Network {
        ipam: ipam?,
        asn_base: asn_base?,
        internet: internet?,
        spine_tor: spine_tor?,
        core_spine: core_spine?,
        core_external: core_external?,
        core_operation: core_operation?,
        proxy,
        ntp,
        pod,
        exposed: exposed?,
        chrony: chrony.unwrap_or_else(|| Chrony {
            image: CHRONY.into(),
            ssh_keys: Vec::new(),
        }),
    })
}

fn exposed(item: &Item<'_>) -> Option<Exposed> {
    let mut fields = item.fields()?;
    let mut of = |key, like, whose| required(&mut fields, key, like, &format!("addresses {whose}"));
    let load_balancer = of("loadbalancer", "10.72.32.0/20", "of load balancers");
    let bastion = of("bastion", "10.72.48.0/24", "of boot servers, one a rack");
    let egress = of("egress", "10.72.49.0/25", "of egress NAT");
    let global = of("global", "172.19.0.0/24", "that the core masquerades");
    fields.finish();
    Some(Exposed {
        load_balancer: load_balancer?,
        bastion: bastion?,
        egress: egress?,
        global: global?,
    })
}

fn chrony(item: &Item<'_>) -> Chrony {
    let mut chrony = Chrony {
        image: CHRONY.into(),
        ssh_keys: Vec::new(),
    };
    let Some(mut fields) = item.fields() else {
        return chrony;
    };
    let line = |item: &Item<'_>| {
        item.parse("bad-line", "one line of text", |text| match text {
            _ if text.trim().is_empty() => Err("empty"),
            _ if text.contains(char::is_control) => Err("more than one line"),
            _ => Ok(text.trim().to_owned()),
        })
    };
    let image = fields.opt("image").and_then(|it| line(&it));
    chrony.image = image.map_or(chrony.image, |image| image.value);
    let keys = fields.opt("ssh-authorized-keys").and_then(|it| it.list());
    let keys = keys.unwrap_or_default();
    chrony.ssh_keys = keys
        .iter()
        .filter_map(|key| Some(line(key)?.value))
        .collect();
    fields.finish();
    chrony
}

/// A subnet that must be there. Who leaves it out is told what it is, and what one looks like.
fn required(
    fields: &mut Fields<'_>,
    key: &'static str,
    like: &str,
    what: &str,
) -> Option<At<Ipv4Net>> {
    let help = format!("{what}, such as `{key}: {like}`");
    fields.req_or(key, &help).and_then(|it| subnet(&it))
}

/// `10.0.0.0/24`, without host bits.
pub(super) fn subnet(item: &Item<'_>) -> Option<At<Ipv4Net>> {
    item.parse(
        "bad-subnet",
        "an IPv4 subnet such as `10.0.0.0/24`",
        value::parse_subnet,
    )
}

/// `10.0.0.1`.
fn address(item: &Item<'_>) -> Option<At<Ipv4Addr>> {
    let address = item.parse(
        "bad-address",
        "an IPv4 address such as `10.0.0.1`",
        |text| match value::parse_address(text) {
            Ok(IpAddr::V4(address)) => Ok(address),
            Ok(IpAddr::V6(_)) => Err(value::AddressError::NotIpv4),
            Err(error) => Err(error),
        },
    )?;
    Some(address)
}
