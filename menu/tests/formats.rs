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

/// Who is in which group, and what is said of whom.
#[test]
fn an_inventory_has_groups_by_role_and_rack() {
    let text = "
kind: DataCenter
name: groups
spines: 1
tors: 1
types:
  plain: {tier: netns}
  gpu: {tier: netns, role: gpu-x}
  off: {tier: netns, role: no}
  chassis: {tier: mock, role: gpu-x}
racks: [{servers: [plain, gpu, off]}, {servers: [chassis]}]
image: {bundle: node}
core: {operation: 10.75.2.0/24}
";
    let files = expand_as(&source(text), &everything()).unwrap().files;
    let inventory = files.iter().find(|it| it.path.ends_with("hosts.yml"));
    let inventory = [Source::inline(
        "hosts.yml",
        inventory.unwrap().contents.as_str(),
    )];
    let documents = document::load(&inventory, &Findings::new());
    let below = |path: &[&str]| {
        let root = Some(&documents[0].root);
        path.iter()
            .fold(root, |tree, key| Some(&tree?.as_map()?.get(*key)?.tree))
    };
    let members = |group: &str| -> Vec<&str> {
        let hosts = below(&["all", "children", group, "hosts"]).and_then(|it| it.as_map());
        let hosts = hosts.unwrap_or_else(|| panic!("no group {group}"));
        hosts.keys().map(String::as_str).collect()
    };
    assert_eq!(members("server_cs"), ["rack1-cs1"]);
    assert_eq!(members("server_gpu_x"), ["rack1-gpu-x2", "rack2-gpu-x1"]);
    assert_eq!(members("server_no"), ["rack1-no3"]);
    assert_eq!(members("server").len(), 4);
    assert_eq!(
        members("rack2"),
        ["rack2-tor1", "rack2-boot", "rack2-gpu-x1"]
    );
    let said = |group: &str, host: &str, key: &str| {
        below(&["all", "children", group, "hosts", host, key]).and_then(|it| it.text())
    };
    for (group, host, role, address, asn) in [
        ("router_core", "core", "core", true, true),
        ("router_operation", "operation", "operation", true, false),
        ("router_tor", "rack1-tor1", "tor", true, true),
        ("boot", "rack1-boot", "boot", true, true),
        ("server", "rack1-no3", "no", true, true),
        ("server", "rack2-gpu-x1", "gpu-x", false, false),
    ] {
        assert_eq!(said(group, host, "role"), Some(role), "{host}");
        assert_eq!(
            said(group, host, "ansible_host").is_some(),
            address,
            "{host}"
        );
        assert_eq!(said(group, host, "asn").is_some(), asn, "{host}");
    }
}
