//! `doctor --fix` for real, on limits that are a user namespace's own (user_namespaces(7)): nothing of the host changes.

use placemat_tests::{Need, Place, Said, needs, placemat, run};
use std::time::Duration;

const CLUSTER: &str = "
{kind: Network, name: n, type: internal}
---
{kind: NetworkNamespace, name: a, interfaces: [n]}
---
{kind: NetworkNamespace, name: b, interfaces: [n]}
---
{kind: NetworkNamespace, name: c, interfaces: [n]}
";

const LOW: &str =
    "echo 3 > /proc/sys/user/max_net_namespaces; echo 2 > /proc/sys/user/max_uts_namespaces";
/// Settings of the host's own, by which it may shut ordinary users out.
const HIDE: &str = "for it in apparmor_restrict_unprivileged_userns unprivileged_userns_clone; do \
     test ! -e /proc/sys/kernel/$it || mount --bind /dev/null /proc/sys/kernel/$it; done";
const SHOW: &str = "cat /proc/sys/user/max_net_namespaces /proc/sys/user/max_uts_namespaces";
const READ_ONLY: &str = "file=/proc/sys/user/max_net_namespaces; mount --bind $file $file && mount -o remount,bind,ro $file";

/// Runs a script as root of a user namespace with low limits, with `$P` for the program and `$F` for the file.
fn inside(place: &Place, script: &str) -> Said {
    let file = place.write("dc.yml", CLUSTER);
    let known = place.command(&["x"]);
    let mut command = run::command("unshare");
    for (name, value) in known.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("P", known.get_program()).env("F", file);
    command.args(["-Urnpm", "--fork", "--mount-proc", "sh", "-c"]);
    command.arg(format!("{HIDE}; {LOW}; {script}"));
    run::run(command, Duration::from_secs(120))
}

/// The lines that tell of these limits.
fn of_limits(text: &str) -> String {
    let about = |it: &&str| {
        it.contains("user.max_net_namespaces") || it.contains("user.max_uts_namespaces")
    };
    let lines: Vec<&str> = text.lines().filter(about).collect();
    lines.join("\n")
}

#[test]
fn raises_what_is_too_low_and_tells_each_change() {
    if !needs(&[Need::Root]) {
        return;
    }
    let place = Place::new();
    let low = inside(&place, "$P doctor $F");
    assert_eq!(low.code, Some(4), "{low:?}");
    assert!(
        low.err.contains("not ready for want of") && low.err.contains("user.max_net_namespaces"),
        "{low:?}"
    );
    insta::assert_snapshot!("low", of_limits(&low.out));

    let fixed = inside(&place, &format!("$P doctor --fix $F > /dev/null; {SHOW}"));
    insta::assert_snapshot!("fixed", of_limits(&fixed.err));
    assert_eq!(fixed.out, "8\n8\n", "{fixed:?}");
    let again = "$P doctor --fix $F > /dev/null; $P doctor --fix $F > /dev/null";
    let again = inside(&place, again);
    assert!(again.err.contains("nothing to change"), "{again:?}");
    let json = inside(&place, "$P doctor --fix --json $F");
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(
        json["changes"],
        serde_json::json!([
            {"name": "user.max_uts_namespaces", "from": 2, "to": 8},
            {"name": "user.max_net_namespaces", "from": 3, "to": 8},
        ])
    );
    place.assert_nothing_left();
}

#[test]
fn a_setting_that_cannot_be_changed_is_an_error_and_what_was_changed_is_told() {
    if !needs(&[Need::Root]) {
        return;
    }
    let place = Place::new();
    let said = inside(&place, &format!("{READ_ONLY}; $P doctor --fix $F"));
    assert_eq!(said.code, Some(4), "{said:?}");
    insta::assert_snapshot!("read-only", said.err);
    place.assert_nothing_left();
}

#[test]
fn only_root_may() {
    if !needs(&[Need::Root]) {
        return;
    }
    let mut command = run::command("unshare");
    command.arg("--user").arg(placemat());
    command.args(["doctor", "--fix"]);
    let said = run::run(command, Duration::from_secs(60));
    assert_eq!(said.code, Some(4), "{said:?}");
    insta::assert_snapshot!("not-root", said.err);
}
