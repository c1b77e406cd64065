//! No text makes the loader panic, and every place it reports lies in the text.

mod entry;
mod mutation;

use entry::check;
use placemat_spec::Cluster;
use placemat_spec::selector::Selector;
use proptest::prelude::*;
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

    #[test]
    fn selectors(text in "\\PC{0,30}|(node|rack|router|hub)?/?[a-z*?=!+.]{0,12}") {
        if let Ok(selector) = Selector::parse(&text) {
            let _ = selector.resolve(&Cluster::default());
        }
    }
}
