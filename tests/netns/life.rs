//! A lab comes up, is used, and goes; two of one file live side by side.

use crate::bgp;
use placemat_tests::{Need, Place, fixture, needs};

#[test]
fn comes_up_converges_and_leaves_nothing() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let lab = place.up(&fixture::ring(&place));
    bgp::converges(&lab);
    lab.down();
    place.assert_nothing_left();
}

#[test]
fn two_labs_of_one_file_live_side_by_side() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    let (one, two) = (place.up(&file), place.up(&file));
    assert_eq!(place.labs(), [one.id.clone(), two.id.clone()]);
    bgp::converges(&one);
    bgp::converges(&two);
    // What happens in one is not seen by the other.
    one.exec("router/r1", &["ip", "link", "set", "eth0", "down"])
        .well();
    bgp::reaches(&one, "r1", 1);
    bgp::converges(&two);
    one.down();
    bgp::converges(&two);
    two.down();
    place.assert_nothing_left();
}
