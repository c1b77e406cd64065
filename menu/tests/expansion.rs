//! What the examples expand to, file by file, and what bad rack specs are told.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use placemat_menu::verify::verify;
use placemat_menu::{Source, expand, is_rack_spec};
use std::path::Path;

/// The folder is not a real one, so that snapshots do not depend on where the tests run.
fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.into(),
        dir: "/dc/menu/examples".into(),
        text: text.into(),
    }
}

fn snapshot(name: &str, text: &str) {
    let output = expand(&source(name, text)).unwrap_or_else(|problems| panic!("{problems}"));
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path(Path::new("snapshots").join(name));
    settings.bind(|| {
        for file in output.files {
            let script = file.contents.starts_with("#!");
            assert_eq!(file.mode, if script { 0o755 } else { 0o644 });
            let name = file.path.display().to_string().replace('/', "-");
            insta::assert_snapshot!(name, file.contents);
        }
    });
}

#[test]
fn small() {
    snapshot("small", include_str!("../examples/small.yml"));
}

#[test]
fn routers() {
    snapshot("routers", include_str!("../examples/routers.yml"));
}

/// One ToR a rack, a rack without servers, mocks, kernels, and every key that has a default left out.
#[test]
fn odd() {
    let text = "
kind: DataCenter
name: odd
spines: 1
tors: 1
types: {chassis: {tier: mock}, direct: {tier: kernel, memory: 1G, disk: os}}
racks: [{servers: []}, {count: 2, servers: [2 x chassis, direct]}]
image: {name: os, bundle: ./bundle}
asn-base: 4200000000
";
    snapshot("odd", text);
}

#[test]
fn medium() {
    snapshot("medium", include_str!("inputs/medium.yml"));
}

#[test]
fn turned() {
    snapshot("turned", include_str!("inputs/turned.yml"));
}

#[test]
fn bad_rack_specs() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots/bad");
    let _bound = settings.bind_to_scope();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let problems = expand(&source(name, &text)).unwrap_err();
        insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), problems);
    }
}

#[test]
fn rack_specs_are_told_from_clusters() {
    let is = |text| is_rack_spec(&source("x.yml", text));
    assert!(is("kind: DataCenter"));
    assert!(is("name: x\nkind: DataCenter\nspines: [not, a, number]"));
    assert!(!is("kind: Network\nname: DataCenter"));
    assert!(!is("# kind: DataCenter\n---\nkind: Network"));
    assert!(!is(""));
}

/// What a ToR does with what it hears from its boot server, it does not do with a server whose role
/// begins alike.
#[test]
fn a_server_is_not_taken_for_the_boot_server() {
    for (family, sessions) in [
        ("ipv4", vec!["rack1-boot"]),
        ("dual", vec!["rack1-boot", "rack1-boot-ipv6"]),
        ("ipv6", vec!["rack1-boot", "rack1-boot"]),
    ] {
        let text = format!(
            "{{kind: DataCenter, name: boots, spines: 1, family: {family}, racks: [{{servers: [a]}}], \
             types: {{a: {{tier: netns, role: boot-x}}}}, image: {{bundle: node}}}}"
        );
        let output = expand(&source("boots", &text)).unwrap();
        let tor = output
            .files
            .iter()
            .find(|it| it.path.ends_with("rack1-tor1.conf"));
        let tor = &tor.unwrap().contents;
        assert!(tor.contains("protocol bgp 'rack1-boot-x1'"), "{tor}");
        let conditions = tor
            .lines()
            .filter_map(|line| line.trim().strip_prefix("if proto "));
        let of_rack: Vec<&str> = conditions.filter(|it| it.contains("\"rack")).collect();
        let wanted = |(session, line): (&&str, &&str)| {
            line.starts_with(&format!("= \"{session}\" then bgp_next_hop = "))
        };
        assert_eq!(of_rack.len(), sessions.len(), "{of_rack:?}");
        assert!(sessions.iter().zip(&of_rack).all(wanted), "{of_rack:?}");
    }
}

/// A role as long as it may be still makes names that a cluster takes.
#[test]
fn the_longest_role_is_not_too_long() {
    let text = format!(
        "{{kind: DataCenter, name: long, spines: 1, racks: [{{count: 12, servers: [44 x a]}}], \
         types: {{a: {{tier: mock, role: {}}}}}, image: {{bundle: node}}}}",
        "r".repeat(50)
    );
    let output = expand(&source("long", &text)).unwrap();
    let longest = output.plan.servers.last().unwrap();
    // Room for racks of five digits.
    assert!(longest.speaker.name.len() <= 63 - 3);
    verify(&output.plan, &output.files).unwrap_or_else(|problems| panic!("{problems}"));
}
