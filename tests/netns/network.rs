//! What befalls frames in a lab, and how one sees them and gets in from the host.

use nix::sys::signal::Signal;
use placemat_tests::attached::Attached;
use placemat_tests::{Lab, Need, Place, needs, poll};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Two routers on an impaired pair without a bridge, and on a bridge with a third; on the first a
/// server for each protocol: an echo for TCP, DNS for UDP, BIRD for Unix.
const CLUSTER: &str = "\
kind: Network
name: p2p
type: internal
mtu: 1400
impair: {delay: 50ms, jitter: 5ms}
---
kind: Network
name: lan
type: internal
---
kind: Router
name: a
interfaces:
  - {network: p2p, addresses: [10.0.0.0/31]}
  - {network: lan, addresses: [10.1.0.1/24]}
apps:
  - {name: echo, command: [busybox, nc, -ll, -p, '80', -e, cat]}
  - {name: dns, command: [dnsmasq, --keep-in-foreground, --conf-file=/dev/null, --no-resolv, --no-hosts, --user=root,
      --pid-file=, '--address=/placemat.test/10.9.9.9', --listen-address=10.1.0.1, --bind-interfaces]}
bird: {config: a.conf}
---
kind: Router
name: b
interfaces:
  - {network: p2p, addresses: [10.0.0.1/31]}
  - {network: lan, addresses: [10.1.0.2/24], impair: {loss: 30%}}
---
kind: NetworkNamespace
name: c
interfaces:
  - {network: lan, addresses: [10.1.0.3/24]}
";

#[test]
fn a_lab_with_impaired_links_forwards_and_captures() {
    if !needs(&[Need::Root, Need::Busybox, Need::Dnsmasq, Need::Bird]) {
        return;
    }
    let place = Place::new();
    place.write("a.conf", "router id 10.0.0.0;\nprotocol device {}\n");
    let lab = place.up(&place.write("cluster.yml", CLUSTER));
    impaired(&lab);
    forwarded(&place, &lab);
    captured(&place, &lab);
    lab.down();
    assert!(!place.dir().join("echo.sock").exists());
    place.assert_nothing_left();
}

fn impaired(lab: &Lab<'_>) {
    let said = lab.exec("router/a", &["busybox", "ping", "-c3", "-i0.1", "10.0.0.1"]);
    let trips = said.well().out;
    let times = trips.lines().filter_map(|line| {
        let time = line.split_once("time=")?.1;
        time.split(' ').next()?.parse::<f64>().ok()
    });
    let times: Vec<f64> = times.collect();
    // Twice 50 ms less 5 ms.
    assert!(
        times.len() == 3 && times.iter().all(|ms| *ms >= 90.0),
        "{trips}"
    );
    let link = lab
        .exec("router/b", &["ip", "link", "show", "eth0"])
        .well()
        .out;
    assert!(link.contains("mtu 1400"), "{link}");
    // Before frames are counted, the address is resolved, which takes a second when it is lost.
    let resolved = poll(PATIENCE, || {
        let said = lab.exec("router/b", &["busybox", "ping", "-c1", "-W2", "10.1.0.3"]);
        (said.code == Some(0)).then_some(())
    });
    assert!(resolved.is_some(), "no answer at all");
    let pings = ["busybox", "ping", "-qc300", "-i0.003", "-W1", "10.1.0.3"];
    let lost = lab.exec("router/b", &pings).out;
    let share = lost
        .split("received, ")
        .nth(1)
        .and_then(|rest| rest.split('%').next());
    let share: u32 = share
        .and_then(|text| text.trim().parse().ok())
        .expect(&lost);
    assert!((15..=45).contains(&share), "{lost}");
}

fn forwarded(place: &Place, lab: &Lab<'_>) {
    let socket = place.dir().join("echo.sock");
    let unix = format!("unix:{}", socket.display());
    let add = |listen: &str, to: &str| {
        let said = lab.say("forward", &["add", listen, to, "--json"]).well();
        let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        json["listen"]
            .as_str()
            .expect("where it listens")
            .to_owned()
    };
    let tcp = add("0", "router/a:80");
    // DNS listens at one address; from another router it is reached there.
    let udp = add("udp:0", "c:10.1.0.1:53");
    add(&unix, "a:unix:/run/bird/bird.ctl");
    let address = |listen: &str| listen.split_once(':').expect("tcp:").1.to_owned();
    let echo = poll(PATIENCE, || echoes(TcpStream::connect(address(&tcp)).ok()?));
    assert!(echo.is_some(), "no answer through TCP");
    let connect = ["connect", "--lab", &lab.id, "c:10.1.0.1:80"];
    let mut connect = place.command(&connect);
    connect.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut connect = connect.spawn().expect("start it");
    let (stdin, stdout) = (connect.stdin.take(), connect.stdout.take());
    let through = Joined(stdout.expect("its output"), stdin.expect("its input"));
    // The echo never ends by itself: the client's end is the end.
    assert!(echoes(through).is_some(), "no answer through connect");
    let ended = poll(PATIENCE, || connect.try_wait().expect("wait"));
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    let nowhere = lab.say("connect", &["router/a:81"]);
    assert_eq!(nowhere.code, Some(5), "{}", nowhere.text());
    let bird = poll(PATIENCE, || {
        let mut said = [0; 9];
        let mut stream = UnixStream::connect(&socket).ok()?;
        stream.read_exact(&mut said).ok()?;
        (said == *b"0001 BIRD").then_some(())
    });
    assert!(bird.is_some(), "no answer through a Unix socket");
    let answered = poll(PATIENCE, || resolves(&address(&udp)));
    assert!(answered.is_some(), "no answer through UDP");
    let list = lab.say("forward", &["ls", "--json"]).well();
    let list: serde_json::Value = serde_json::from_str(&list.out).expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(3), "{list}");
    // A second time, and what is not there.
    let again = lab.say("forward", &["add", "0", "router/nobody:80"]);
    assert_eq!(again.code, Some(2), "{}", again.text());
    lab.say("forward", &["rm", &tcp]).well();
    assert!(
        TcpStream::connect(address(&tcp)).is_err(),
        "it still listens"
    );
    assert_eq!(lab.say("forward", &["rm", &tcp]).code, Some(2));
    lab.say("forward", &["rm", &unix]).well();
    assert!(!socket.exists());
    // Goes with the lab.
    add(&unix, "a:unix:/run/bird/bird.ctl");
    assert!(socket.exists());
}

/// Asks a name server for `placemat.test` (RFC 1035 section 4).
fn resolves(server: &str) -> Option<()> {
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(b"\x08placemat\x04test\0\0\x01\0\x01");
    let client = UdpSocket::bind("127.0.0.1:0").ok()?;
    client
        .set_read_timeout(Some(Duration::from_millis(500)))
        .ok()?;
    client.send_to(&query, server).ok()?;
    let mut answer = [0; 512];
    let length = client.recv(&mut answer).ok()?;
    answer[..length].ends_with(&[10, 9, 9, 9]).then_some(())
}

/// A program's output and input as one stream.
struct Joined(ChildStdout, ChildStdin);

impl Read for Joined {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Joined {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.1.flush()
    }
}

fn echoes(mut stream: impl Read + Write) -> Option<()> {
    stream.write_all(b"hello").ok()?;
    let mut heard = [0; 5];
    stream.read_exact(&mut heard).ok()?;
    (heard == *b"hello").then_some(())
}

fn captured(place: &Place, lab: &Lab<'_>) {
    let all = ["router/a", "router/a:eth0", "p2p", "network/lan", "c:eth0"];
    for (number, what) in all.into_iter().enumerate() {
        let file = place.dir().join(format!("{number}.pcapng"));
        let path = file.to_string_lossy().into_owned();
        let arguments = ["capture", "--lab", &lab.id, what, "-w", &path, "-c", "4"];
        let mut capture = Attached::start(place, &arguments);
        let ready = poll(PATIENCE, || {
            capture.said().contains("capturing").then_some(())
        });
        assert!(ready.is_some(), "{what}: {}", capture.said());
        let (from, to) = if what.contains("lan") || what == "c:eth0" {
            ("c", "10.1.0.1")
        } else {
            ("router/b", "10.0.0.0")
        };
        lab.exec(from, &["busybox", "ping", "-c3", "-i0.1", to])
            .well();
        assert!(capture.wait(PATIENCE).success(), "{}", capture.said());
        let mut tcpdump = placemat_tests::run::command("tcpdump");
        tcpdump.args(["-nr", &path]);
        let read = placemat_tests::run::run(tcpdump, PATIENCE).well().out;
        assert_eq!(read.lines().count(), 4, "{what}: {read}");
        assert!(
            read.contains("ICMP echo request") && read.contains("ICMP echo reply"),
            "{what}: {read}"
        );
    }
    // A reader that stands still, behind a full pipe, keeps no signal from ending it.
    let pipe = place.dir().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let reader = std::fs::File::options().read(true).write(true).open(&pipe);
    let path = pipe.to_string_lossy().into_owned();
    let arguments = ["capture", "--lab", &lab.id, "c:eth0", "-w", &path];
    let mut capture = Attached::start(place, &arguments);
    let ready = poll(PATIENCE, || {
        capture.said().contains("capturing").then_some(())
    });
    assert!(ready.is_some(), "{}", capture.said());
    let many = ["busybox", "ping", "-c99", "-i0.01", "-s1300", "10.1.0.1"];
    lab.exec("c", &many).well();
    capture.signal(Signal::SIGTERM);
    assert!(capture.wait(PATIENCE).success(), "{}", capture.said());
    drop(reader);
    // A name spelled wrong costs no earlier capture.
    let kept = place.write("kept.pcapng", "an earlier capture");
    let nothing = lab.say("capture", &["router/a:eth7", "-w", &kept.to_string_lossy()]);
    assert_eq!(nothing.code, Some(5), "{}", nothing.text());
    let there = std::fs::read_to_string(kept).expect("the file");
    assert_eq!(there, "an earlier capture");
}
