//! No text makes the loader panic, and every place it reports lies in the text.

use placemat_spec::selector::Selector;
use placemat_spec::{Cluster, Problems, Source};
use proptest::prelude::*;

const SMALL: &str = include_str!("good/small.yml");

fn check(text: &str) {
    let problems: Problems = match Cluster::load(vec![Source::inline("any.yml", text)]) {
        Ok((_, warnings)) => warnings,
        Err(errors) => errors,
    };
    for (place, _) in problems.list.iter().flat_map(|it| &it.labels) {
        assert!(
            place.offset <= text.len() && text.is_char_boundary(place.offset),
            "{place:?}"
        );
        // A place is told twice, by offset and by line: both must mean the same.
        let line = text[..place.offset]
            .replace("\r\n", "\n")
            .matches(['\n', '\r'])
            .count()
            + 1;
        assert_eq!(line, place.line as usize, "{place:?}");
    }
    let _ = problems.render(true);
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

    #[test]
    fn selectors(text in "\\PC{0,30}|(node|rack|router|hub)?/?[a-z*?=!+.]{0,12}") {
        if let Ok(selector) = Selector::parse(&text) {
            let _ = selector.resolve(&Cluster::default());
        }
    }
}
