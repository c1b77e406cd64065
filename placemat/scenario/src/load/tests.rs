//! Every message of the loader, and that good files load.

use super::{Draft, Input, reference};
use crate::fake;
use placemat_spec::Source;

fn input(name: &str, text: &str) -> Input {
    Input {
        source: Source::inline(name, text),
        asked: true,
    }
}

/// Problems of a scenario with these steps.
fn problems_in(steps: &str) -> String {
    let text = format!("kind: Scenario\nname: t\ndc: dc.yml\nsteps:\n{steps}");
    problems(&text)
}

fn problems(text: &str) -> String {
    let loaded =
        Draft::parse(vec![input("t.yml", text)]).and_then(|draft| draft.resolve(&fake::cluster()));
    match loaded {
        Ok(suite) => format!("no problem: {suite:?}"),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn unknown_keys_kinds_and_words() {
    insta::assert_snapshot!(problems_in(
        "
  - chekc: {that: {power: {of: node/*, is: On}}}
  - eventually: {that: {bpg: {of: router/*}}, timout: 3s}
  - eventually: {that: {bgp: {of: router/*, state: Establishd}}, timeout: 3 sec}
  - power: {of: node/*, reset: ForceOf}
  - fault: {kind: power-los, of: rack/1, for: soon}
  - check: {that: {booted: {of: node/*, times: many}}}
  - name: nothing to do
  - check: {that: {power: {of: node/*, is: On}}}
    sleep: {for: 1s, reason: two kinds}
  - sleep: 3s
  - sleep: {for: 3s}
  - steps
"
    ));
}

#[test]
fn selectors_that_match_nothing() {
    insta::assert_snapshot!(problems_in(
        "
  - check: {that: {power: {of: rack/7, is: On}}}
  - check: {that: {power: {of: node/rack1-cs9, is: On}}}
  - check: {that: {power: {of: nodes/*, is: On}}}
  - check: {that: {bgp: {of: router/role=spin}}}
  - check: {that: {bgp: {of: feed/feed-rack1}}}
  - exec: {at: spine-3, argv: [x]}
  - measure:
      flows: {from: node/rack1-cs1, to: node/rack2-cs1}
      during: [{sleep: {for: 1s, reason: r}}]
      expect: {min-exposed: 25%, max-gap: 1s}
  - measure:
      flows: {from: node/rack1-cs2, to: node/rack2-cs1}
      during: []
      expect: {}
"
    ));
}

#[test]
fn refused_parts_of_the_language() {
    insta::assert_snapshot!(problems(
        "
kind: Scenario
name: t
dc: dc.yml
from: booted
matrix: {rack: [1, 2]}
steps:
  - checkpoint: now
  - retry: 2
    check: {that: {power: {of: node/*, is: On}}}
  - check: {that: {not: {all: [{bgp: {of: router/*}}]}}}
  - exec: {at: hub, argv: [x], run: y}
  - exec: {at: hub}
  - exec: {at: hub, argv: [x], outputs: {a: stdout}}
  - fault: {kind: carrier-down, of: router/spine-1}
  - fault: {kind: daemon-kill, of: router/spine-1, for: 1s}
  - fault: {kind: boot-http, of: router/spine-1, for: 1s}
  - fault: {kind: boot-http, of: boot-server/*, for: 1s}
  - fault: {kind: boot-http, of: boot-server/*, how: 403, for: 1s}
  - fault: {kind: boot-http, of: boot-server/*, how: 404, rate: 1mbit, for: 1s}
  - fault: {kind: boot-http, of: boot-server/*, how: slow, rate: 1, for: 1s}
  - fault: {kind: boot-dhcp, of: boot-server/*, how: slow, delay: 2m, for: 1s}
  - fault: {kind: boot-dhcp, of: boot-server/*, how: silent, app: dnsmasq, for: 1s}
  - fault: {kind: boot-dhcp, of: boot-server/*, how: nak, for: 1s}
"
    ));
}

#[test]
fn expressions_and_uses() {
    insta::assert_snapshot!(problems(
        "
kind: Library
name: lib
conditions:
  up: {params: {who: }, that: {bgp: {of: $(who)}}}
  self: {use: lib.self}
---
kind: Scenario
name: t
dc: dc.yml
params: {spine: router/spine-1}
steps:
  - check: {that: {bgp: {of: $(spin)}}}
  - check: {that: {bgp: {of: $(spine)}}}
  - id: a
    exec: {at: hub, argv: [x, $(node/rack1-cs1.bcm), $(spine.bmc), $(b.text)], outputs: {text: stdout}}
  - id: a
    exec: {at: hub, argv: [x, $(a.txt), '$(a.text']}
  - check: {that: {bgp: {of: $(a.text)}}}
  - check: {that: {use: lib.upp}}
  - check: {that: {use: lib.up}}
  - check: {that: {use: lib.up, with: {whom: x}}}
  - check: {that: {use: lib.up, with: {who: router/spine-9}}}
  - for-each:
      in: node/rack=1
      as: n
      steps:
        - check: {that: {bgp: {of: $(m)}}}
"
    ));
}

#[test]
fn documents() {
    insta::assert_snapshot!(problems("kind: Scenario\nname: t\nsteps: [{check: {}}]\n"));
    insta::assert_snapshot!(problems("kind: Suite\nname: s\ndc: a.yml\n"));
    insta::assert_snapshot!(problems(
        "
kind: Suit
name: s
---
kind: Suite
nmae: s
---
kind: Scenario
name: a b
dc: b.yml
timeout: never
"
    ));
    insta::assert_snapshot!(problems(
        "
kind: Suite
name: s
dcc: a.yml
dc: a.yml
---
kind: Scenario
name: a
timeout: never
steps: []
---
kind: Scenario
name: a
steps: [{check: {that: {power: {of: node/*, is: On}}}}]
"
    ));
}

#[test]
fn a_suite_names_its_data_center_relative_to_its_file() {
    let mut suite = input("s/suite.yml", "kind: Suite\nname: s\ndc: ../dc.yml\n");
    suite.source.dir = "s".into();
    let scenario =
        "kind: Scenario\nname: a\nsteps: [{check: {that: {power: {of: hub, is: On}}}}]\n";
    let draft = Draft::parse(vec![suite, input("a.yml", scenario)]).unwrap();
    assert_eq!(draft.dc(), std::path::Path::new("s/../dc.yml"));
}

#[test]
fn the_reference_lists_every_kind() {
    insta::assert_snapshot!(reference());
}
