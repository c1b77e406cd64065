//! What `--help` says, of every verb.

use crate::shown;
use placemat_tests::Place;

const VERBS: &[&str] = &[
    "check",
    "plan",
    "graph",
    "explain",
    "apply",
    "schema",
    "up",
    "down",
    "ls",
    "status",
    "exec",
    "console",
    "shell",
    "ssh",
    "connect",
    "events",
    "completion",
    "man",
    "screenshot",
    "logs",
    "power",
    "test",
    "menu",
    "install-links",
    "doctor",
    "prune",
    "image",
];

#[test]
fn of_the_program_and_every_verb() {
    let place = Place::new();
    let whole = place.say(&["--help"]);
    insta::assert_snapshot!("placemat", shown(&place, &whole));
    for verb in VERBS {
        assert!(
            whole.out.contains(&format!("  {verb}")),
            "{verb} is not listed"
        );
        insta::assert_snapshot!(*verb, shown(&place, &place.say(&[verb, "--help"])));
    }
    for act in ["ls", "pull", "prune"] {
        let said = place.say(&["image", act, "--help"]);
        insta::assert_snapshot!(format!("image_{act}"), shown(&place, &said));
    }
    place.assert_nothing_left();
}

#[test]
fn of_a_verb_that_there_is_not() {
    let place = Place::new();
    insta::assert_snapshot!(shown(&place, &place.say(&["upp"])));
}
