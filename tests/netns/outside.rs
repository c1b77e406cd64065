//! Networks with `use-nat`: out of the lab, to servers that the test has on the host.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use placemat_tests::{Lab, Need, Place, needs, poll, process};
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

const CLUSTER: &str = "\
kind: Network
name: internet
type: external
use-nat: true
addresses: [10.3.0.1/24, 'fd00:3::1/64']
---
kind: NetworkNamespace
name: inside
interfaces:
  - {network: internet, addresses: [10.3.0.2/24, 'fd00:3::2/64']}
init-scripts: [routes.sh]
---
kind: NetworkNamespace
name: other
interfaces:
  - {network: internet, addresses: [10.3.0.3/24]}
";

const ROUTES: &str = "\
#!/bin/sh
ip route add default via 10.3.0.1
ip -6 route add default via fd00:3::1
";

#[test]
fn by_way_of_pasta() {
    reaches_the_host(0, Need::Pasta);
}

#[test]
fn by_way_of_slirp4netns() {
    reaches_the_host(1, Need::Slirp4netns);
}

/// The gateway of the way out leads to the loopback of the host.
fn reaches_the_host(stack: usize, need: Need) {
    if !needs(&[Need::Root, need]) {
        return;
    }
    let place = Place::new();
    write(&place);
    let (stack, gateway6) = STACKS[stack];
    reaches(&place, stack, gateway6);
}

/// Ways out, and what leads to the host's loopback over IPv6.
pub(crate) const STACKS: [(&str, &str); 2] =
    [("pasta", "fd70:6c61:6365::2"), ("slirp4netns", "fd00::2")];

/// Puts the lab's files into a place.
pub(crate) fn write(place: &Place) {
    let script = place.write("routes.sh", ROUTES);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(script, mode).expect("an executable script");
    place.write("nat.yml", CLUSTER);
}

/// A lab of the place reaches servers on the host's loopback.
pub(crate) fn reaches(place: &Place, stack: &str, gateway6: &str) {
    let file = place.dir().join("nat.yml");
    let mut up = place.command(&["up", "--detach", &file.to_string_lossy()]);
    up.env("PLACEMAT_OUTSIDE", stack);
    placemat_tests::run::run(up, placemat_tests::lab::PATIENCE).well();
    let ids = place.labs();
    let lab = Lab::attach(place, &ids[0]);
    let log = || {
        let log = lab.run_dir().join("logs/hub-hub/outside.log");
        std::fs::read_to_string(log).unwrap_or_default()
    };

    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = tcp.local_addr().expect("an address").port();
    assert!(
        asks(&lab, "tcp", "10.0.2.2", port, || greets(&tcp)),
        "TCP: {}",
        log()
    );

    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = udp.local_addr().expect("an address").port();
    let answered = asks(&lab, "udp", "10.0.2.2", port, || {
        udp.set_read_timeout(Some(Duration::from_millis(500)))
            .ok()?;
        let mut heard = [0; 64];
        let (_, from) = udp.recv_from(&mut heard).ok()?;
        udp.send_to(b"hello\n", from).ok().map(|_| ())
    });
    assert!(answered, "UDP: {}", log());

    if let Ok(tcp) = TcpListener::bind("[::1]:0") {
        let port = tcp.local_addr().expect("an address").port();
        assert!(
            asks(&lab, "tcp", gateway6, port, || greets(&tcp)),
            "IPv6: {}",
            log()
        );
    }
    outlives_a_killed_helper(&lab, &log);
    // Nothing on the host changed, and the stack goes with the lab.
    lab.down();
    place.assert_nothing_left();
}

/// The helper in the host's network is killed, and comes again with the way out.
fn outlives_a_killed_helper(lab: &Lab<'_>, log: &impl Fn() -> String) {
    let carries = |pid: &i32| {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains("~outside")
    };
    let stack = || {
        let all = process::descendants(lab.init).into_iter();
        let mut found = all.map(|it| it.pid).filter(carries);
        // It may have been started by a shell.
        found.find(|pid| parent(*pid).is_some_and(|parent| !carries(&parent)))
    };
    let first = stack().expect("a stack");
    let helper = parent(first).expect("its parent");
    assert_ne!(helper, lab.init);
    kill(Pid::from_raw(helper), Signal::SIGKILL).expect("kill");
    let again = poll(PATIENCE, || stack().filter(|pid| *pid != first));
    assert!(
        again.is_some(),
        "no way out: {:#?}\n{}",
        lab.events(),
        log()
    );
    let told = |words: &str| {
        let events = lab.events();
        let mut texts = events.iter().filter_map(|event| event["text"].as_str());
        texts.any(|text| text.contains(words))
    };
    assert!(
        told("ended with code 137; it is opened again"),
        "{:#?}",
        lab.events()
    );
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = tcp.local_addr().expect("an address").port();
    assert!(
        asks(lab, "tcp", "10.0.2.2", port, || greets(&tcp)),
        "{}",
        log()
    );
    // Whoever makes a new one is gone, too. That is said.
    let helper = again.and_then(parent).expect("its parent");
    let keeper = parent(helper).expect("its parent");
    assert_ne!(keeper, lab.init);
    for pid in [keeper, helper] {
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("kill");
    }
    let words = "will not be opened again when it closes";
    let said = poll(PATIENCE, || told(words).then_some(()));
    assert!(said.is_some(), "{:#?}", lab.events());
}

fn parent(pid: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

/// What the host gets hangs on one link, and goes with the lab, however that ends.
#[test]
fn an_attached_host_reaches_the_lab_and_is_as_it_was() {
    if !needs(&[Need::Root, Need::Pasta, Need::Busybox]) {
        return;
    }
    let place = Place::new();
    // A range that no other test has: the host's routes are everybody's.
    let text = CLUSTER
        .replace("use-nat: true\n", "")
        .replace("10.3.0.", "10.203.0.")
        .replace("fd00:3:", "fd00:203:")
        .replace(
            "init-scripts: [routes.sh]",
            "apps: [{name: web, command: [busybox, nc, -ll, -p, '80', -e, cat]}]",
        );
    let file = place
        .write("cluster.yml", &text)
        .to_string_lossy()
        .into_owned();
    let arguments = ["up", "--detach", "--attach-host", &file];
    for killed in [false, true] {
        let said = place.say(&arguments).well();
        assert!(
            said.err.contains("host: route 10.203.0.0/24"),
            "{}",
            said.err
        );
        let lab = Lab::attach(&place, &place.labs()[0]);
        for address in ["10.203.0.2:80", "[fd00:203::2]:80"] {
            let echo = poll(PATIENCE, || {
                let mut stream = std::net::TcpStream::connect(address).ok()?;
                stream.write_all(b"hello").ok()?;
                let mut heard = [0; 5];
                stream.read_exact(&mut heard).ok()?;
                (heard == *b"hello").then_some(())
            });
            assert!(echo.is_some(), "no answer from {address}");
        }
        let second = place.say(&arguments);
        assert_eq!(second.code, Some(4), "{}", second.text());
        assert!(
            second.err.contains("the host has a route to 10.203.0.0/24"),
            "{}",
            second.err
        );
        if killed {
            let init = nix::unistd::Pid::from_raw(lab.init);
            nix::sys::signal::kill(init, nix::sys::signal::Signal::SIGKILL).expect("kill");
            let gone = poll(PATIENCE, || place.labs().is_empty().then_some(()));
            assert!(gone.is_some(), "it lives on");
            place.say(&["prune"]).well();
        } else {
            lab.down();
        }
        place.assert_nothing_left();
    }
}

fn greets(listener: &TcpListener) -> Option<()> {
    listener.set_nonblocking(true).ok()?;
    let (mut stream, _) = listener.accept().ok()?;
    stream.set_nonblocking(false).ok()?;
    let mut heard = [0; 1];
    stream.read_exact(&mut heard).ok()?;
    stream.write_all(b"hello\n").ok()
}

/// Whether a namespace that asks hears the greeting of `server`.
fn asks(
    lab: &Lab<'_>,
    protocol: &str,
    address: &str,
    port: u16,
    server: impl Fn() -> Option<()> + Sync,
) -> bool {
    // dd takes a datagram in one piece.
    let script = format!(
        "exec 3<>/dev/{protocol}/{address}/{port}; for try in 1 2 3 4 5; do echo >&3; \
         heard=$(timeout 2 dd bs=64 count=1 <&3 2>/dev/null); test \"$heard\" && echo $heard && exit; done"
    );
    std::thread::scope(|scope| {
        let served = scope.spawn(|| poll(PATIENCE, &server).is_some());
        let said = lab.exec("inside", &["bash", "-c", &script]);
        served.join().unwrap_or(false) && said.out.trim() == "hello"
    })
}
