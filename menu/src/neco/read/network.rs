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
    let file = fields.req("ipam-config").and_then(|it| it.string());
    let ipam = file.and_then(|file| ipam::read(&file, inputs, beside, fields.findings()));
    let asn_base = fields.req("asn-base").and_then(|it| it.integer(ASNS));
    let internet = required(fields, "internet");
    let spine_tor = fields.req("spine-tor").and_then(|it| address(&it));
    let core_spine = required(fields, "core-spine");
    let core_external = required(fields, "core-external");
    let core_operation = required(fields, "core-operation");
    let proxy = fields.opt("proxy").and_then(|it| address(&it));
    let ntp = fields.opt("ntp").and_then(|it| subnet(&it));
    let pod = fields.opt("pod").and_then(|it| subnet(&it));
    let exposed = fields.req("exposed").and_then(|it| exposed(&it));
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
    let load_balancer = required(&mut fields, "loadbalancer");
    let bastion = required(&mut fields, "bastion");
    let egress = required(&mut fields, "egress");
    let global = required(&mut fields, "global");
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

fn required(fields: &mut Fields<'_>, key: &'static str) -> Option<At<Ipv4Net>> {
    fields.req(key).and_then(|it| subnet(&it))
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
