//! Labs of an ordinary user, with subordinate ids and without.

use crate::{bgp, outside};
use placemat_tests::{Lab, Need, Place, fixture, needs, program, repository, run};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A user that is there for one test.
struct User(String);

impl User {
    fn create(name: &str, subordinate: bool) -> Self {
        let name = format!("pm-{name}-{}", std::process::id());
        let user = Self(name);
        admin(
            "useradd",
            &["--no-create-home", "--shell", "/bin/sh", &user.0],
        );
        if !subordinate {
            for file in ["/etc/subuid", "/etc/subgid"] {
                let pattern = format!("/^{}:/d", user.0);
                admin("sed", &["-i", &pattern, file]);
            }
        }
        let text = std::fs::read_to_string("/etc/subuid").unwrap_or_default();
        let listed = text
            .lines()
            .any(|line| line.starts_with(&format!("{}:", user.0)));
        assert_eq!(listed, subordinate, "subordinate ids of {}", user.0);
        user
    }

    /// A place that belongs to the user.
    fn place(&self) -> Place {
        let mut place = Place::new();
        let owner = format!("{0}:{0}", self.0);
        let program = place.dir().join("placemat");
        std::fs::copy(placemat_tests::placemat(), &program).expect("copy the program");
        fixture::ring(&place);
        admin("chmod", &["755", &place.dir().to_string_lossy()]);
        admin("chown", &["-R", &owner, &place.dir().to_string_lossy()]);
        place.become_user(&self.0, &program);
        place
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = Command::new("userdel").arg(&self.0).status();
    }
}

fn admin(program: &str, arguments: &[&str]) {
    // The user table is locked while somebody else changes it.
    let done = placemat_tests::poll(Duration::from_secs(30), || {
        let mut command = run::command(program);
        let status = command.args(arguments).status().expect("start it");
        status.success().then_some(())
    });
    assert!(done.is_some(), "{program} {arguments:?}");
}

const NEEDS: &[Need] = &[Need::Root, Need::Users, Need::Bird];

#[test]
fn with_subordinate_ids() {
    lives("sub", true);
}

#[test]
fn with_the_own_id_only() {
    lives("own", false);
}

fn lives(name: &str, subordinate: bool) {
    if !needs(NEEDS) {
        return;
    }
    let user = User::create(name, subordinate);
    let place = user.place();
    let lab = place.up(&place.dir().join("ring.yml"));
    let maps = std::fs::read_to_string(format!("/proc/{}/uid_map", lab.init)).expect("a map");
    assert_eq!(
        maps.lines().count(),
        if subordinate { 2 } else { 1 },
        "{maps}"
    );
    bgp::converges(&lab);
    reaches_round_the_ring(&lab);
    lab.down();
    place.assert_nothing_left();
    // And SIGKILL is no different.
    let lab = place.up(&place.dir().join("ring.yml"));
    let mut track = placemat_tests::process::Track::default();
    track.observe(lab.init);
    track.strike();
    let init = nix::unistd::Pid::from_raw(lab.init);
    nix::sys::signal::kill(init, nix::sys::signal::Signal::SIGKILL).expect("kill");
    let gone = placemat_tests::poll(Duration::from_secs(20), || {
        track.left(&place.run_base()).is_empty().then_some(())
    });
    assert!(gone.is_some(), "{:?}", track.left(&place.run_base()));
    place.say(&["prune"]).well();
    place.assert_nothing_left();
}

#[test]
fn an_ordinary_user_gets_out_either_way() {
    if !needs(NEEDS) || !needs(&[Need::Pasta, Need::Slirp4netns]) {
        return;
    }
    let user = User::create("nat", false);
    let place = user.place();
    outside::write(&place);
    for (stack, gateway6) in outside::STACKS {
        outside::reaches(&place, stack, gateway6);
    }
}

fn reaches_round_the_ring(lab: &Lab) {
    let learned = placemat_tests::poll(Duration::from_secs(20), || {
        let routes = lab.exec(
            "router/r1",
            &["ip", "route", "get", "10.0.0.4", "from", "10.0.0.1"],
        );
        routes.out.contains("via").then_some(())
    });
    assert!(learned.is_some(), "r1 does not know r4");
}

#[test]
fn the_scenarios_of_routers_pass() {
    if !needs(NEEDS) || !needs(&[Need::Dnsmasq, Need::Image]) {
        return;
    }
    let user = User::create("suite", true);
    let mut place = user.place();
    for folder in ["scenarios", "menu/examples"] {
        copy(&repository().join(folder), &place.dir().join(folder));
    }
    let bundle = program::image().and_then(|bundle| bundle.canonicalize().ok());
    copy(
        &bundle.expect("the image"),
        &place.dir().join("images/out/node"),
    );
    admin("chmod", &["-R", "a+rX", &place.dir().to_string_lossy()]);
    place.look_again();
    let suite = place
        .dir()
        .join("scenarios/routers")
        .to_string_lossy()
        .into_owned();
    place
        .say_within(Duration::from_secs(240), &["test", &suite])
        .well();
    place.assert_nothing_left();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap_or(to)).expect("a folder");
    admin(
        "cp",
        &["-a", &from.to_string_lossy(), &to.to_string_lossy()],
    );
}
