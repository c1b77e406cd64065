//! A change of a lab that is cut off in the middle, and another one that comes meanwhile.

use super::{apply, edited, nothing_differs, plan};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use placemat_tests::process::Track;
use placemat_tests::{Lab, Need, Place, needs, poll};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// On the busiest of machines.
const PATIENCE: Duration = Duration::from_secs(60);

const CLUSTER: &str = r#"
{kind: Network, name: net, type: internal}
---
kind: NetworkNamespace
name: here
interfaces: [{network: net, addresses: [10.1.0.1/24]}]
apps: [{name: stays, command: [sleep, "1000"]}]
"#;

/// Takes as long to become ready as the test wants.
const SLOW: &str = r#"
---
kind: NetworkNamespace
name: slow
interfaces: [{network: net, addresses: [10.1.0.2/24]}]
apps:
  - name: late
    command: [sleep, "1000"]
    ready: {command: [test, -e, GO], interval: 20ms, timeout: 120s}
"#;

fn go(place: &Place) -> PathBuf {
    place.dir().join("go")
}

fn files(place: &Place) -> (PathBuf, PathBuf) {
    let file = place.write("dc.yml", CLUSTER);
    let slow = SLOW.replace("GO", &go(place).to_string_lossy());
    let next = edited(place, &file, |text| text + &slow);
    (file, next)
}

/// Starts a change.
fn begin(place: &Place, lab: &Lab, file: &Path) -> Child {
    let file = file.to_string_lossy();
    let mut command = place.command(&["apply", "--yes", "--lab", &lab.id, &file]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("start placemat")
}

/// Waits until the change is in its middle: the router is made, and not ready yet.
fn half_done(lab: &Lab) {
    let made = poll(PATIENCE, || {
        (lab.exec("router/slow", &["true"]).code == Some(0)).then_some(())
    });
    assert!(made.is_some(), "{:#?}", lab.events());
}

fn kill_client(client: &mut Child) {
    client.kill().expect("kill");
    client.wait().expect("its end");
}

const UNDER_WAY: &str = "another change of this lab is under way";

#[test]
fn another_is_refused_and_one_whose_client_is_killed_is_done() {
    if !needs(&[Need::Root, Need::Busybox]) {
        return;
    }
    let place = Place::new();
    let (file, next) = files(&place);
    let lab = place.up(&file);
    let mut client = begin(&place, &lab, &next);
    half_done(&lab);
    for said in [
        apply(&lab, &file),
        plan(&place, &lab, &file, &[]),
        plan(&place, &lab, &next, &["--exit-code"]),
    ] {
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(UNDER_WAY), "{said:?}");
    }
    kill_client(&mut client);
    let said = plan(&place, &lab, &next, &[]);
    assert!(said.err.contains(UNDER_WAY), "it goes on: {said:?}");
    place.write("go", "");
    let done = poll(PATIENCE, || {
        let said = plan(&place, &lab, &next, &[]);
        (!said.err.contains(UNDER_WAY)).then_some(())
    });
    assert!(done.is_some(), "{:#?}", lab.events());
    nothing_differs(&place, &lab, &next);
    let kept = std::fs::read_to_string(lab.run_dir().join("cluster.yml")).expect("cluster.yml");
    assert!(kept.contains("slow"), "{kept}");
    lab.exec(
        "router/slow",
        &["busybox", "ping", "-c1", "-W2", "10.1.0.1"],
    )
    .well();

    // At any moment: all of it is done, or nothing.
    let mut untouched = 0;
    for pause in [0, 5, 10, 20, 40, 80, 160] {
        apply(&lab, &file).well();
        let mut client = begin(&place, &lab, &next);
        std::thread::sleep(Duration::from_millis(pause));
        kill_client(&mut client);
        let settled = poll(PATIENCE, || {
            let said = plan(&place, &lab, &next, &["--exit-code"]);
            (!said.err.contains(UNDER_WAY)).then_some(said)
        });
        let settled = settled.expect("it settles");
        if settled.code == Some(1) {
            nothing_differs(&place, &lab, &file);
            untouched += 1;
        } else {
            assert_eq!(settled.code, Some(0), "{settled:?}");
        }
    }
    assert!(untouched > 0, "the first comes before anything was asked");
    lab.down();
    place.assert_nothing_left();
}

#[test]
fn the_lab_may_be_killed() {
    if !needs(&[Need::Root]) {
        return;
    }
    let place = Place::new();
    let (file, next) = files(&place);
    let lab = place.up(&file);
    let mut track = Track::default();
    let client = begin(&place, &lab, &next);
    half_done(&lab);
    track.observe(lab.init);
    track.strike();
    kill(Pid::from_raw(lab.init), Signal::SIGKILL).expect("kill");
    let ended = client.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(5), "{said}");
    assert!(
        said.contains("the lab ended before it was done with this"),
        "{said}"
    );
    let gone = poll(PATIENCE, || {
        track.left(&place.run_base()).is_empty().then_some(())
    });
    assert!(gone.is_some(), "{:?}", track.left(&place.run_base()));
    drop(lab);
    assert_eq!(place.run_dirs().len(), 1, "what is left is its folder");
    // Which goes with the next, and that is as its file says.
    place.write("go", "");
    let lab = place.up(&next);
    assert_eq!(place.run_dirs(), [lab.run_dir()]);
    nothing_differs(&place, &lab, &next);
    lab.down();
    place.assert_nothing_left();
}
