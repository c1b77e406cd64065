//! Feeds and PDUs: losing one takes what hangs on it alone, losses add up, and power returns outlet by
//! outlet to servers that do as their policy says.

use placemat_tests::lab::PATIENCE;
use placemat_tests::{Lab, Need, Place, needs, poll};

const CLUSTER: &str = r"
{kind: Network, name: net, type: internal}
---
{kind: NetworkNamespace, name: router, interfaces: [net]}
---
{kind: Node, name: single, tier: mock, interfaces: [net]}
---
{kind: Node, name: double, tier: mock, interfaces: [net]}
---
{kind: Node, name: last, tier: mock, interfaces: [net], power-restore: always-off}
---
{kind: Power, name: a, loads: [pdu/a1]}
---
{kind: Power, name: b, loads: [double]}
---
kind: Power
name: a1
type: pdu
loads: [router, single, double, last]
return: {gap: 300ms}
";

const SCENARIO: &str = r"
kind: Scenario
name: power
dc: dc.yml
steady-state: none
timeout: 3m
steps:
  - name: two supplies, one of them lost, and then the other
    fault:
      kind: power-loss
      of: feed/a
      during:
        - check: {that: {power: {of: [router/router, node/single, node/last], is: Off}}}
        - check: {that: {power: {of: node/double, is: On}}}
        - fault:
            kind: power-loss
            of: feed/b
            during: [{check: {that: {power: {of: pdu/a1, is: Off}}}}]
        - check: {that: {power: {of: node/double, is: On}}}
        - check: {that: {power: {of: node/single, is: Off}}}
  - name: all are back but the one that stays off
    check: {that: {all: [{power: {of: [router/router, node/single, node/double], is: On}}, {power: {of: node/last, is: Off}}]}}
  - name: a PDU takes the same, a machine's own plug only itself
    fault:
      kind: power-loss
      of: [pdu/a1, node/double]
      during: [{check: {that: {power: {of: feed/*, is: Off}}}}]
";

#[test]
fn what_hangs_on_a_source_alone_goes_dark_and_comes_back() {
    if !needs(&[Need::Root]) {
        return;
    }
    let place = Place::new();
    place.write("dc.yml", CLUSTER);
    let scenario = place.write("power.yml", SCENARIO);
    place.say(&["test".as_ref(), scenario.as_os_str()]).well();
    by_hand(&place);
    place.assert_nothing_left();
}

/// As somebody at the rack does it.
fn by_hand(place: &Place) {
    let lab = place.up(&place.dir().join("dc.yml"));
    let dark = |lab: &Lab<'_>| {
        let objects = lab.status().objects.into_iter();
        let off = objects.filter(|object| !object.power);
        let mut off: Vec<String> = off.map(|object| object.target).collect();
        off.sort();
        off
    };
    assert_eq!(dark(&lab), Vec::<String>::new());
    lab.say("power", &["pdu/a1", "off"]).well();
    assert_eq!(dark(&lab), ["node/last", "node/single", "router/router"]);
    // A second time changes nothing, and a server has no power to start with.
    lab.say("power", &["pdu/a1", "off"]).well();
    let on = lab.say("power", &["node/single", "on"]);
    assert_ne!(on.code, Some(0), "{}", on.text());
    let soft = lab.say("power", &["pdu/a1", "soft"]);
    assert_eq!(soft.code, Some(2), "{}", soft.text());
    assert!(
        soft.err.contains("can be turned on and off"),
        "{}",
        soft.err
    );
    lab.say("power", &["feed/b", "off"]).well();
    assert_eq!(
        dark(&lab),
        ["node/double", "node/last", "node/single", "router/router"]
    );
    lab.say("power", &["pdu/a1", "on"]).well();
    lab.say("power", &["feed/b", "on"]).well();
    // Outlet by outlet, and one stays off when power comes back.
    let back = poll(PATIENCE, || (dark(&lab) == ["node/last"]).then_some(()));
    assert!(back.is_some(), "{:?}", dark(&lab));
    lab.down();
}
