//! Other formats of the same plan.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use placemat_menu::{FORMATS, OwnTemplate, Rendering, Source, expand, expand_as};
use placemat_spec::graph::{self, Graph, Options};
use placemat_spec::problem::Findings;
use placemat_spec::{Cluster, document};
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

/// What `placemat graph` draws of the same cluster; a template that breaks that is told.
#[test]
fn a_drawing_is_that_of_the_cluster() {
    let medium = source(include_str!("inputs/medium.yml"));
    let files = expand_as(&medium, &everything()).unwrap().files;
    let drawn = files.iter().find(|it| it.path == Path::new("medium.dot"));
    let cluster = Source::inline("cluster.yml", files[0].contents.as_str());
    let (cluster, _) = Cluster::load(vec![cluster]).unwrap();
    let dot = graph::FORMATS.iter().find(|it| it.name == "dot").unwrap();
    let wanted = dot.render(&Graph::of(&cluster), Options::default());
    assert_eq!(drawn.unwrap().contents, wanted);
    let broken = Rendering {
        templates: vec![OwnTemplate {
            name: "cluster/power.yml".into(),
            source: Source::inline("own/cluster/power.yml.j2", "---\nkind: Powr\nname: x\n"),
        }],
        ..everything()
    };
    let told = expand_as(&medium, &broken).unwrap_err().to_string();
    assert!(told.contains("there is no kind `Powr`"), "{told}");
    assert!(told.contains("--> cluster.yml:"), "{told}");
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
