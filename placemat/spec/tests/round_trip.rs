//! What `Cluster::to_yaml` prints reads as the same cluster again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod random;

use placemat_spec::document::{self, Dialect, Tree};
use placemat_spec::problem::Findings;
use placemat_spec::schema::{Shape, kinds};
use placemat_spec::{Cluster, Problems, Source};
use proptest::collection::SizeRange;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Tables have these, and print them otherwise: under another key, or not at all since they mean
/// nothing.
const OTHERWISE: [&str; 6] = [
    "Node.uefi",
    "Node.volumes[hostPath].device-class",
    "Node.volumes[image].size",
    "Node.volumes[image].vg",
    "Node.volumes[vvfat].device-class",
    "Pod.apps[].group",
];

fn load(text: &str) -> Result<(Cluster, Problems), Problems> {
    Cluster::load(vec![Source::inline("dc.yml", text)])
}

/// Prints and reads again; what was printed.
fn round_trip(cluster: &Cluster, warnings: &Problems) -> String {
    let printed = cluster.to_yaml();
    let (again, new_warnings) =
        load(&printed).unwrap_or_else(|errors| panic!("{errors}\nof\n{printed}"));
    assert!(
        *cluster == again,
        "{cluster:#?}\nis not\n{again:#?}\nof\n{printed}"
    );
    assert_eq!(again.to_yaml(), printed, "printed twice");
    let codes = |problems: &Problems| {
        let mut codes: Vec<&str> = problems.list.iter().map(|it| it.code).collect();
        codes.sort_unstable();
        codes
    };
    // What is warned of in general terms is no news; what placemat v2's files say amiss is mended.
    let (old, new) = (codes(warnings), codes(&new_warnings));
    for code in &new {
        let count = |codes: &[&str]| codes.iter().filter(|it| *it == code).count();
        assert!(count(&new) <= count(&old), "{new_warnings}\nof\n{printed}");
    }
    printed
}

fn tapes(length: impl Into<SizeRange>) -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), length)
}

proptest! {
    #[test]
    fn of_random_data_centers(text in tapes(0..1500).prop_map(|tape| random::data_center(&tape))) {
        let (cluster, warnings) = load(&text).unwrap_or_else(|errors| panic!("{errors}\nof\n{text}"));
        round_trip(&cluster, &warnings);
    }
}

/// Every YAML file of the tree, by either dialect.
#[test]
fn of_every_file_of_the_tree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = Vec::new();
    for folder in [
        "placemat",
        "examples",
        "scenarios",
        "menu",
        "fuzz",
        "tests",
        "images",
    ] {
        walk(&root.join(folder), &mut paths);
    }
    let mut sources: Vec<Source> = paths
        .iter()
        .filter_map(|path| Some(Source::file(path, yaml(path)?)))
        .collect();
    sources.push(Source::inline(
        "examples",
        kinds()
            .map(|kind| kind.example)
            .collect::<Vec<_>>()
            .join("---\n"),
    ));
    let mut count = 0;
    for source in sources {
        for dialect in [Dialect::Strict, Dialect::V2] {
            if let Ok((cluster, warnings)) = Cluster::load_as(dialect, vec![source.clone()]) {
                round_trip(&cluster, &warnings);
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" && entry.file_name() != "out" {
            walk(&path, paths);
        } else if path
            .extension()
            .is_some_and(|it| it == "yml" || it == "snap")
        {
            paths.push(path);
        }
    }
    paths.sort();
}

/// A file, or the cluster file in a snapshot of the menu's.
fn yaml(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    if path.extension().is_some_and(|it| it == "yml") {
        return Some(text);
    }
    path.ends_with("cluster.yml.snap").then_some(())?;
    let (_, yaml) = text.trim_start_matches("---\n").split_once("---\n")?;
    Some(yaml.to_owned())
}

/// Whatever a table has is drawn, and printed.
#[test]
fn every_key_is_printed() {
    let mut runner = TestRunner::deterministic();
    let tapes = tapes(1500);
    let (mut given, mut printed) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..200 {
        let text = random::data_center(&tapes.new_tree(&mut runner).unwrap().current());
        let (cluster, _) = load(&text).unwrap_or_else(|errors| panic!("{errors}"));
        keys_of(&text, &mut given);
        keys_of(&cluster.to_yaml(), &mut printed);
    }
    let mut all = BTreeSet::new();
    for kind in kinds() {
        declared(kind.name, &Shape::Map(kind.keys), &mut all);
    }
    let missing = |some: &BTreeSet<String>| -> Vec<String> {
        let missing = all.iter().filter(|key| !some.contains(*key));
        missing.cloned().collect()
    };
    assert_eq!(missing(&given), Vec::<String>::new(), "never drawn");
    assert_eq!(missing(&printed), OTHERWISE, "never printed");
}

/// The keys of a shape, by their paths.
fn declared(path: &str, shape: &Shape, all: &mut BTreeSet<String>) {
    match shape {
        Shape::List(element) => declared(&format!("{path}[]"), element, all),
        Shape::Dictionary(value) => declared(&format!("{path}.*"), value, all),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| declared(path, shape, all)),
        Shape::Map(keys) => {
            for key in *keys {
                let path = format!("{path}.{}", key.name);
                declared(&path, &key.shape, all);
                all.insert(path);
            }
        }
        Shape::Tagged(variants) => {
            for variant in *variants {
                let path = path.replace("[]", &format!("[{}]", variant.word));
                declared(&path, &Shape::Map(variant.keys), all);
            }
        }
        _ => {}
    }
}

/// The keys that a text gives, by their paths.
fn keys_of(text: &str, all: &mut BTreeSet<String>) {
    let findings = Findings::new();
    for document in document::load(&[Source::inline("dc.yml", text)], &findings) {
        let word = document
            .root
            .as_map()
            .and_then(|map| map.get("kind")?.tree.text());
        let kind = kinds().find(|kind| Some(kind.name) == word).unwrap();
        seen(kind.name, &Shape::Map(kind.keys), &document.root, all);
    }
}

fn seen(path: &str, shape: &Shape, tree: &Tree, all: &mut BTreeSet<String>) {
    match shape {
        Shape::List(element) => {
            for tree in tree.as_list().into_iter().flatten() {
                seen(&format!("{path}[]"), element, tree, all);
            }
        }
        Shape::Either(shapes) => shapes.iter().for_each(|shape| seen(path, shape, tree, all)),
        Shape::Map(keys) => {
            for key in *keys {
                if let Some(entry) = tree.as_map().and_then(|map| map.get(key.name)) {
                    let path = format!("{path}.{}", key.name);
                    seen(&path, &key.shape, &entry.tree, all);
                    all.insert(path);
                }
            }
        }
        Shape::Tagged(variants) => {
            let word = tree.as_map().and_then(|map| map.get("kind")?.tree.text());
            for variant in variants.iter().filter(|it| Some(it.word) == word) {
                let path = path.replace("[]", &format!("[{}]", variant.word));
                seen(&path, &Shape::Map(variant.keys), tree, all);
            }
        }
        _ => {}
    }
}
