//! The table of keys says what the reader asks for, and what is printed from it is current.
//! `PLACEMAT_UPDATE=1` writes the page and the schema in docs/reference.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use placemat_menu::rack::{keys, look};
use placemat_menu::{Source, expand};
use placemat_spec::schema::{asked_by, declared_by, document_schema, reference_page};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Every rack spec of this crate's tests and examples, good or bad.
fn sources() -> Vec<Source> {
    let mut paths: Vec<PathBuf> = ["examples", "tests/inputs", "tests/bad"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yml"))
        .collect();
    paths.sort();
    let source = |path: &PathBuf| Source::file(path, std::fs::read_to_string(path).unwrap());
    paths.iter().map(source).collect()
}

#[test]
fn the_table_says_what_the_reader_asks_for() {
    let sources = sources();
    assert!(sources.len() > 30);
    let asked = asked_by(|findings| {
        for source in &sources {
            look(source, findings);
        }
    });
    let declared = declared_by(std::iter::once(&keys::DOC));
    let unasked = declared.unasked(&asked).to_string();
    assert!(
        unasked.is_empty(),
        "the table has what the reader does not ask for:\n{unasked}"
    );
    let unknown = asked.without(&declared).to_string();
    assert!(
        unknown.is_empty(),
        "the reader asks for what the table has not; add it to rack/keys.rs:\n{unknown}"
    );
}

#[test]
fn the_example_expands() {
    if let Err(problems) = expand(&Source::inline("example", keys::DOC.example)) {
        panic!("{problems}");
    }
}

#[test]
fn what_is_printed_from_the_table_is_current() {
    let schema = document_schema(&[&keys::DOC], keys::TITLE, keys::DESCRIPTION);
    let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let page = reference_page(&keys::DOC);
    for (name, text) in [page, ("data-center.schema.json".to_owned(), schema)] {
        let path = root().join("../docs/reference").join(name);
        if std::env::var_os("PLACEMAT_UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let current = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            current == text,
            "{} is out of date: PLACEMAT_UPDATE=1 cargo test -p placemat-menu --test schema writes it",
            path.display()
        );
    }
}
