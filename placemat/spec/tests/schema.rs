//! The tables of `schema` say what the readers ask for, and what is printed from them is current.
//! `PLACEMAT_UPDATE=1` writes docs/reference.
#![allow(clippy::unwrap_used, reason = "tests")]

mod valid;

use placemat_spec::problem::Findings;
use placemat_spec::schema::{asked, declared, json_schema, kinds, reference, to_json};
use placemat_spec::{Cluster, Source, document};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every YAML file of a folder of this crate's tests.
fn files(folder: &str) -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "yml"));
    paths.sort();
    let source = |path: &PathBuf| Source::file(path, std::fs::read_to_string(path).unwrap());
    paths.iter().map(source).collect()
}

fn examples() -> Vec<Source> {
    let example = |kind: &placemat_spec::schema::KindDoc| Source::inline(kind.name, kind.example);
    kinds().map(example).collect()
}

/// Files that load.
fn good() -> Vec<Source> {
    let mut sources = files("good");
    sources.extend(examples());
    let expanded = root().join("menu/tests/snapshots");
    for folder in std::fs::read_dir(expanded).unwrap() {
        let path = folder.unwrap().path().join("cluster.yml.snap");
        if let Ok(text) = std::fs::read_to_string(&path) {
            let (_, yaml) = text
                .trim_start_matches("---\n")
                .split_once("---\n")
                .unwrap();
            sources.push(Source::file(&path, yaml));
        }
    }
    sources
}

#[test]
fn tables_say_what_readers_ask_for() {
    let mut sources = files("good");
    sources.extend(files("bad"));
    sources.extend(examples());
    let (asked, declared) = (asked(&sources), declared());
    let unasked = declared.unasked(&asked).to_string();
    assert!(
        unasked.is_empty(),
        "tables have what no reader asks for:\n{unasked}"
    );
    let unknown = asked.without(&declared).to_string();
    assert!(
        unknown.is_empty(),
        "readers ask for what no table has; add it to `keys.rs` beside the reader:\n{unknown}"
    );
}

#[test]
fn the_examples_of_all_kinds_load_together() {
    match Cluster::load(examples()) {
        Ok((_, warnings)) => assert!(warnings.is_empty(), "{warnings}"),
        Err(problems) => panic!("{problems}"),
    }
}

#[test]
fn good_files_are_valid_by_the_schema_and_a_wrong_key_is_not() {
    let schema = json_schema(None);
    let documents = |source: Source| {
        let findings = Findings::new();
        let trees = document::load(&[source], &findings);
        trees.iter().map(|it| to_json(&it.root)).collect::<Vec<_>>()
    };
    let mut count = 0;
    for source in good() {
        let name = source.name.clone();
        for document in documents(source) {
            let errors = valid::errors(&schema, &document);
            assert!(
                errors.is_empty(),
                "{name}: {}\n{document}",
                errors.join("\n")
            );
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
    for wrong in [
        "{kind: Nod, name: a}",
        "{kind: Network, name: a}",
        "{kind: Network, name: a, type: internal, mut: 1500}",
        "{kind: Network, name: a, type: outside}",
        "{kind: Network, name: a, type: internal, mtu: 20}",
        "{kind: Node, name: a, interfaces: [{network: b, mac: [no]}]}",
        "{kind: Node, name: a, volumes: [{kind: raw, name: b}]}",
    ] {
        let document = documents(Source::inline("wrong", wrong)).remove(0);
        assert!(!valid::errors(&schema, &document).is_empty(), "{wrong}");
    }
}

#[test]
fn what_is_printed_from_the_tables_is_current() {
    let folder = root().join("docs/reference");
    let mut pages = reference();
    let schema = serde_json::to_string_pretty(&json_schema(None)).unwrap() + "\n";
    pages.push(("cluster.schema.json".to_owned(), schema));
    for (name, text) in pages {
        let path = folder.join(name);
        if std::env::var_os("PLACEMAT_UPDATE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let current = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            current == text,
            "{} is out of date: PLACEMAT_UPDATE=1 cargo test -p placemat-spec --test schema writes it",
            path.display()
        );
    }
}
