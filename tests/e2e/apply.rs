//! `apply` with virtual machines: one comes, becomes another machine and goes; the one beside it runs on.

use crate::life::{object, wait};
use crate::turn::Turn;
use placemat_spec::event::BootPhase;
use placemat_tests::{Lab, Need, Place, needs, process, program};

const CLUSTER: &str = "
{kind: Image, name: os, bundle: BUNDLE}
---
{kind: Network, name: net, type: internal}
---
{kind: Node, name: a, tier: kernel, image: os, memory: 256M, interfaces: [net]}
";

const SECOND: &str = "---
{kind: Node, name: b, tier: kernel, image: os, memory: 256M, interfaces: [net]}
";

fn booted(lab: &Lab<'_>, target: &str) {
    wait(lab, target, "booted", |it| {
        it.phase >= Some(BootPhase::Agent)
    });
}

/// Memory of a guest in KiB, as it sees it.
fn memory(lab: &Lab<'_>, target: &str) -> u64 {
    let said = lab.exec(target, &["cat", "/proc/meminfo"]).well().out;
    let total = said.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let number = total.and_then(|it| it.split_whitespace().next());
    number.and_then(|it| it.parse().ok()).expect("MemTotal")
}

#[test]
fn one_machine_comes_changes_and_goes_beside_another() {
    if !needs(&[Need::Qemu, Need::Image]) {
        return;
    }
    let turn = Turn::take("apply");
    let place = Place::new();
    let bundle = program::image().expect("the image");
    let bundle = bundle.canonicalize().expect("the image");
    let text = CLUSTER.replace("BUNDLE", &bundle.to_string_lossy());
    let file = place.write("dc.yml", &text);
    let more = place.write("more.yml", &(text.clone() + SECOND));
    let other = place.write(
        "other.yml",
        &(text + &SECOND.replace("memory: 256M", "memory: 320M")),
    );
    let lab = place.up(&file);
    booted(&lab, "node/a");
    let machines = || process::named(lab.init, "qemu-system-x86");
    let a = machines();
    assert_eq!(a.len(), 1, "{a:?}");
    let apply = |file: &std::path::Path| lab.say("apply", &["--yes".as_ref(), file.as_os_str()]);

    apply(&more).well();
    booted(&lab, "node/b");
    turn.say("a second machine");
    let mut both = machines();
    both.retain(|pid| !a.contains(pid));
    assert_eq!(both.len(), 1, "{both:?}");
    let small = memory(&lab, "node/b");

    apply(&other).well();
    booted(&lab, "node/b");
    turn.say("with more memory");
    assert!(memory(&lab, "node/b") > small + 50 * 1024);
    assert!(!machines().contains(&both[0]), "it is another process");

    apply(&file).well();
    assert_eq!(machines(), a, "the first is as it was");
    let first = object(&lab, "node/a");
    assert_eq!((first.boots, first.power), (1, true), "{first:?}");
    assert!(lab.status().objects.iter().all(|it| it.target == "node/a"));
    lab.exec("node/a", &["true"]).well();
    lab.down();
    place.assert_nothing_left();
}
