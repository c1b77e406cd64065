//! SIGKILL at any moment of start, run and stop ends the whole lab, and the next `up` works.
//!
//! How long it took until the kernel was done goes to `target/tmp/kill9.jsonl`, for `ci/bench`.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use placemat_tests::process::{self, Track};
use placemat_tests::{Attached, Canary, Need, Place, attached, fixture, needs, poll};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Whom the signal hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// The host-side parent of an attached lab.
    Parent,
    /// The lab's PID 1.
    Init,
    /// The parent, while PID 1 is stopped.
    ParentOfStoppedInit,
    /// PID 1 of a detached lab, which has no parent.
    Owner,
}

/// When it hits. Milliseconds count from the start of the program, or from SIGTERM.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Start(u64),
    Phase(&'static str),
    Stop(u64),
}

const MOMENTS: &[Moment] = &[
    Moment::Start(0),
    Moment::Start(2),
    Moment::Start(20),
    Moment::Start(60),
    Moment::Start(110),
    Moment::Phase("links"),
    Moment::Phase("routers"),
    Moment::Phase("nodes"),
    Moment::Phase("running"),
    Moment::Stop(0),
    Moment::Stop(1),
    Moment::Stop(3),
    Moment::Stop(6),
    Moment::Stop(20),
];

#[test]
fn of_the_parent() {
    rounds(Victim::Parent);
}

#[test]
fn of_init() {
    rounds(Victim::Init);
}

#[test]
fn of_the_parent_of_a_stopped_init() {
    rounds(Victim::ParentOfStoppedInit);
}

#[test]
fn of_a_detached_owner() {
    rounds(Victim::Owner);
}

#[test]
fn with_servers_of_the_node_image() {
    if !needs(&[Need::Root, Need::Bird, Need::Dnsmasq, Need::Image]) {
        return;
    }
    let file = placemat_tests::repository().join("menu/examples/routers.yml");
    let place = Place::new();
    for (victim, moment) in [
        (Victim::Parent, Moment::Phase("boot-servers")),
        (Victim::Init, Moment::Phase("nodes")),
        (Victim::ParentOfStoppedInit, Moment::Phase("running")),
        (Victim::Owner, Moment::Stop(5)),
    ] {
        round(&place, &file, victim, moment);
    }
    next_up_works(&place, &file);
}

fn rounds(victim: Victim) {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    let mut phases = BTreeSet::new();
    for (number, moment) in MOMENTS.iter().enumerate() {
        phases.insert(round(&place, &file, victim, *moment));
        if number % 5 == 0 {
            next_up_works(&place, &file);
        }
    }
    next_up_works(&place, &file);
    // Of start, run and stop each.
    for phase in ["links", "running", "stopping"] {
        assert!(phases.contains(phase), "no kill in {phase}: {phases:?}");
    }
}

/// Brings a lab up, kills it at a moment, waits until nothing is left; the phase it was killed in.
fn round(place: &Place, file: &Path, victim: Victim, moment: Moment) -> String {
    // Times are of one lab, not of all tests at once.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut track = Track::default();
    let mut canary = Canary::new();
    let detach: &[&str] = if victim == Victim::Owner {
        &["--detach"]
    } else {
        &[]
    };
    let file_name = file.to_string_lossy();
    let arguments = [&["up"], detach, &[&*file_name]].concat();
    let started = Instant::now();
    let mut up = Attached::start(place, &arguments);
    let init = match moment {
        Moment::Start(after) => {
            std::thread::sleep(Duration::from_millis(after).saturating_sub(started.elapsed()));
            let first = process::children(up.parent()).first().copied();
            // The others have no victim before.
            if victim == Victim::Parent {
                first
            } else {
                up.init()
            }
        }
        Moment::Phase(_) | Moment::Stop(_) => {
            let init = up.init();
            up.reach(if let Moment::Phase(phase) = moment {
                phase
            } else {
                "running"
            });
            init
        }
    };
    // The parent of a detached lab may have gone already.
    let init = init.or_else(|| place.inits().first().copied());
    if let Some(init) = init {
        track.observe(init);
        // Takes a while: only where time stands still.
        if !matches!(
            moment,
            Moment::Start(_) | Moment::Phase("links" | "routers" | "nodes")
        ) {
            assert!(canary.watch(init) > 0, "no namespace to watch");
        }
    }
    if let (Moment::Stop(after), Some(init)) = (moment, init) {
        let _ = kill(Pid::from_raw(init), Signal::SIGTERM);
        std::thread::sleep(Duration::from_millis(after));
    }
    let phase = up.phases().pop().unwrap_or_else(|| "none".into());
    track.strike();
    let began = Instant::now();
    let send = |pid: Option<i32>, signal| {
        // It may be over already, or not have begun.
        let _ = pid.map(|pid| kill(Pid::from_raw(pid), signal));
    };
    match victim {
        Victim::Parent => send(Some(up.parent()), Signal::SIGKILL),
        Victim::Init | Victim::Owner => send(init, Signal::SIGKILL),
        Victim::ParentOfStoppedInit => {
            send(init, Signal::SIGSTOP);
            send(Some(up.parent()), Signal::SIGKILL);
        }
    }
    up.wait(Duration::from_secs(20));
    let left = || {
        let mut left = track.left(&place.run_base());
        if !canary.all_gone() {
            left.push("links, in a network namespace of the lab".into());
        }
        left
    };
    let gone = poll(Duration::from_secs(20), || {
        left().is_empty().then(|| began.elapsed())
    });
    let Some(gone) = gone else {
        panic!(
            "{victim:?} killed at {moment:?}, in {phase}: left are {:#?}",
            left()
        );
    };
    record(file, victim, moment, &phase, gone);
    phase
}

/// The next `up` works at once, and takes away what the killed ones left.
fn next_up_works(place: &Place, file: &Path) {
    let lab = place.up(file);
    assert_eq!(
        place.run_dirs(),
        [lab.run_dir()],
        "run directories are swept"
    );
    assert_eq!(
        attached::phases(&place.run_base()).pop().as_deref(),
        Some("running")
    );
    assert!(process::find(lab.init).is_some());
    lab.down();
    place.assert_nothing_left();
}

fn record(file: &Path, victim: Victim, moment: Moment, phase: &str, gone: Duration) {
    static FILE: OnceLock<Mutex<std::fs::File>> = OnceLock::new();
    let out = FILE.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kill9.jsonl");
        Mutex::new(std::fs::File::create(path).expect("a file for the times"))
    });
    let line = serde_json::json!({
        "lab": file.file_stem().unwrap_or_default().to_string_lossy(),
        "victim": format!("{victim:?}"),
        "moment": format!("{moment:?}"),
        "phase": phase,
        "gone_ms": (gone.as_secs_f64() * 1e4).round() / 10.0,
    });
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(out, "{line}").expect("write a time");
}
