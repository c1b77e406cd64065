//! The examples with virtual machines, as a user runs them.

use crate::turn::Turn;
use placemat_tests::{Need, Place, needs, repository};
use std::time::Duration;

const WANTED: &[Need] = &[
    Need::Dnsmasq,
    Need::Qemu,
    Need::Image,
    Need::Ipmitool,
    Need::Curl,
];

/// The scenarios' own deadlines are shorter.
const PATIENCE: Duration = Duration::from_secs(900);

#[test]
fn four_tiers_behind_one_kind_of_bmc() {
    if !needs(WANTED) {
        return;
    }
    let _turn = Turn::take("mixed-tier");
    let place = Place::new();
    let folder = repository().join("examples/mixed-tier");
    let scenario = folder.join("scenario.yml");
    place
        .say_within(PATIENCE, &["test".as_ref(), scenario.as_os_str()])
        .well();
    // What a scenario cannot show: a server with nothing in it refuses commands in words.
    let lab = place.up(&folder.join("cluster.yml"));
    let refused = lab.exec("node/fake", &["true"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(
        refused.err.contains("node/fake runs no commands"),
        "{}",
        refused.err
    );
    lab.down();
    place.assert_nothing_left();
}

/// As the README says it: the folder is all there is to name.
#[test]
fn hosts_made_by_cloud_init_share_a_network_and_a_folder() {
    if !needs(&[Need::Qemu, Need::Image]) {
        return;
    }
    let _turn = Turn::take("multi-host");
    let place = Place::new();
    let folder = repository().join("examples/multi-host");
    place
        .say_within(PATIENCE, &["test".as_ref(), folder.as_os_str()])
        .well();
    place.assert_nothing_left();
}
