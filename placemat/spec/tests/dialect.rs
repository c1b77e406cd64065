//! The rules of placemat v2 for keys and values, and what they give.

#![allow(clippy::unwrap_used)]

use placemat_spec::document::Dialect;
use placemat_spec::{Cluster, Problems, Severity, Source};
use std::path::Path;

fn load(dialect: Dialect, name: &str) -> Result<(Cluster, Problems), Problems> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/v2")
        .join(name);
    let text = std::fs::read_to_string(path).unwrap();
    Cluster::load_as(dialect, vec![Source::inline(name, text)])
}

#[test]
fn what_v2_took_is_taken_with_warnings() {
    let (cluster, warnings) =
        load(Dialect::V2, "lenient.yml").unwrap_or_else(|errors| panic!("{errors}"));
    let boot = &cluster.nodes["boot"];
    // OVMF left to itself takes disks first.
    assert!(boot.firmware.uefi && !boot.firmware.http_boot);
    assert_eq!((boot.cpu.count, boot.memory.mib), (2, 2048));
    assert_eq!(boot.smbios.serial.len(), 40);
    assert_eq!(boot.smbios.product, None);
    assert!(!cluster.networks["net0"].use_nat);
    assert_eq!(cluster.routers["external"].interfaces[0].addresses.len(), 1);
    insta::assert_snapshot!(warnings.render_as(Severity::Warning, false));
}

#[test]
fn the_same_is_refused_by_placemats_own_rules() {
    let errors = load(Dialect::Strict, "lenient.yml").unwrap_err();
    let mut codes: Vec<&str> = errors.list.iter().map(|it| it.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let all = [
        "bad-serial",
        "duplicate-key",
        "missing-kind",
        "out-of-range",
        "unknown-key",
    ];
    assert_eq!(codes, all, "{errors}");
}

#[test]
fn what_v2_refused_too_and_what_can_only_be_meant_otherwise() {
    let errors = load(Dialect::V2, "wrong.yml").unwrap_err();
    insta::assert_snapshot!(errors.to_string());
}
