//! Who may fall without the lab: clients, and daemons, which come again.

use crate::bgp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use placemat_tests::{Attached, Lab, Need, Place, fixture, needs, poll, process};
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_client_takes_its_command_along_and_nothing_else() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let lab = place.up(&fixture::ring(&place));
    bgp::converges(&lab);
    let before = daemons(&lab);
    let sleeps = || process::named(lab.init, "sleep").len();
    let idle = sleeps();
    for arguments in [
        &["exec", "router/r1", "--", "sleep", "1000"][..],
        &[
            "exec",
            "router/r1",
            "--",
            "sh",
            "-c",
            "sleep 1000 & sleep 1000",
        ],
        &["exec", "hub", "--", "sleep", "1000"],
    ] {
        let mut client = Attached::start(&place, arguments);
        let runs = poll(PATIENCE, || (sleeps() > idle).then_some(()));
        assert!(
            runs.is_some(),
            "{arguments:?} does not run: {}",
            client.said()
        );
        client.signal(Signal::SIGKILL);
        client.wait(PATIENCE);
        let ended = poll(PATIENCE, || (sleeps() == idle).then_some(()));
        assert!(ended.is_some(), "{arguments:?} outlives its client");
    }
    for arguments in [
        &["status"][..],
        &["power", "router/r6", "on"],
        &["down", "no-such-file"],
    ] {
        let mut client = Attached::start(&place, arguments);
        client.signal(Signal::SIGKILL);
        client.wait(PATIENCE);
    }
    assert_eq!(daemons(&lab), before);
    bgp::converges(&lab);
    lab.down();
    place.assert_nothing_left();
}

#[test]
fn a_daemon_comes_again_and_nothing_else_falls() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let lab = place.up(&fixture::ring(&place));
    bgp::converges(&lab);
    let (before, seen) = (daemons(&lab), lab.events().len());
    lab.exec(
        "router/r3",
        &["sh", "-c", "kill -9 $(cat /run/bird/bird.pid)"],
    )
    .well();
    let again = poll(PATIENCE, || {
        let states = states(&lab.events()[seen..], "router/r3");
        (states.last().map(String::as_str) == Some("ready")).then_some(states)
    });
    let Some(again) = again else {
        panic!("BIRD does not come again: {:?}", &lab.events()[seen..]);
    };
    assert_eq!(again, ["ended", "restarting", "started", "ready"]);
    bgp::converges(&lab);
    // Of all daemons exactly one is another.
    let after = daemons(&lab);
    assert_eq!(after.len(), before.len());
    assert_eq!(
        after.iter().filter(|each| !before.contains(each)).count(),
        1
    );
    let other = lab.events()[seen..]
        .iter()
        .any(|event| event["object"] != "router/r3");
    assert!(!other, "more happened: {:?}", &lab.events()[seen..]);
    lab.down();
    place.assert_nothing_left();
}

#[test]
fn a_router_whose_container_ends_can_be_powered_on() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let lab = place.up(&fixture::ring(&place));
    bgp::converges(&lab);
    // Init of the container, from the host: the router is as good as without power.
    let bird = process::named(lab.init, "bird");
    let init = bird.iter().find_map(|pid| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        text.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(1)?
            .parse::<i32>()
            .ok()
    });
    let init = init.expect("the parent of a BIRD");
    assert_ne!(init, lab.init);
    let seen = lab.events().len();
    kill(Pid::from_raw(init), Signal::SIGKILL).expect("kill");
    let fewer = poll(PATIENCE, || {
        (process::named(lab.init, "bird").len() < bird.len()).then_some(())
    });
    assert!(fewer.is_some());
    let told = poll(PATIENCE, || {
        let events = lab.events().split_off(seen);
        events
            .first()
            .map(|event| event["object"].as_str().unwrap_or_default().to_owned())
    });
    let Some(router) = told else {
        panic!("no event tells of it")
    };
    assert!(router.starts_with("router/r"), "{router}");
    let dark = |lab: &Lab| {
        let objects = lab.status().objects.into_iter();
        let off = objects
            .filter(|object| !object.power)
            .map(|object| object.target);
        off.collect::<Vec<_>>()
    };
    assert_eq!(dark(&lab), std::slice::from_ref(&router));
    // It is without power, and can be given power again.
    lab.say("power", &[&router, "on"]).well();
    assert_eq!(dark(&lab), Vec::<String>::new());
    bgp::converges(&lab);
    lab.down();
    place.assert_nothing_left();
}

#[test]
fn a_router_that_does_not_start_is_told_of_and_one_that_hangs_holds_up_no_end() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    let ring = std::fs::read_to_string(&file).expect("the ring");
    let with = |name: &str, script: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = place.write(&format!("{name}.sh"), &format!("#!/bin/sh\n{script}\n"));
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, runs).expect("a mode");
        let resource = format!(
            "---\nkind: NetworkNamespace\nname: {name}\ninterfaces: [{{network: shared, addresses: [10.2.0.99/24]}}]\ninit-scripts: [{}]\n",
            path.display()
        );
        place.write(&format!("{name}.yml"), &format!("{ring}{resource}"))
    };
    let up = place
        .say(&[
            "up",
            "--detach",
            &with("broken", "exit 7").to_string_lossy(),
        ])
        .well();
    let warning = "warning: router/broken: did not start: init script ";
    assert!(
        up.err.contains(warning) && up.err.contains(" exited with 7"),
        "{}",
        up.err
    );
    let lab = Lab::attach(&place, &place.labs()[0]);
    bgp::converges(&lab);
    let dark: Vec<String> = lab
        .status()
        .objects
        .into_iter()
        .filter(|object| !object.power)
        .map(|object| object.target)
        .collect();
    assert_eq!(dark, ["router/broken"]);
    let told = lab.events().into_iter().any(|event| {
        let text = event["text"].as_str().unwrap_or_default();
        event["object"] == "router/broken" && text.starts_with("did not start: ")
    });
    assert!(told, "{:?}", lab.events());
    lab.down();
    place.assert_nothing_left();

    let mut up = Attached::up(&place, &with("hangs", "sleep 1000"));
    up.reach("routers");
    let hangs = poll(PATIENCE, || {
        up.init()
            // One more than the guest's.
            .is_some_and(|init| process::named(init, "sleep").len() >= 2)
            .then_some(())
    });
    assert!(hangs.is_some(), "{}", up.said());
    up.signal(Signal::SIGTERM);
    assert_eq!(up.wait(PATIENCE).code(), Some(143), "{}", up.said());
    place.assert_nothing_left();
}

/// What depends on a server that does not start is told so, and starts.
#[test]
fn what_depends_on_a_server_that_does_not_start_goes_on_without_it() {
    if !needs(&[Need::Root, Need::Qemu]) {
        return;
    }
    let place = Place::new();
    let file = place.write(
        "dc.yml",
        "{kind: Node, name: broken, uefi: false, cpu: 1, memory: 64M, qemu-args: [-device, no-such-device]}\n---\n\
         {kind: Node, name: waits, tier: mock, depends-on: [broken]}\n---\n\
         {kind: Node, name: waits-too, tier: mock, depends-on: [waits]}\n",
    );
    let up = ["up", "--detach", &file.to_string_lossy()];
    let warned = place.say(&up).well().err;
    assert!(
        warned.contains("warning: node/broken: did not start"),
        "{warned}"
    );
    let lab = Lab::attach(&place, &place.labs()[0]);
    let said = |object: &str| {
        let mut events = lab.events();
        events.retain(|event| event["object"] == object && event["kind"] == "note");
        let texts = events
            .iter()
            .map(|event| event["text"].as_str().unwrap_or_default().to_owned());
        texts.collect::<Vec<_>>()
    };
    assert_eq!(
        said("node/waits"),
        ["starts without node/broken, which it depends on"]
    );
    assert_eq!(said("node/waits-too"), Vec::<String>::new());
    for object in lab.status().objects {
        let broken = object.target == "node/broken";
        assert_eq!(object.power, !broken, "{object:?}");
        let problem = object.problem.unwrap_or_default();
        assert_eq!(problem.contains("no-such-device"), broken, "{problem}");
    }
    let shown = lab.say::<&str>("status", &[]).well().out;
    assert!(shown.contains("\nnode/broken: did not start: "), "{shown}");
    lab.down();
    place.assert_nothing_left();
}

fn daemons(lab: &Lab) -> Vec<i32> {
    let mut all = process::named(lab.init, "bird");
    all.sort_unstable();
    all
}

fn states(events: &[Value], object: &str) -> Vec<String> {
    let of = events
        .iter()
        .filter(|event| event["object"] == object && event["kind"] == "app");
    of.filter_map(|event| Some(event["state"].as_str()?.to_owned()))
        .collect()
}
