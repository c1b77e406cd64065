//! `plan --lab` and `apply` on a ring of routers with BIRD: what a file changes is changed, and nothing else notices.

use crate::bgp::{converges, established, reaches};
use placemat_tests::{Lab, Need, Place, Said, fixture, needs};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

mod interrupted;
mod servers;

const PATIENCE: Duration = Duration::from_secs(40);

fn plan(place: &Place, lab: &Lab, file: &Path, more: &[&str]) -> Said {
    let file = file.to_string_lossy();
    let mut arguments = vec!["plan", "--lab", lab.id.as_str()];
    arguments.extend(more);
    arguments.push(&file);
    place.say(&arguments)
}

fn apply(lab: &Lab, file: &Path) -> Said {
    lab.say("apply", &["--yes", &file.to_string_lossy()])
}

/// A second file, with what `edit` makes of the first.
fn edited(place: &Place, file: &Path, edit: impl Fn(String) -> String) -> PathBuf {
    let text = fs::read_to_string(file).expect("the file");
    place.write("next.yml", &edit(text))
}

/// Since when a session is as it is: its state, and milliseconds since midnight. BIRD computes the
/// time of day anew each time, which moves by one or two.
#[derive(Debug)]
struct Since(String, i64);

impl PartialEq for Since {
    fn eq(&self, other: &Self) -> bool {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        let apart = (self.1 - other.1).rem_euclid(DAY);
        self.0 == other.0 && apart.min(DAY - apart) < 50
    }
}

impl Since {
    /// `HH:MM:SS.mmm`.
    fn read(state: &str, time: &str) -> Self {
        let fields = time.split([':', '.']).map(str::parse);
        let fields: Result<Vec<i64>, _> = fields.collect();
        let [hours, minutes, seconds, millis] = fields.expect("numbers")[..] else {
            panic!("a time of day: {time}");
        };
        let seconds = (hours * 60 + minutes) * 60 + seconds;
        Self(state.to_owned(), seconds * 1000 + millis)
    }
}

/// Process id of a router's BIRD, as the router sees it, and since when each of its sessions is as it is.
fn life(lab: &Lab, router: &str) -> (String, BTreeMap<String, Since>) {
    let target = format!("router/{router}");
    let pid = lab.exec(&target, &["cat", "/run/bird/bird.pid"]).well().out;
    let told = lab.exec(
        &target,
        &["birdc", "-s", "/run/bird/bird.ctl", "show", "protocols"],
    );
    let sessions = told.well().out;
    let sessions = sessions.lines().filter(|line| line.contains(" BGP "));
    let since = sessions.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[0].to_owned(), Since::read(words[3], words[4]))
    });
    (pid, since.collect())
}

/// Objects of events since there were `before` of them.
fn touched(lab: &Lab, before: usize) -> Vec<String> {
    let events = lab.events();
    let objects = events[before..]
        .iter()
        .filter_map(|it| it["object"].as_str());
    let mut objects: Vec<String> = objects.map(str::to_owned).collect();
    objects.sort();
    objects.dedup();
    objects
}

fn nothing_differs(place: &Place, lab: &Lab, file: &Path) {
    let said = plan(place, lab, file, &["--exit-code"]);
    assert_eq!(
        (said.code, said.out.trim()),
        (Some(0), "nothing differs"),
        "{said:?}"
    );
}

#[test]
fn only_what_a_file_changes_is_changed() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    let lab = place.up(&file);
    converges(&lab);
    nothing_differs(&place, &lab, &file);
    let said = apply(&lab, &file).well();
    assert!(said.err.contains("nothing to do"), "{said:?}");

    // A router and two links more: one on a new network, one that makes a bridge of link4.
    place.write(
        "r7.conf",
        "router id 10.0.0.7;\nprotocol device {}\nprotocol bgp r1 { connect delay time 1; local 10.1.7.1 as 65007; neighbor 10.1.7.0 as 65001; ipv4 { import all; export all; }; }\n",
    );
    let r1 = fs::read_to_string(place.dir().join("r1.conf")).expect("r1.conf");
    place.write(
        "r1.next.conf",
        &format!("{r1}protocol bgp r7 from session {{ local 10.1.7.0 as 65001; neighbor 10.1.7.1 as 65007; }}\n"),
    );
    let more = edited(&place, &file, |text| {
        let text = text.replace(
            "  - {network: shared, addresses: [10.2.0.1/24]}\n",
            "  - {network: shared, addresses: [10.2.0.1/24]}\n  - {network: link7, addresses: [10.1.7.0/31]}\n",
        );
        text.replace("config: r1.conf", "config: r1.next.conf")
            + "---\n{kind: Network, name: link7, type: internal}\n---\nkind: Router\nname: r7\n\
               interfaces: [{network: link7, addresses: [10.1.7.1/31]}, {network: link4}]\nbird: {config: r7.conf}\n"
    });
    let seen = plan(&place, &lab, &more, &["--exit-code"]);
    assert_eq!(seen.code, Some(1), "{seen:?}");
    insta::assert_snapshot!(seen.out);
    let others = ["r2", "r3", "r6"];
    let before = others.map(|router| life(&lab, router));
    let (bird1, sessions1) = life(&lab, "r1");
    let events = lab.events().len();
    let said = apply(&lab, &more).well();
    assert!(said.err.contains("router/r7: made"), "{said:?}");
    assert!(said.err.contains("network/link7: made"), "{said:?}");
    reaches(&lab, "r1", 3);
    reaches(&lab, "r4", 2);
    assert_eq!(
        others.map(|router| life(&lab, router)),
        before,
        "they notice nothing"
    );
    let (bird1_now, mut sessions1_now) = life(&lab, "r1");
    sessions1_now.remove("r7");
    assert_eq!(
        (bird1_now, sessions1_now),
        (bird1, sessions1),
        "its other sessions stay up"
    );
    assert_eq!(touched(&lab, events), ["lab", "router/r7"]);
    nothing_differs(&place, &lab, &more);
    let kept = fs::read_to_string(lab.run_dir().join("cluster.yml")).expect("cluster.yml");
    assert!(kept.contains("r7"), "{kept}");
    // It is a part of the lab as any other.
    lab.exec("r7", &["ip", "-br", "link", "show", "eth1"])
        .well();
    assert!(
        lab.status()
            .objects
            .iter()
            .any(|it| it.target == "router/r7" && it.power)
    );

    // And away again: link4 stays a bridge, so that nobody on it notices.
    let before = ["r2", "r4", "r5"].map(|router| life(&lab, router));
    apply(&lab, &file).well();
    reaches(&lab, "r1", 2);
    assert_eq!(["r2", "r4", "r5"].map(|router| life(&lab, router)), before);
    assert_eq!(lab.exec("r7", &["true"]).code, Some(2));
    assert!(
        !lab.status()
            .objects
            .iter()
            .any(|it| it.target == "router/r7")
    );
    nothing_differs(&place, &lab, &file);
    lab.down();
    place.assert_nothing_left();
}

#[test]
fn what_fails_is_told_and_what_is_left_shows() {
    if !needs(&[Need::Root, Need::Bird, Need::Busybox]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    let lab = place.up(&file);
    converges(&lab);

    // Without a terminal nobody can be asked.
    let said = lab.say("apply", &[file.as_os_str()]);
    assert_eq!(said.code, Some(2), "{said:?}");

    // What cannot be done live is refused with its line, before anything is touched.
    let refused = edited(&place, &file, |text| {
        text.replace(
            "name: shared\ntype: internal",
            "name: shared\ntype: external\naddress: 10.2.0.254/24",
        )
    });
    let events = lab.events().len();
    let said = apply(&lab, &refused);
    assert_eq!(said.code, Some(3), "{said:?}");
    insta::assert_snapshot!(said.err.replace(&place.dir().display().to_string(), "DIR"));
    assert_eq!(lab.events().len(), events);

    // A configuration that BIRD refuses: that router stays as it is, the rest is done.
    place.write("bad.conf", "this is no configuration\n");
    let bad = edited(&place, &file, |text| {
        text.replace("config: r2.conf", "config: bad.conf").replace(
            "loopback: [10.0.0.3/32]",
            "loopback: [10.0.0.3/32, 10.0.9.3/32]",
        )
    });
    let before = life(&lab, "r2");
    let said = apply(&lab, &bad);
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(
        said.err
            .contains("router/r2: failed: reconfigure BIRD of router/r2"),
        "{said:?}"
    );
    assert_eq!(life(&lab, "r2"), before, "its sessions stay up");
    lab.exec(
        "r3",
        &[
            "busybox", "ping", "-c", "1", "-W", "2", "-I", "10.0.9.3", "10.0.9.3",
        ],
    )
    .well();
    let left = plan(&place, &lab, &bad, &["--json"]).well();
    let left: Value = serde_json::from_str(&left.out).expect("JSON");
    let objects = left["objects"].as_array().expect("objects");
    let names: Vec<&str> = objects
        .iter()
        .filter_map(|it| it["object"].as_str())
        .collect();
    assert_eq!(names, ["router/r2"], "{left}");

    // Put right, it goes on from there.
    place.write(
        "bad.conf",
        &(fs::read_to_string(place.dir().join("r2.conf")).expect("r2.conf") + "# better\n"),
    );
    let said = apply(&lab, &bad).well();
    assert!(!said.err.contains("links"), "none changes: {said:?}");
    nothing_differs(&place, &lab, &bad);
    assert_eq!(established(&lab, "r2"), 2);
    lab.down();
    place.assert_nothing_left();
}
