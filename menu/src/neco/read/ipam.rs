//! Reads the IPAM configuration, a JSON file of sabakan's, which lies beside the menu.

use super::network::subnet;
use crate::neco::allocation::{BOOT_SEAT, RANGES};
use crate::neco::input::Ipam;
use crate::neco::{Beside, Inputs};
use placemat_spec::document::{self, At, Fields, Item};
use placemat_spec::problem::Findings;
use placemat_spec::{Problem, Source};
use std::net::Ipv4Addr;

pub(super) fn read(
    file: &At<String>,
    inputs: &mut Inputs,
    beside: &dyn Beside,
    findings: &Findings,
) -> Option<Ipam> {
    let index = inputs.open(file, "the IPAM configuration", beside, findings)?;
    // A reader gives places by the number of a source: what stands before it is empty to it.
    let mut sources = vec![Source::inline("", ""); index];
    let mut source = inputs.sources[index].clone();
    // JSON is YAML but for tabs before a value.
    source.text = source.text.replace('\t', " ").into();
    sources.push(source);
    let errors = findings.error_count();
    let documents = document::load(&sources, findings);
    let Some(document) = documents.first() else {
        if findings.error_count() == errors {
            let problem = Problem::new("empty", "the IPAM configuration is empty");
            findings.error(problem.at(file.place, "this file"));
        }
        return None;
    };
    let root = Item::root(&document.root, "the IPAM configuration", findings);
    let mut fields = root.fields()?;
    let ipam = keys(&mut fields);
    fields.finish();
    ipam
}

fn keys(fields: &mut Fields<'_>) -> Option<Ipam> {
    let place = fields.place();
    let node_pool = fields.req("node-ipv4-pool").and_then(|it| subnet(&it));
    let node_offset = offset(fields, "node-ipv4-offset");
    let range_size = fields.req("node-ipv4-range-size");
    let range_size = range_size.and_then(|it| it.integer(3..=24u32));
    let range_mask = fields.req("node-ipv4-range-mask");
    let range_mask = range_mask.and_then(|it| it.integer(8..=32u32));
    fixed(
        fields,
        "node-ip-per-node",
        RANGES,
        "a server has one address of its own and one on the segment of each ToR",
    );
    fixed(
        fields,
        "node-index-offset",
        BOOT_SEAT,
        "the boot server has the first index of its rack, after the ToRs",
    );
    let bmc_pool = fields.req("bmc-ipv4-pool").and_then(|it| subnet(&it));
    let bmc_offset = offset(fields, "bmc-ipv4-offset");
    let bmc_range_size = fields.opt("bmc-ipv4-range-size");
    let bmc_range_size = bmc_range_size.and_then(|it| it.integer(1..=24u32));
    let max_nodes = fields.opt("max-nodes-in-rack");
    let max_nodes = max_nodes.and_then(|it| it.integer(1..=u32::MAX));
    // Sabakan's alone.
    let masks = fields.opt("bmc-ipv4-range-mask");
    masks.and_then(|it| it.integer(8..=32u32));
    for key in ["node-gateway-offset", "bmc-ipv4-gateway-offset"] {
        fields.opt(key).and_then(|it| it.integer(1..=u32::MAX));
    }
    Some(Ipam {
        node_pool: node_pool?,
        node_offset: node_offset.unwrap_or(At::new(0, place)),
        range_size: range_size?,
        range_mask: range_mask?,
        bmc_pool: bmc_pool?,
        bmc_offset: bmc_offset.unwrap_or(At::new(0, place)),
        bmc_range_size,
        max_nodes,
    })
}

/// An offset, as sabakan writes it: `0.0.1.0` is 256.
fn offset(fields: &mut Fields<'_>, key: &'static str) -> Option<At<u32>> {
    let item = fields.opt(key)?;
    if item.tree().text() == Some("") {
        return None;
    }
    item.parse("bad-offset", "an offset such as `0.0.1.0`", |text| {
        text.parse::<Ipv4Addr>()
            .map(u32::from)
            .map_err(|_| "not a number of four parts")
    })
}

/// A number that the arithmetic relies on.
fn fixed(fields: &mut Fields<'_>, key: &'static str, wanted: u32, why: &str) {
    let Some(item) = fields.req(key) else { return };
    let Some(number) = item.integer(0..=u32::MAX) else {
        return;
    };
    if number.value != wanted {
        let message = format!("must be {wanted}, not {}", number.value);
        let problem = item.problem("unsupported", &message, format!("expected {wanted}"));
        item.findings().error(problem.help(why));
    }
}
