//! examples/placemat2 under v2's names of programs: virtual machines, routers, API, consoles.

use crate::turn::Turn;
use nix::sys::signal::Signal;
use placemat_tests::{Need, Place, Placemat2, needs, poll, repository, run};
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A boot disk that tells on the serial port what it is, repeats what it hears there, and powers the
/// machine off (ACPI, by q35's PM1a control) at a `q`.
fn boot_disk() -> Vec<u8> {
    let code = [
        0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, // cli; ds, ss = 0; sp
        0xbe, 0x35, 0x7c, // mov si, the words
        // puts: each byte until 0
        0xac, 0x84, 0xc0, 0x74, 0x06, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf5,
        // echo: waits for a byte (line status, bit 0) and sends it back
        0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8, 0xba, 0xf8, 0x03, 0xec, 0xee, 0x3c, b'q',
        0x75, 0xef, // anything but a q: again
        0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, // 0x2000 to port 0x604
        0xf4, 0xeb, 0xfd, // hlt, forever
    ];
    let mut disk = vec![0; 1 << 20];
    disk[..code.len()].copy_from_slice(&code);
    let words = b"\r\nLinux version 0\r\nplacemat: userspace image=v2\r\n\0";
    disk[0x35..0x35 + words.len()].copy_from_slice(words);
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}

fn start(place: &Place) -> Placemat2<'_> {
    let example = repository().join("examples/placemat2");
    for entry in std::fs::read_dir(example).expect("the example").flatten() {
        std::fs::copy(entry.path(), place.dir().join(entry.file_name())).expect("copy");
    }
    std::fs::write(place.dir().join("boot.img"), boot_disk()).expect("write");
    let path = |name: &str| place.dir().join(name).to_string_lossy().into_owned();
    let (cluster, routers) = (path("cluster.yml"), path("routers.yml"));
    Placemat2::start(place, &["--data-dir", &path("v2"), &cluster, &routers])
}

/// A request to its API, as a script makes it.
fn curl(dc: &Placemat2<'_>, arguments: &[&str], path: &str) -> String {
    let mut command = run::command("curl");
    command.args(["--silent", "--show-error", "--max-time", "30"]);
    command
        .args(arguments)
        .arg(format!("{}{path}", dc.endpoint));
    run::run(command, PATIENCE).well().out
}

fn node(dc: &Placemat2<'_>, name: &str) -> Value {
    serde_json::from_str(&curl(dc, &[], &format!("/nodes/{name}"))).expect("JSON")
}

fn until_power(dc: &Placemat2<'_>, name: &str, power: &str) {
    let there = poll(PATIENCE, || {
        (node(dc, name)["power_status"] == power).then_some(())
    });
    assert!(there.is_some(), "{name} is not {power}: {}", dc.up.said());
}

/// Reads until a text has come.
fn hear(console: &mut UnixStream, wanted: &str) {
    let mut heard = Vec::new();
    let mut some = [0; 256];
    while !String::from_utf8_lossy(&heard).contains(wanted) {
        match console.read(&mut some) {
            Ok(length) if length > 0 => heard.extend_from_slice(&some[..length]),
            end => panic!(
                "no {wanted:?}, but {end:?}: {}",
                String::from_utf8_lossy(&heard)
            ),
        }
    }
}

#[test]
fn the_example_of_placemat_v2() {
    if !needs(&[Need::Root, Need::Bird, Need::Qemu, Need::Curl]) {
        return;
    }
    let _turn = Turn::take("drop-in");
    let place = Place::new();
    let mut dc = start(&place);
    let list: Value = serde_json::from_str(&curl(&dc, &[], "/nodes")).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(2), "{list}");
    let boot = node(&dc, "boot-1");
    assert_eq!(boot["volumes"], serde_json::json!(["root", "data"]));
    assert!(boot["taps"]["node-net"].is_string(), "{boot}");
    let path = boot["socket_path"].as_str().expect("a path").to_owned();
    assert_eq!(path, place.dir().join("boot-1.socket").to_string_lossy());

    // Two on one console, late; what is typed arrives.
    let console = || {
        let console = UnixStream::connect(&path).expect("its console");
        console.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        console
    };
    let (mut one, mut two) = (console(), console());
    hear(&mut one, "image=v2");
    hear(&mut two, "image=v2");
    one.write_all(b"hello").expect("type");
    hear(&mut two, "hello");

    // Its guest powers it off, and it can be started again.
    one.write_all(b"q").expect("type");
    until_power(&dc, "boot-1", "Off");
    assert_eq!(node(&dc, "boot-0")["power_status"], "On");
    dc.pmctl2(&["node", "action", "start", "boot-1"]).well();
    until_power(&dc, "boot-1", "On");
    hear(&mut two, "image=v2");
    let code = [
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
        "--request",
        "POST",
    ];
    assert_eq!(curl(&dc, &code, "/nodes/boot-1/stop"), "200");
    until_power(&dc, "boot-1", "Off");
    assert_eq!(curl(&dc, &code, "/nodes/boot-9/stop"), "404");
    assert_eq!(curl(&dc, &code, "/nodes/boot-1/melt"), "400");

    // The routers' daemons found their configurations and each other.
    let birdc = [
        "birdc",
        "-s",
        "/var/run/bird/bird_core.ctl",
        "show",
        "protocols",
    ];
    let met = poll(PATIENCE, || {
        let said = place.say(&[&["exec", "core", "--"], &birdc[..]].concat());
        said.out.contains("Established").then_some(())
    });
    assert!(met.is_some(), "no session: {}", dc.up.said());
    let routed = poll(PATIENCE, || {
        let said = place.say(&["exec", "operation", "--", "ip", "route"]);
        said.out.contains("10.0.2.0/24").then_some(())
    });
    assert!(routed.is_some(), "no route");

    dc.up.signal(Signal::SIGTERM);
    assert_eq!(dc.up.wait(PATIENCE).code(), Some(0), "{}", dc.up.said());
    assert!(!std::path::Path::new(&path).exists(), "a socket is left");
    place.assert_nothing_left();
}
