//! Reads the IPAM configuration, a JSON file of sabakan's, which lies beside the menu.

use super::network::subnet;
use crate::neco::allocation::{BOOT_SEAT, RANGES};
use crate::neco::input::Ipam;
use crate::neco::{Beside, Inputs};
use crate::place::place;
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
    if let Some(problem) = no_json(index, &inputs.sources[index].text) {
        findings.error(problem);
        return None;
    }
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
            let help = "menu/examples/neco/ipam.json is one";
            findings.error(problem.at(file.place, "this file").help(help));
        }
        return None;
    };
    let root = Item::root(&document.root, "the IPAM configuration", findings);
    let mut fields = root.fields()?;
    let ipam = keys(&mut fields);
    fields.finish();
    ipam
}

/// Why a text is no JSON. YAML is more than JSON: what reads as YAML may be nothing to sabakan.
fn no_json(index: usize, text: &str) -> Option<Problem> {
    // That nothing is there is told of the file.
    if text.trim().is_empty() {
        return None;
    }
    let error = serde_json::from_str::<serde_json::Value>(text).err()?;
    let before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    // Column 0 is the end of the line before.
    let mut at = (before + error.column()).saturating_sub(1);
    at = at.min(text.trim_end().len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let told = error.to_string();
    let what = told
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    Some(
        Problem::new("json", "the IPAM configuration is no JSON")
            .at(place(index, text, at..at + 1), what)
            .help("sabakan reads it: keys in quotes, no comments, no comma after the last, numbers such as `6`"),
    )
}

fn keys(fields: &mut Fields<'_>) -> Option<Ipam> {
    let place = fields.place();
    let node_pool = fields.req_or(
        "node-ipv4-pool",
        "the range of the servers' addresses, such as `\"node-ipv4-pool\": \"10.69.0.0/20\"`",
    );
    let node_pool = node_pool.and_then(|it| subnet(&it));
    let node_offset = offset(fields, "node-ipv4-offset");
    let range_size = fields.req_or(
        "node-ipv4-range-size",
        "`\"node-ipv4-range-size\": 6` is 64 addresses (2 to the power of 6) for each segment",
    );
    let range_size = range_size.and_then(|it| it.integer(3..=24u32));
    let range_mask = fields.req_or(
        "node-ipv4-range-mask",
        "the prefix length of a segment, such as `\"node-ipv4-range-mask\": 26`",
    );
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
    let bmc_pool = fields.req_or(
        "bmc-ipv4-pool",
        "the range of the BMCs' addresses, such as `\"bmc-ipv4-pool\": \"10.72.16.0/20\"`",
    );
    let bmc_pool = bmc_pool.and_then(|it| subnet(&it));
    let bmc_offset = offset(fields, "bmc-ipv4-offset");
    let bmc_range_size = fields.opt("bmc-ipv4-range-size");
    let bmc_range_size = bmc_range_size.and_then(|it| it.integer(1..=24u32));
    let max_nodes = fields.opt("max-nodes-in-rack");
    let max_nodes = max_nodes.and_then(|it| it.integer(1..=u32::MAX));
    // Sabakan's alone.
    let masks = fields.opt("bmc-ipv4-range-mask");
    masks.and_then(|it| it.integer(8..=32u32));
    let mut gateway = |key| fields.opt(key)?.integer(1..=u32::MAX);
    let gateway_offset = gateway("node-gateway-offset");
    gateway("bmc-ipv4-gateway-offset");
    Some(Ipam {
        node_pool: node_pool?,
        node_offset: node_offset.unwrap_or(At::new(0, place)),
        range_size: range_size?,
        range_mask: range_mask?,
        bmc_pool: bmc_pool?,
        bmc_offset: bmc_offset.unwrap_or(At::new(0, place)),
        bmc_range_size,
        max_nodes,
        gateway_offset,
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
    let help = format!("`\"{key}\": {wanted}`: {why}");
    let Some(item) = fields.req_or(key, &help) else {
        return;
    };
    let Some(number) = item.integer(0..=u32::MAX) else {
        return;
    };
    if number.value != wanted {
        let message = format!("must be {wanted}, not {}", number.value);
        let problem = item.problem("unsupported", &message, format!("expected {wanted}"));
        item.findings().error(problem.help(why));
    }
}
