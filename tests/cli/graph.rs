//! `placemat graph`: of files, of a running lab, in every format; and the picture in README.

use crate::says;
use placemat_tests::{Need, Place, fixture, needs, repository};
use std::io::Write as _;
use std::process::{Command, Stdio};

fn small() -> String {
    let file = repository().join("menu/examples/small.yml");
    file.to_string_lossy().into_owned()
}

/// `PLACEMAT_UPDATE=1` writes it.
#[test]
fn the_picture_in_the_documentation_is_current() {
    let place = Place::new();
    let picture = place.say(&["graph", &small()]).well().out;
    let path = repository().join("docs/images/small.svg");
    if std::env::var_os("PLACEMAT_UPDATE").is_some() {
        std::fs::write(&path, &picture).expect("write the picture");
    }
    let committed = std::fs::read_to_string(&path).expect("the picture");
    assert!(
        committed == picture,
        "docs/images/small.svg is not what `placemat graph` draws: PLACEMAT_UPDATE=1 writes it"
    );
}

#[test]
fn dot_is_what_graphviz_reads() {
    if !needs(&[Need::Graphviz]) {
        return;
    }
    let place = Place::new();
    for options in [&[][..], &["--addresses"], &["--full", "--addresses"]] {
        let mut arguments = vec!["graph", "--format", "dot"];
        arguments.extend(options);
        let file = small();
        arguments.push(&file);
        let text = place.say(&arguments).well().out;
        let mut dot = Command::new("dot")
            .args(["-Tplain"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start dot");
        let mut input = dot.stdin.take().expect("its input");
        let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
        let output = dot.wait_with_output().expect("wait for dot");
        writer.join().expect("a writer").expect("write to dot");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
        let plain = String::from_utf8_lossy(&output.stdout);
        assert!(plain.contains("rack1-tor1"), "{plain}");
    }
}

#[test]
fn formats_and_files() {
    let place = Place::new();
    let file = small();
    for (name, begins) in [
        ("a.svg", "<svg "),
        ("a.gv", "graph {"),
        ("a.mmd", "flowchart TB"),
    ] {
        let path = place.dir().join(name);
        place
            .say(&["graph", &file, "-o", &path.to_string_lossy()])
            .well();
        let text = std::fs::read_to_string(&path).expect("the file");
        assert!(text.starts_with(begins), "{name}");
    }
    place.assert_nothing_left();
}

#[test]
fn a_name_that_says_no_format() {
    let place = Place::new();
    says!(place, &["graph", &small(), "-o", "dc.png"]);
}

#[test]
fn neither_files_nor_a_lab() {
    let place = Place::new();
    says!(place, &["graph"]);
}

#[test]
fn files_and_a_lab() {
    let place = Place::new();
    says!(place, &["graph", &small(), "--lab", "a"]);
}

#[test]
fn what_is_off_in_a_running_lab_is_marked() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let lab = place.up(&fixture::ring(&place));
    lab.say("power", &["r3", "off"]).well();
    let picture = lab.say("graph", &["--addresses"]).well().out;
    let down = "<g class=\"router down\">\n<title>r3\n";
    assert!(picture.contains(down), "{picture}");
    assert_eq!(picture.matches("router down").count(), 1);
    let text = lab.say("graph", &["--format", "mermaid"]).well().out;
    assert_eq!(text.matches(":::down").count(), 1, "{text}");
    // The other tables about labs.
    let status = lab.say("status", &[] as &[&str]).well().out;
    let lines: Vec<&str> = status.lines().collect();
    let columns: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(
        columns,
        ["OBJECT", "TIER", "POWER", "PHASE", "BOOTS", "BMC", "IMAGE"]
    );
    let r3 = lines.iter().find(|line| line.starts_with("router/r3 "));
    assert!(r3.is_some_and(|line| line.contains(" off ")), "{status}");
    let labs = place.say(&["ls"]).well().out;
    assert!(labs.starts_with("ID"), "{labs}");
    assert!(labs.contains(&lab.id) && labs.contains("ring"), "{labs}");
    lab.down();
    place.assert_nothing_left();
}
