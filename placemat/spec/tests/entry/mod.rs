//! What must hold for every text: it loads or is refused, without a panic, every place that is told
//! lies in it, and what loads is printed so that it reads as the same. Driven by property tests here
//! and by the fuzz target in `fuzz/`.

use placemat_spec::document::Dialect;
use placemat_spec::{Cluster, Problems, Source};

/// Loads a text as a cluster file, by either dialect, and looks at what is said about it.
pub(crate) fn check(text: &str) {
    for dialect in [Dialect::Strict, Dialect::V2] {
        match Cluster::load_as(dialect, vec![Source::inline("any.yml", text)]) {
            Ok((cluster, warnings)) => {
                look_at(text, &warnings);
                let printed = cluster.to_yaml();
                let again = Cluster::load(vec![Source::inline("printed.yml", &*printed)]);
                let (again, _) = again.unwrap_or_else(|errors| panic!("{errors}\nof\n{printed}"));
                assert!(cluster == again, "{cluster:#?}\nis not\n{again:#?}");
            }
            Err(errors) => look_at(text, &errors),
        }
    }
}

fn look_at(text: &str, problems: &Problems) {
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
