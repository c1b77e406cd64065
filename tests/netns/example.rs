//! The examples that need no virtual machine, as a user runs them.

use placemat_tests::{Need, Place, needs, repository};

#[test]
fn spine_leaf() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let scenario = repository().join("examples/spine-leaf/scenario.yml");
    let said = place.say(&["test".as_ref(), scenario.as_os_str()]).well();
    assert!(!said.err.contains("panicked"), "{}", said.err);
    place.assert_nothing_left();
}
