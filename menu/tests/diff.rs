//! What a change of the menu changes.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use placemat_menu::diff::{Change, diff};
use placemat_menu::{File, Source, expand};

const BASE: &str = "
kind: DataCenter
name: d
spines: 1
tors: 1
types: {light: {tier: netns}, big: {tier: full, cpu: 2, memory: 1G}}
racks:
  - servers: [light]
image: {bundle: node}
";

fn files(text: &str) -> Vec<File> {
    let source = Source {
        dir: "/dc".into(),
        ..Source::inline("dc.yml", text)
    };
    expand(&source)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .files
}

#[test]
fn the_same_does_not_differ() {
    let same = diff(&files(BASE), &files(BASE));
    assert!(same.is_empty() && same.meaning.is_empty() && same.to_string().is_empty());
}

#[test]
fn a_rack_more() {
    let more = BASE.replace("racks:\n", "racks:\n  - servers: [light]\n");
    let difference = diff(&files(BASE), &files(&more));
    // By meaning a rack is added and nothing else changes, whatever the files look like.
    for section in &difference.meaning {
        let changed = section
            .changes
            .iter()
            .filter(|it| !matches!(it, Change::Added(_)));
        let changed: Vec<_> = changed.collect();
        let reboots = section.name == "power" || section.name == "links";
        assert!(changed.is_empty() || reboots, "{changed:?}");
    }
    insta::assert_snapshot!(difference.to_string().split("\n--- ").next().unwrap());
    let back = diff(&files(&more), &files(BASE));
    assert!(back.to_string().contains("\n+++ /dev/null\n"));
}

#[test]
fn another_server_and_another_asn() {
    let other = BASE.replace("[light]", "[big]") + "asn-base: 65000\n";
    insta::assert_snapshot!(diff(&files(BASE), &files(&other)));
}

#[test]
fn what_cannot_be_read_back_is_compared_line_by_line_only() {
    let mut old = files(BASE);
    old[0].contents = "kind: Nonsense\n".into();
    let difference = diff(&old, &files(BASE));
    assert!(difference.meaning.is_empty() && !difference.text.is_empty());
    assert_eq!(
        difference.unreadable.unwrap(),
        "there is no kind `Nonsense`"
    );
    let nothing = diff(&[], &files(BASE));
    assert!(nothing.unreadable.is_some());
    assert!(nothing.text.starts_with("--- /dev/null\n+++ b/bird/"));
}
