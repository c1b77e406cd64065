//! Feeds and PDUs: losing one takes what hangs on it alone, losses add up, and power returns outlet by
//! outlet to servers that do as their policy says.

use placemat_tests::{Need, Place, needs};

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
    place.assert_nothing_left();
}
