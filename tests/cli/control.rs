//! What is sent to a lab's control socket need not make sense; the lab lives on.

use placemat_tests::{Need, Place, fixture, needs};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[test]
fn garbage_is_answered_and_harms_nothing() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let lab = place.up(&fixture::ring(&place));
    let socket = std::fs::read_dir(lab.run_dir())
        .expect("the run directory")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "sock"))
        .expect("a socket");
    let mut answers = String::new();
    for request in [
        &b"hello\n"[..],
        b"{}\n",
        b"{\"request\":\"selfdestruct\"}\n",
        b"{\"request\":\"power\",\"target\":\"router/r1\",\"action\":\"explode\"}\n",
        b"{\"request\":\"exec\",\"target\":\"router/r1\",\"argv\":[],\"env\":[],\"terminal\":false}\n",
        b"\xff\xfe\x00\n",
    ] {
        let mut stream = UnixStream::connect(&socket).expect("connect");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("a timeout");
        stream.write_all(request).expect("send");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let _ = writeln!(answers, "{:?}\n  {}", String::from_utf8_lossy(request), answer.trim_end());
    }
    insta::assert_snapshot!(answers);
    // More than a request may have, and a client that says nothing and goes.
    let mut stream = UnixStream::connect(&socket).expect("connect");
    let _ = stream.write_all(&vec![b'x'; 1 << 20]);
    drop(stream);
    drop(UnixStream::connect(&socket).expect("connect"));
    assert!(lab.status().objects.len() > fixture::ROUTERS);
    lab.exec("router/r1", &["true"]).well();
    lab.down();
    place.assert_nothing_left();
}
