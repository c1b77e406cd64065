//! The JSON Schema of scenario files: the committed one is current, the repository's files are valid by it,
//! and what the reader refuses for its shape is not.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../spec/tests/valid/mod.rs"]
mod valid;

use placemat_scenario::load::{Draft, Input};
use placemat_scenario::schema::json_schema;
use placemat_spec::problem::Findings;
use placemat_spec::schema::to_json;
use placemat_spec::{Source, document};
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
            assert!(errors.is_empty(), "{}: {}", path.display(), errors.join("\n"));
            counts[kind] += 1;
        }
    }
    assert!(counts.iter().all(|it| *it >= 2), "{kinds:?}: {counts:?}");
}

/// What is wrong by its shape alone, which the schema can tell.
const WRONG: &[&str] = &[
    "{kind: Scenari, name: a, steps: []}",
    "{kind: Scenario, name: a, dc: c.yml}",
    "{kind: Scenario, name: a, dc: c.yml, stps: [], steps: [{sleep: 1s}]}",
    "{kind: Suite, name: a, dc: [b]}",
    "{kind: Scenario, name: a, dc: c.yml, steps: [{sleep: 1s, exec: {at: hub, run: x}}]}",
    "{kind: Scenario, name: a, dc: c.yml, steps: [{name: a}]}",
    "{kind: Scenario, name: a, dc: c.yml, steps: [{check: {bgb: {of: router/a}}}]}",
    "{kind: Scenario, name: a, dc: c.yml, steps: [{sleep: {fro: 1s}}]}",
    "{kind: Scenario, name: a, dc: c.yml, steps: [{exec: {at: hub, run: x, expect: {exti: 1}}}]}",
    "{kind: Scenario, name: a, dc: c.yml, steps: [{exec: {run: x}}]}",
    "{kind: Scenario, name: a, dc: c.yml, steps: [{parallel: {branches: [{sleep: 1s}]}}]}",
    "{kind: Library, name: a, conditions: {b: {params: {}, taht: {bgp: {of: router/a}}}}}",
];

#[test]
fn a_wrong_shape_is_refused_by_schema_and_reader_alike() {
    let schema = json_schema();
    let cluster = placemat_spec::Cluster::load(vec![Source::inline(
        "cluster",
        "{kind: Router, name: a}",
    )]);
    let (cluster, _) = cluster.unwrap_or_else(|problems| panic!("{problems}"));
    for wrong in WRONG {
        let document = documents(Source::inline("wrong", *wrong)).remove(0);
        let errors = valid::errors(&schema, &document);
        assert!(!errors.is_empty(), "the schema takes {wrong}");
        let input = Input {
            source: Source::inline("wrong", *wrong),
            asked: true,
        };
        let read = Draft::parse(vec![input]).and_then(|draft| draft.resolve(&cluster));
        assert!(read.is_err(), "the reader takes {wrong}");
    }
}
