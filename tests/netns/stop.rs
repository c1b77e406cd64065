//! Signals and `down`: an ordered stop, the exit code, and nothing left when it returns.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use placemat_tests::process::Track;
use placemat_tests::{Attached, Canary, Need, Place, fixture, needs, poll};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_signal_stops_in_order() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let place = Place::new();
        let mut up = Attached::up(&place, &fixture::ring(&place));
        up.reach("running");
        // The run directory goes with the lab: its events are kept open.
        let events = place.run_dirs()[0].join("events.jsonl");
        let events = std::fs::File::open(events).expect("the events");
        up.signal(signal);
        assert_eq!(up.wait(PATIENCE).code(), Some(code), "{}", up.said());
        let text = std::io::read_to_string(events).expect("the events");
        assert!(
            text.contains("stopping") && text.contains("stopped"),
            "{text}"
        );
        place.assert_nothing_left();
    }
}

#[test]
fn a_signal_while_it_starts_stops_it_too() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    for phase in ["links", "routers"] {
        let mut up = Attached::up(&place, &file);
        up.reach(phase);
        up.signal(Signal::SIGTERM);
        assert_eq!(
            up.wait(PATIENCE).code(),
            Some(143),
            "in {phase}: {}",
            up.said()
        );
        place.assert_nothing_left();
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let mut up = Attached::up(&place, &fixture::ring(&place));
    up.reach("running");
    // An ordered stop waits for this one, which does not listen.
    let stubborn = "trap '' TERM INT HUP; while :; do sleep 1; done";
    let _client = Attached::start(&place, &["exec", "router/r1", "--", "sh", "-c", stubborn]);
    up.signal(Signal::SIGINT);
    std::thread::sleep(Duration::from_millis(5));
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait(PATIENCE).code(), Some(130), "{}", up.said());
    place.assert_nothing_left();
}

#[test]
fn down_returns_when_all_is_gone() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let lab = place.up(&fixture::ring(&place));
    let mut track = Track::default();
    track.observe(lab.init);
    let mut canary = Canary::new();
    assert!(canary.watch(lab.init) > fixture::ROUTERS);
    track.strike();
    lab.down();
    assert_eq!(track.left(&place.run_base()), Vec::<String>::new());
    // The kernel takes links apart by itself; it must not take long.
    let gone = poll(PATIENCE, || canary.all_gone().then_some(()));
    assert!(gone.is_some(), "links are left");
    place.assert_nothing_left();
}

#[test]
fn a_detached_owner_stops_in_order_on_a_signal() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let lab = place.up(&fixture::ring(&place));
    kill(Pid::from_raw(lab.init), Signal::SIGTERM).expect("a signal to init");
    let stopped = poll(PATIENCE, || place.labs().is_empty().then_some(()));
    assert!(stopped.is_some(), "it goes on");
    let phases = placemat_tests::attached::phases(&place.run_base());
    assert_eq!(phases.last().map(String::as_str), Some("stopped"));
    place.say(&["prune"]).well();
    place.assert_nothing_left();
}

/// A lab that is stopped as `kill -STOP` does it, with its first process or without, listens to
/// nobody: `down` ends it through the kernel. So it does where the attached parent is stopped.
#[test]
fn down_ends_a_lab_that_does_not_listen() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    for with_init in [false, true] {
        let lab = place.up(&file);
        let init = lab.init;
        let all = placemat_tests::process::carrying(&place.run_base());
        let labs = all.into_iter().filter(|pid| with_init || *pid != init);
        for pid in labs {
            // Some may be short-lived.
            let _ = kill(Pid::from_raw(pid), Signal::SIGSTOP);
        }
        let said = lab.say("down", &["--grace", "200ms"]).well();
        let told = format!("did not shut down within 200ms: killed (its first process, {init})");
        assert!(said.err.contains(&told), "{}", said.err);
        place.assert_nothing_left();
    }
    let mut up = Attached::up(&place, &file);
    up.reach("running");
    up.signal(Signal::SIGSTOP);
    place.say(&["down", "--grace", "1s"]).well();
    assert_eq!(up.wait(PATIENCE).code(), Some(0), "{}", up.said());
    place.assert_nothing_left();
}
