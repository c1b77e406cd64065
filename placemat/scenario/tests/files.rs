//! The scenario files of the repository load against the data centers that they name.
#![allow(clippy::unwrap_used, reason = "tests")]

use placemat_scenario::load::{Draft, read};
use placemat_spec::{Cluster, Source};
use std::path::{Path, PathBuf};

/// The cluster that the menu's own snapshot shows for an example.
fn cluster(example: &str) -> Cluster {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../menu/tests/snapshots");
    let path = folder.join(example).join("cluster.yml.snap");
    let text = std::fs::read_to_string(&path).unwrap();
    let (_, yaml) = text
        .trim_start_matches("---\n")
        .split_once("---\n")
        .unwrap();
    match Cluster::load(vec![Source::file(&path, yaml)]) {
        Ok((cluster, _)) => cluster,
        Err(problems) => panic!("{problems}"),
    }
}

fn loads(folder: &str, example: &str) -> Vec<String> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scenarios")
        .join(folder);
    let draft = match Draft::parse(read(&[folder]).unwrap()) {
        Ok(draft) => draft,
        Err(problems) => panic!("{problems}"),
    };
    assert!(
        draft.dc().ends_with(format!("menu/examples/{example}.yml")),
        "{}",
        draft.dc().display()
    );
    assert!(draft.dc().exists());
    match draft.resolve(&cluster(example)) {
        Ok(suite) => suite
            .scenarios
            .into_iter()
            .map(|scenario| scenario.name)
            .collect(),
        Err(problems) => panic!("{problems}"),
    }
}

#[test]
fn the_demo_loads() {
    assert_eq!(
        loads("demo", "small"),
        ["bootstrap", "power", "spine-loss", "rack-outage"]
    );
}

#[test]
fn the_router_suite_loads() {
    assert_eq!(loads("routers", "routers"), ["spine-loss", "rack-outage"]);
}

#[test]
fn a_file_given_alone_brings_its_suite_and_library_along() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/demo/3-spine-loss.yml");
    let draft =
        Draft::parse(read(&[file]).unwrap()).unwrap_or_else(|problems| panic!("{problems}"));
    let suite = draft
        .resolve(&cluster("small"))
        .unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<&str> = suite
        .scenarios
        .iter()
        .map(|scenario| scenario.name.as_str())
        .collect();
    assert_eq!(names, ["spine-loss"]);
}

#[test]
fn what_is_no_text_beside_a_scenario_is_nobodys_business() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let asked = write(
        "s.yml",
        b"kind: Scenario\nname: s\nsteps: [{check: {}}]\ndc: a\n",
    );
    let noise = write("noise.yml", b"\xff\xfe");
    let count = |path: &Path| read(&[path.to_owned()]).unwrap().len();
    assert_eq!((count(&asked), count(folder.path())), (1, 1));
    // Who names it is told.
    assert!(read(&[noise]).is_err());
}

/// Run with `PLACEMAT_UPDATE=1` to write the current list.
#[test]
fn the_readme_lists_every_kind() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("```text\n").unwrap();
    let (_, after) = rest.split_once("```").unwrap();
    let current = format!(
        "{before}```text\n{}```{after}",
        placemat_scenario::load::reference()
    );
    if std::env::var_os("PLACEMAT_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    assert!(
        text == current,
        "scenarios/README.md is out of date: run with PLACEMAT_UPDATE=1"
    );
}

#[test]
fn a_folder_with_its_data_center_and_seeds_beside_the_scenario() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/multi-host");
    let inputs = read(std::slice::from_ref(&folder)).unwrap();
    let names: Vec<&str> = inputs.iter().map(|it| it.source.name.as_str()).collect();
    assert_eq!(names, [folder.join("scenario.yml").display().to_string()]);
}
