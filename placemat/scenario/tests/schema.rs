//! The JSON Schema of scenario files: the committed one is current, the repository's files are valid by it,
//! and what the reader refuses for its shape is not.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../spec/tests/valid/mod.rs"]
mod valid;

use placemat_scenario::load::{Draft, Input};
use placemat_scenario::schema::json_schema;
use placemat_spec::problem::Findings;
use placemat_spec::schema::to_json;
use placemat_spec::{Cluster, Source, document};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn documents(source: Source) -> Vec<Value> {
    let trees = document::load(&[source], &Findings::new());
    trees.iter().map(|it| to_json(&it.root)).collect()
}

/// Run with `PLACEMAT_UPDATE=1` to write the current schema.
#[test]
fn the_committed_schema_is_current() {
    let path = root().join("docs/reference/scenario.schema.json");
    let current = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    if std::env::var_os("PLACEMAT_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == current,
        "docs/reference/scenario.schema.json is out of date: run with PLACEMAT_UPDATE=1"
    );
}

/// Every YAML file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|it| it == "yml") {
            found.push(path);
        }
    }
}

#[test]
fn scenarios_and_examples_are_valid() {
    let schema = json_schema();
    let kinds = schema["properties"]["kind"]["enum"].as_array().unwrap();
    let mut paths = Vec::new();
    files(&root().join("scenarios"), &mut paths);
    files(&root().join("examples"), &mut paths);
    let mut counts = vec![0; kinds.len()];
    for path in paths {
        let source = Source::file(&path, std::fs::read_to_string(&path).unwrap());
        for document in documents(source) {
            let Some(kind) = kinds.iter().position(|it| *it == document["kind"]) else {
                continue;
            };
            let errors = valid::errors(&schema, &document);
            assert!(
                errors.is_empty(),
                "{}: {}",
                path.display(),
                errors.join("\n")
            );
            counts[kind] += 1;
        }
    }
    assert!(counts.iter().all(|it| *it >= 2), "{kinds:?}: {counts:?}");
}

/// Each begins right; what is behind the arrow is put in for what is before it.
const WRONG: &[(&str, &str)] = &[
    ("kind: Scenario", "kind: Scenari"),
    ("steps: [", "stps: ["),
    ("dc: c.yml", "dc: [c.yml]"),
    ("reason: r}", "reason: r}, exec: {at: hub, argv: [x]}"),
    ("sleep: {for: 1s, reason: r}", "name: a"),
    ("for: 1s", "fro: 1s"),
    ("power: {of: node/a", "pwer: {of: node/a"),
    ("exit: 1", "exti: 1"),
    ("at: hub, ", ""),
    (
        "[{sleep: {for: 2s, reason: r}}]",
        "{sleep: {for: 2s, reason: r}}",
    ),
    ("continue: true", "continue: 3"),
];

const RIGHT: &str = "
kind: Scenario
name: a
dc: c.yml
steps: [
  {sleep: {for: 1s, reason: r}},
  {check: {that: {power: {of: node/a, is: On}}}},
  {exec: {at: hub, argv: [x], expect: {exit: 1}}},
  {parallel: {branches: [[{sleep: {for: 2s, reason: r}}], [{sleep: {for: 3s, reason: r}}]]}, continue: true}
  ]";

/// What the reader says; empty if it takes it.
fn read(text: &str) -> String {
    let cluster = "{kind: Node, name: a, tier: mock, bmc: {address: 10.0.0.1}}\n---\n{kind: Network, name: n, type: bmc, address: 10.0.0.9/24}";
    let (cluster, _) = Cluster::load(vec![Source::inline("cluster", cluster)])
        .unwrap_or_else(|problems| panic!("{problems}"));
    let input = Input {
        source: Source::inline("scenario", text),
        asked: true,
    };
    match Draft::parse(vec![input]).and_then(|draft| draft.resolve(&cluster)) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn a_wrong_shape_is_refused_by_schema_and_reader_alike() {
    let schema = json_schema();
    let by_schema = |text: &str| {
        let document = documents(Source::inline("scenario", text)).remove(0);
        valid::errors(&schema, &document).join("\n")
    };
    assert_eq!((read(RIGHT), by_schema(RIGHT)), <_>::default());
    for (right, wrong) in WRONG {
        assert!(RIGHT.contains(right), "{right}");
        let text = RIGHT.replacen(right, wrong, 1);
        assert!(!by_schema(&text).is_empty(), "the schema takes {wrong}");
        assert!(!read(&text).is_empty(), "the reader takes {wrong}");
    }
}
