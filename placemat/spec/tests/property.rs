//! No text makes the loader panic, and every place it reports lies in the text.

mod entry;
mod mutation;
mod random;

use entry::check;
use placemat_spec::Cluster;
use placemat_spec::schema::{Key, Shape, kinds};
use placemat_spec::selector::Selector;
use proptest::prelude::*;
use serde_json::{Map, Value};
use std::path::Path;

const SMALL: &str = include_str!("good/small.yml");

fn corpus() -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut corpus = mutation::corpus(&tests.join("bad"));
    // As often as all bad ones together, so that what comes late is reached as often.
    corpus.extend(vec![SMALL.to_owned(); corpus.len()]);
    corpus
}

/// The corpus of the fuzz target, found interesting once.
#[test]
fn the_committed_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/load");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        check(&String::from_utf8_lossy(&bytes));
        count += 1;
    }
    assert!(count > 0);
}

/// Every key and word that the tables have.
fn words() -> Vec<String> {
    fn of(shape: &Shape, words: &mut Vec<String>) {
        match shape {
            Shape::Form(form) => words.push(form.example.to_owned()),
            Shape::Choice(choices) => words.extend(choices.iter().map(|it| it.0.to_owned())),
            Shape::List(inner) | Shape::Dictionary(inner) => of(inner, words),
            Shape::Either(shapes) => shapes.iter().for_each(|shape| of(shape, words)),
            Shape::Map(keys) => of_keys(keys, words),
            Shape::Tagged(variants) => {
                for variant in *variants {
                    words.push(variant.word.to_owned());
                    of_keys(variant.keys, words);
                }
            }
            _ => {}
        }
    }
    fn of_keys(keys: &[Key], words: &mut Vec<String>) {
        for key in keys {
            words.push(key.name.to_owned());
            of(&key.shape, words);
        }
    }
    let mut words = vec!["name".to_owned(), "<<".to_owned()];
    for kind in kinds() {
        of_keys(kind.keys, &mut words);
    }
    words.sort();
    words.dedup();
    words
}

/// A document of some kind.
fn tree() -> impl Strategy<Value = Value> {
    let word = || prop::sample::select(words());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0..300.0).prop_map(Value::from),
        "[ -~é]{0,8}".prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    let inner = leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let keys = prop::collection::btree_map(word(), inner, 0..12);
    let names: Vec<&str> = kinds().map(|kind| kind.name).collect();
    (prop::sample::select(names), keys).prop_map(|(kind, keys)| {
        let mut map: Map<String, Value> = keys.into_iter().collect();
        map.insert("kind".into(), kind.into());
        map.insert("name".into(), "n1".into());
        Value::Object(map)
    })
}

proptest! {
    #[test]
    fn arbitrary_text(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn arbitrary_yaml_like_text(text in "([a-z]{1,3}|kind|name|: |\n|- |  |---\n|[{}\\[\\],&*!|>'\"#%@`?é]|Node|\t|\r){0,80}") {
        check(&text);
    }

    /// A good file with a stretch cut out, or something put in.
    #[test]
    fn mutated(at in 0..SMALL.len(), cut in 0_usize..40, put in "\\PC{0,6}|\n|- |: |\\[|\\{|null|\\*l|---\n") {
        if SMALL.is_char_boundary(at) {
            let end = (at + cut).min(SMALL.len());
            check(&format!("{}{put}{}", &SMALL[..at], &SMALL[end..]));
        }
    }

    /// Good and bad files with lines and words deleted, repeated, swapped and replaced.
    #[test]
    fn mutated_lines_and_words(text in mutation::mutated(corpus())) {
        check(&text);
    }

    /// Bytes that are no text are told by who reads files; all else gets here.
    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    /// Maps and lists of any form, their keys and words those of the tables.
    #[test]
    fn arbitrary_trees(documents in prop::collection::vec(tree(), 1..4)) {
        let documents: Vec<String> = documents.iter().map(ToString::to_string).collect();
        check(&documents.join("\n---\n"));
    }

    /// Random data centers with lines and words changed: most of what they say still stands.
    #[test]
    fn mutated_data_centers(tape in prop::collection::vec(any::<u32>(), 0..600), at: prop::sample::Index, put in "[{}\\[\\],:\"]|null|0|-1|\"\"|\\[\\]") {
        let text = random::data_center(&tape);
        let at = at.index(text.len());
        let end = text[at..].find([',', '}']).map_or(text.len(), |found| at + found);
        check(&format!("{}{put}{}", &text[..at], &text[end..]));
    }

    #[test]
    fn selectors(text in "\\PC{0,30}|(node|rack|router|hub)?/?[a-z*?=!+.]{0,12}") {
        if let Ok(selector) = Selector::parse(&text) {
            let _ = selector.resolve(&Cluster::default());
        }
    }
}
