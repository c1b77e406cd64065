//! Other formats of the same plan.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use placemat_menu::{FORMATS, Rendering, Source, expand, expand_as};
use placemat_spec::document;
use placemat_spec::problem::Findings;
use std::path::Path;

fn source(text: &str) -> Source {
    Source {
        dir: "/dc".into(),
        ..Source::inline("dc.yml", text)
    }
}

fn everything() -> Rendering {
    Rendering {
        formats: FORMATS.to_vec(),
        ..Rendering::default()
    }
}

#[test]
fn formats_come_on_top_of_the_usual_files() {
    let source = source(include_str!("../examples/small.yml"));
    let usual = expand(&source).unwrap().files;
    let files = expand_as(&source, &everything()).unwrap().files;
    assert!(files.starts_with(&usual));
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots/formats");
    let _bound = settings.bind_to_scope();
    for file in &files[usual.len()..] {
        let name = file.path.display().to_string().replace('/', "-");
        insta::assert_snapshot!(name, file.contents);
    }
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/menu.md");
    let book = std::fs::read_to_string(book).unwrap();
    for format in FORMATS {
        let row = format!("| `{}` | {} |", format.name, format.about);
        assert!(book.contains(&row), "docs/menu.md lacks {row}");
    }
}

/// Whatever the data center: what is YAML can be read, and no key stands twice in a map.
#[test]
fn formats_are_good_yaml() {
    let odd = "
kind: DataCenter
name: odd
spines: 1
tors: 1
types: {chassis: {tier: mock}}
racks: [{servers: []}, {servers: [chassis]}]
image: {bundle: node}
";
    for text in [include_str!("../examples/routers.yml"), odd] {
        for file in expand_as(&source(text), &everything()).unwrap().files {
            if file.path.extension().is_none_or(|it| it != "yml") {
                continue;
            }
            let sources = [Source::inline(
                &file.path.display().to_string(),
                file.contents,
            )];
            let findings = Findings::new();
            document::load(&sources, &findings);
            findings
                .finish(&sources)
                .unwrap_or_else(|problems| panic!("{problems}"));
        }
    }
}
