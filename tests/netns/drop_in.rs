//! `placemat2` and `pmctl2` on a live lab, and faults of placemat v2 that are none here.

use nix::sys::signal::Signal;
use placemat_tests::{Attached, Need, Place, Placemat2, needs, poll};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Servers without a serial, one of them with two NICs on one network, routers of which one falls
/// over. Written as v2 took it.
const CLUSTER: &str = "\
kind: Network
name: net0
type: external
address: 10.0.0.1/24
use-nat: no
---
kind: Node
name: boot-0
tier: mock
interfaces: [net0, net0]
CPU: 2
memory: 2G
folder: dead
---
kind: Node
name: boot-1
tier: mock
smp: {cpus: 4}
uefi: true
";

const ROUTERS: &str = "\
kind: NetworkNamespace
name: operation
interfaces: [{network: net0, addresses: [10.0.0.2/24]}]
init-scripts: [setup]
apps:
  - {name: wait, command: [sleep, infinity]}
  - {name: echo, command: [busybox, nc, -ll, -p, '8000', -e, cat]}
---
kind: NetworkNamespace
name: broken
interfaces: [{network: net0, addresses: [10.0.0.3/24]}]
apps: [{name: falls, command: ['false']}]
---
kind: NetworkNamespace
name: ill
interfaces: [{network: net0, addresses: [10.0.0.4/24]}]
init-scripts: [fails]
";

fn start(place: &Place) -> Placemat2<'_> {
    let file = place.write("one/cluster.yml", CLUSTER);
    // Beside the first file, not beside the one that names it.
    let script = place.write(
        "one/setup",
        "#!/bin/sh\nip route add default via 10.0.0.1\n",
    );
    let fails = place.write("one/fails", "#!/bin/sh\nexit 3\n");
    for script in [script, fails] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(script, mode).expect("executable");
    }
    let routers = place.write("two/routers.yml", ROUTERS);
    let data = format!("--data-dir={}/data", place.dir().display());
    let (file, routers) = (file.to_string_lossy(), routers.to_string_lossy());
    Placemat2::start(place, &[&data, "--force", &file, &routers])
}

fn power(dc: &Placemat2<'_>) -> [String; 2] {
    ["boot-0", "boot-1"].map(|name| {
        let power = &dc.node(name)["power_status"];
        power.as_str().expect("a text").to_owned()
    })
}

#[test]
fn placemat2_and_pmctl2() {
    if !needs(&[Need::Root, Need::Busybox]) {
        return;
    }
    let place = Place::new();
    let mut dc = start(&place);
    let said = dc.up.said();
    assert!(said.contains("unknown key `folder`"), "{said}");
    assert!(
        said.contains("`CPU` of Node `boot-0` is read as `cpu`"),
        "{said}"
    );

    assert_eq!(dc.pmctl2(&["node", "list"]).well().out, "boot-0\nboot-1\n");
    let list = dc.pmctl2(&["node", "list", "--json"]).well().out;
    insta::assert_snapshot!(list);

    // Nodes without a serial of their own are two, and one that was stopped can be started.
    dc.pmctl2(&["node", "action", "stop", "boot-0"]).well();
    assert_eq!(power(&dc), ["Off", "On"]);
    dc.pmctl2(&["node", "action", "restart", "boot-1"]).well();
    dc.pmctl2(&["node", "action", "start", "boot-0"]).well();
    assert_eq!(power(&dc), ["On", "On"]);
    let unknown = dc.pmctl2(&["node", "show", "boot-9"]);
    assert_eq!(
        (unknown.code, unknown.err.trim()),
        (Some(2), "error: no node `boot-9`")
    );

    // One app has fallen over and one script has failed; the others go on.
    let exec =
        |target: &str, command: &[&str]| place.say(&[&["exec", target, "--"], command].concat());
    let route = exec("router/operation", &["ip", "route"]).well();
    assert!(route.out.contains("default via 10.0.0.1"), "{}", route.out);
    exec("router/operation", &["pgrep", "-x", "sleep"]).well();

    forwards(&dc);

    // Its port is taken, and it goes on.
    let at = dc.endpoint.trim_start_matches("http://").to_owned();
    let second = place.say_as(
        "placemat2",
        &[
            "--listen-addr",
            &at,
            &*place.dir().join("one/cluster.yml").to_string_lossy(),
        ],
    );
    assert_eq!(second.code, Some(4), "{second:?}");
    assert!(second.err.contains("Address already in use"), "{second:?}");
    assert_eq!(power(&dc), ["On", "On"]);

    // Its normal end.
    dc.up.signal(Signal::SIGTERM);
    assert_eq!(dc.up.wait(PATIENCE).code(), Some(0), "{}", dc.up.said());
    place.assert_nothing_left();
}

/// A forward in v2's words, from the host into a namespace.
fn forwards(dc: &Placemat2<'_>) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let port = free.expect("a free port").port();
    let local = port.to_string();
    let forward = |words: &[&str]| dc.pmctl2(&[&["forward"], words].concat());
    forward(&["add", &local, "operation:10.0.0.2:8000"]).well();
    let echo = poll(PATIENCE, || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.write_all(b"hello").ok()?;
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).ok()?;
        (heard == *b"hello").then_some(())
    });
    assert!(echo.is_some(), "no answer");
    let list = forward(&["list"]).well().out;
    assert_eq!(list, format!("{port} operation:10.0.0.2:8000\n"));
    let list = forward(&["list", "--json"]).well().out;
    let entry: Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!(entry[0]["pod"], "operation");
    assert_eq!(entry[0]["remote_port"], 8000);
    forward(&["delete", &local]).well();
    assert_eq!(forward(&["list"]).well().out, "");
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "it listens"
    );
    let nowhere = forward(&["add", &local, "nobody:10.0.0.2:80"]);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
}

/// As a service manager stops it: the signal goes to every process at once.
#[test]
fn a_signal_to_all_of_its_processes_is_one_stop() {
    if !needs(&[Need::Root]) {
        return;
    }
    let place = Place::new();
    let mut dc = start(&place);
    let events = std::fs::File::open(place.run_dirs()[0].join("events.jsonl")).expect("events");
    let all = placemat_tests::process::carrying(&place.run_base());
    for pid in all.into_iter().chain([dc.up.parent()]) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM);
    }
    assert_eq!(dc.up.wait(PATIENCE).code(), Some(0), "{}", dc.up.said());
    let text = std::io::read_to_string(events).expect("the events");
    assert!(text.contains("stopped"), "{text}");
    place.assert_nothing_left();
}

#[test]
fn the_api_of_up_and_a_log_of_lines() {
    if !needs(&[Need::Root]) {
        return;
    }
    let place = Place::new();
    let file = place.write("dc.yml", "{kind: Node, name: a, tier: mock}\n");
    let log = place.dir().join("log");
    let data = place.data_base();
    let mut up = Attached::start_as(
        &place,
        "placemat2",
        &[
            "--data-dir",
            &data.to_string_lossy(),
            "--listen-addr",
            ":0",
            "--logfile",
            &log.to_string_lossy(),
            "--logformat",
            "json",
            &file.to_string_lossy(),
        ],
    );
    up.reach("running");
    let line = poll(PATIENCE, || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let mut lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.contains("a: power"))
        })
    });
    assert_eq!(line.expect("a line of the log")["level"], "INFO");
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait(PATIENCE).code(), Some(0), "{}", up.said());

    let started = place.say(&[
        "up",
        "--detach",
        "--listen-addr",
        "127.0.0.1:0",
        &file.to_string_lossy(),
    ]);
    let at = started.well().err;
    let at = at
        .trim()
        .strip_prefix("HTTP API on ")
        .expect("an address")
        .to_owned();
    let said = place
        .say_as("pmctl2", &["--endpoint", &at, "node", "list"])
        .well();
    assert_eq!(said.out, "a\n");
    place.say(&["down"]).well();
    let gone = place.say_as("pmctl2", &["--endpoint", &at, "node", "list"]);
    assert_eq!(gone.code, Some(5), "{gone:?}");
    place.assert_nothing_left();
}
