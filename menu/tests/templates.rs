//! Templates of one's own: they take the place of built-in ones, and what is wrong with them is told
//! with its place; the book has what they see.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

mod model;

use placemat_menu::verify::verify_output;
use placemat_menu::{OwnTemplate, Rendering, Source, built_in_templates, expand_as};
use std::path::Path;

fn rendering(templates: &[(&str, &str)]) -> Rendering {
    let own = templates.iter().map(|(name, text)| OwnTemplate {
        name: (*name).into(),
        source: Source::inline(&format!("own/{name}.j2"), *text),
    });
    Rendering {
        templates: own.collect(),
        ..Rendering::default()
    }
}

fn expand(templates: &[(&str, &str)]) -> Result<placemat_menu::Output, String> {
    let source = Source {
        dir: "/dc".into(),
        ..Source::inline("dc.yml", include_str!("../examples/small.yml"))
    };
    expand_as(&source, &rendering(templates)).map_err(|problems| problems.to_string())
}

#[test]
fn one_template_takes_the_place_of_a_built_in_one_and_may_have_parts() {
    let usual = expand(&[]).unwrap();
    let own = [
        ("node.env", "{% include \"_name\" %}AS={{ own.asn }}\n"),
        ("_name", "NAME={{ own.name }}\n"),
    ];
    let changed = expand(&own).unwrap();
    for (usual, changed) in usual.files.iter().zip(&changed.files) {
        assert_eq!(usual.path, changed.path);
        if changed.path == Path::new("boot/rack1-cs1/node.env") {
            assert_eq!(changed.contents, "NAME=rack1-cs1\nAS=64601\n");
        } else if changed
            .path
            .file_name()
            .is_none_or(|name| name != "node.env")
        {
            assert_eq!(
                usual.contents,
                changed.contents,
                "{}",
                changed.path.display()
            );
        }
    }
}

#[test]
fn what_is_wrong_with_a_template_is_told_with_its_place() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots/templates");
    let _bound = settings.bind_to_scope();
    let said = |own: &[(&str, &str)]| expand(own).err().unwrap_or_else(|| "nothing".into());
    insta::assert_snapshot!(
        "unknown_variable",
        said(&[(
            "tor.conf",
            "# {{ own.name }}\nrouter id {{ own.lopback }};\n"
        )])
    );
    insta::assert_snapshot!(
        "unknown_in_part",
        said(&[
            ("node.env", "A={{ own.name }}\n{% include \"_part\" %}\n"),
            (
                "_part",
                "{% for x in own.sessions %}\n{{ x.peeer }}\n{% endfor %}\n"
            ),
        ])
    );
    insta::assert_snapshot!("syntax", said(&[("tor.conf", "a\n{% if own.name }}\n")]));
    insta::assert_snapshot!(
        "unknown_filter",
        said(&[("tor.conf", "{{ own.name | upppper }}")])
    );
    insta::assert_snapshot!(
        "unknown_name",
        said(&[("tor.cnf", "x"), ("spine.config", "{{")])
    );
    insta::assert_snapshot!(
        "part_that_is_not_there",
        said(&[("node.env", "{% include \"_nmae\" %}\n")])
    );
    insta::assert_snapshot!(
        "two_at_once",
        said(&[("tor.conf", "{{"), ("boot.conf", "{% for %}")])
    );
    insta::assert_snapshot!(
        "recursion",
        said(&[("node.env", "{% include \"node.env\" %}")])
    );
}

/// What a template breaks, verification finds.
#[test]
fn a_template_that_forgets_a_session_is_found() {
    let (_, sessions) = built_in_templates()
        .find(|(name, _)| *name == "sessions.conf")
        .unwrap();
    let forgetful = sessions.replace("in own.sessions", "in own.sessions[:1]");
    assert_ne!(sessions, forgetful);
    let output = expand(&[("sessions.conf", &forgetful)]).unwrap();
    let problems = verify_output(&output).unwrap_err();
    assert!(
        problems.to_string().contains("error[one-sided-session]"),
        "{problems}"
    );
    for problem in problems.list {
        let help = problem.help.unwrap();
        assert!(help.contains("your own: own/sessions.conf.j2;"), "{help}");
    }
}

/// What is wrong without templates of one's own, or in the plan, is nobody's fault but placemat's.
#[test]
fn what_no_template_broke_is_to_be_reported() {
    let own = [("node.env", "NAME={{ own.name }}\n")];
    let (mut built_in, mut planned) = (expand(&[]).unwrap(), expand(&own).unwrap());
    let spine = &mut built_in.files[1];
    assert!(spine.path.starts_with("bird"));
    spine.contents = spine.contents.replace("protocol bgp", "protocol no");
    planned.plan.routers[0].speaker.sessions.clear();
    for output in [built_in, planned] {
        let problems = verify_output(&output).unwrap_err();
        let told = problems.list.iter().filter_map(|it| it.help.as_deref());
        assert!(told.clone().any(|help| help.contains("please report it")));
        assert!(told.clone().all(|help| !help.contains("your own")));
    }
}

/// `docs/menu-templates.md` has the types that templates see, as they are in the source.
#[test]
fn the_book_has_what_templates_see() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = model::read(&[
        &std::fs::read_to_string(root.join("src/topology.rs")).unwrap(),
        &std::fs::read_to_string(root.join("src/render/bird.rs")).unwrap(),
        &std::fs::read_to_string(root.join("src/render/format/containerlab.rs")).unwrap(),
    ]);
    let path = root.join("../docs/menu-templates.md");
    let book = std::fs::read_to_string(&path).unwrap();
    let mark = "<!-- types: printed from `menu/src` -->\n";
    let (before, now) = book.split_once(mark).unwrap();
    if std::env::var_os("PLACEMAT_UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{mark}{model}")).unwrap();
    } else {
        assert_eq!(now, model, "PLACEMAT_UPDATE=1 writes it");
    }
    for (name, _) in built_in_templates() {
        assert!(
            before.contains(&format!("| `{name}` |")),
            "{name} is not in the book"
        );
    }
}
