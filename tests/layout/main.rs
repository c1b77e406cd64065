//! The shape of the tree: who imports whom, how long files are, where `unsafe` is, which lints hold.

mod named_tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use placemat_tests::repository;

/// Who may import whom, as DESIGN says. Whoever is not named here imports no sibling.
const MAY: &[(&str, &[&str])] = &[
    (
        "placemat-lab",
        &["placemat-spec", "placemat-host", "placemat-bmc"],
    ),
    ("placemat-scenario", &["placemat-spec"]),
    ("placemat-menu", &["placemat-spec"]),
    ("placemat-cli", ALL),
    ("placemat-tests", ALL),
];

const ALL: &[&str] = &[
    "placemat-spec",
    "placemat-host",
    "placemat-bmc",
    "placemat-lab",
    "placemat-scenario",
    "placemat-menu",
];

const LONGEST: usize = 500;

#[test]
fn crates_import_whom_they_may() {
    let mut wrong = Vec::new();
    for (name, dependencies) in workspace() {
        let may = MAY
            .iter()
            .find(|(who, _)| *who == name)
            .map_or(&[][..], |(_, may)| may);
        let siblings = dependencies
            .iter()
            .filter(|other| other.starts_with("placemat-"));
        let bad = siblings.filter(|other| !may.contains(&other.as_str()));
        wrong.extend(bad.map(|other| format!("{name} imports {other}")));
    }
    assert!(
        wrong.is_empty(),
        "not allowed by DESIGN section 3: {wrong:#?}"
    );
}

#[test]
fn files_are_short() {
    let long = sources().into_iter().filter_map(|path| {
        let lines = fs::read_to_string(&path).ok()?.lines().count();
        (lines > LONGEST).then(|| format!("{}: {lines} lines", path.display()))
    });
    let long: Vec<String> = long.collect();
    assert!(long.is_empty(), "more than {LONGEST} lines: {long:#?}");
}

/// Whoever opens a file, a test's too, is told what it is for.
#[test]
fn every_file_opens_with_what_it_is_for() {
    let silent = sources().into_iter().filter(|path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        !first.starts_with("//! ")
    });
    let silent: Vec<PathBuf> = silent.collect();
    assert!(silent.is_empty(), "no `//!` on the first line: {silent:#?}");
}

#[test]
fn only_host_has_unsafe_code() {
    let host = repository().join("placemat/host");
    let mut wrong = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap_or_default();
        // In a string, such as in this test, it is no code.
        let code = text
            .lines()
            .map(|line| line.split("//").next().unwrap_or(line));
        let has = code.filter(|line| !line.contains('"')).any(|line| {
            ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
                .iter()
                .any(|word| line.contains(word))
        });
        if has && !path.starts_with(&host) {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "unsafe code outside of host: {wrong:#?}");
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let root = fs::read_to_string(repository().join("Cargo.toml")).expect("the workspace");
    for manifest in manifests() {
        let text = fs::read_to_string(&manifest).expect("a manifest");
        if text.contains("[lints]\nworkspace = true") {
            continue;
        }
        // Host must allow what the others forbid, and repeats the rest.
        assert!(
            manifest.ends_with("placemat/host/Cargo.toml"),
            "{} does not inherit the lints",
            manifest.display()
        );
        let rest = root
            .split("[workspace.lints.clippy]")
            .nth(1)
            .unwrap_or_default();
        let names = rest.lines().take_while(|line| !line.starts_with('['));
        for name in names.filter_map(|line| line.split(" = ").next()) {
            assert!(
                name.is_empty() || name.starts_with('#') || text.contains(name),
                "host does not repeat the lint {name}"
            );
        }
        assert!(text.contains("missing_docs") && text.contains("unreachable_pub"));
    }
}

/// Members of the workspace with their dependencies of every kind.
fn workspace() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(repository())
        .output()
        .expect("cargo metadata");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &serde_json::Value| value["name"].as_str().unwrap_or_default().to_owned();
    let members = packages.iter().map(|package| {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        (name(package), dependencies.map(name).collect())
    });
    members.collect()
}

fn manifests() -> Vec<PathBuf> {
    let mut found = vec![
        repository().join("menu/Cargo.toml"),
        repository().join("tests/Cargo.toml"),
    ];
    let crates = fs::read_dir(repository().join("placemat")).expect("crates");
    found.extend(
        crates
            .flatten()
            .map(|entry| entry.path().join("Cargo.toml")),
    );
    found.retain(|path| path.is_file());
    found
}

/// Every Rust file of the tree.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for top in ["placemat", "menu", "tests", "images", "ci"] {
        walk(&repository().join(top), &mut found);
    }
    assert!(found.len() > 100, "the tree is not where it was");
    found
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if name != "target" && name != "out" {
                walk(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}
