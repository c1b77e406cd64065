//! What starts and never becomes ready: who says so, and where.

use placemat_spec::event::BootPhase;
use placemat_tests::{Lab, Need, Place, needs, program};

const CLUSTER: &str = r#"
kind: Network
name: net
type: internal
---
{kind: Image, name: os, bundle: BUNDLE}
---
kind: NetworkNamespace
name: r1
interfaces: [{network: net, addresses: [10.0.0.1/24]}]
apps:
  - {name: never, command: [sleep, "1000"], ready: {command: ["false"], interval: 50ms, timeout: 1s}}
  - {name: later, command: [sleep, "1000"], after: [never]}
  - {name: fails, command: [sh, -c, "exit 3"], restart: no}
  - {name: well, command: [sleep, "1000"], ready: {command: ["true"]}}
---
kind: Router
name: r2
interfaces: [{network: net, addresses: [10.0.0.2/24]}]
bird: {config: r2.conf}
---
# Nobody gives it an address.
{kind: Node, name: n1, tier: netns, image: os, interfaces: [net]}
"#;

const SCENARIO: &str = "
kind: Scenario
name: waits
dc: dc.yml
steady-state: {that: {booted: {of: node/*}}, timeout: 1s}
steps:
  - check: {that: {power: {of: node/*, is: On}}}
";

#[test]
fn is_told_by_up_status_and_scenarios() {
    if !needs(&[Need::Root, Need::Bird, Need::Image]) {
        return;
    }
    let place = Place::new();
    let bundle = program::image().expect("the image");
    let bundle = bundle.canonicalize().expect("the image");
    let text = CLUSTER.replace("BUNDLE", &bundle.to_string_lossy());
    let file = place.write("dc.yml", &text);
    place.write("r2.conf", "router id 10.0.0.2;\nprotocol device {}\n");
    let scenario = place.write("waits.yml", SCENARIO);

    // It comes up all the same, and what is not well is said.
    let up = place
        .say(&["up", "--detach", &file.to_string_lossy()])
        .well();
    insta::assert_snapshot!("up", up.err);
    let lab = Lab::attach(&place, &place.labs()[0]);
    let status = lab.status();
    let problem = |target: &str| {
        let mut objects = status.objects.iter();
        let object = objects.find(|it| it.target == target).expect("an object");
        assert!(object.power, "{object:?}");
        object.problem.clone()
    };
    assert_eq!(
        problem("router/r1").as_deref(),
        Some("fails: exit code 3; never: not ready within 1 s: `false` exits with 1")
    );
    assert_eq!((problem("router/r2"), problem("node/n1")), (None, None));
    let n1 = &status.objects[2];
    assert_eq!(n1.phase, Some(BootPhase::Userspace));
    assert!(n1.phase_ms.is_some_and(|ms| ms > 0.0), "{n1:?}");
    let shown = lab.say::<&str>("status", &[]).well().out;
    assert!(shown.contains("  userspace for "), "{shown}");
    assert!(
        shown.contains("\nrouter/r1: fails: exit code 3; never: not ready"),
        "{shown}"
    );
    // Once it is well, nothing is said any more.
    let better = text.replace(r#"["false"]"#, r#"["true"]"#);
    let better = place.write("better.yml", &better);
    let applied = lab.say("apply", &["--yes".as_ref(), better.as_os_str()]);
    assert!(
        applied.well().err.contains("router/r1: changed; fails: "),
        "what is left"
    );
    lab.say("power", &["router/r1", "off"]).well();
    assert!(lab.status().objects.iter().all(|it| it.problem.is_none()));
    lab.down();

    // A scenario that waits for it names it and where it is.
    let said = place.say(&["test", &scenario.to_string_lossy()]);
    assert_eq!(said.code, Some(6), "{said:?}");
    assert!(
        said.text().contains("node/n1: userspace, image network")
            && said.text().contains("; expected agent"),
        "{said:?}"
    );
    place.assert_nothing_left();
}
