//! What must hold for every text: it loads or is refused, without a panic, and every place that is
//! told lies in it. Driven by property tests here and by the fuzz target in `fuzz/`.

use placemat_spec::{Cluster, Problems, Source};

/// Loads a text as a cluster file, and looks at what is said about it.
pub(crate) fn check(text: &str) {
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
    let rendered = problems.render(true);
    assert!(!rendered.contains("\x1b[2J"), "an input clears the screen");
}
