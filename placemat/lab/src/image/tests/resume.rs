//! Downloads that break off: resumed, begun anew, or given up.

use super::server::{Server, cut, ok, reply};
use super::{Fixture, TAG, body, content};
use crate::image::{DownloadError, ImageError};
use placemat_spec::value::Sha256;
use sha2::Digest;

#[test]
fn goes_on_where_it_was_cut_off() {
    let body = body();
    let half = body.len() / 2;
    let range = format!("bytes {half}-{}/{}", body.len() - 1, body.len());
    let rest = reply(206, &[TAG[0], ("Content-Range", &range)], &body[half..]);
    let server = Server::start(vec![cut(TAG, &body, half), rest]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("whole");
    assert!(content(&held) == body);
    let requests = server.requests();
    assert_eq!(requests[0].header("range"), None);
    assert_eq!(
        requests[1].header("range"),
        Some(format!("bytes={half}-").as_str())
    );
    assert_eq!(requests[1].header("if-range"), Some("\"v1\""));
    let list = fixture.store.list().expect("list");
    let digest = Sha256(sha2::Sha256::digest(&body).into());
    assert_eq!(list[0].sha256, digest.to_string());
}

#[test]
fn the_next_run_goes_on_too_but_only_with_the_same_file() {
    let body = body();
    let half = body.len() / 2;
    let range = format!("bytes {half}-{}/{}", body.len() - 1, body.len());
    let other = [("ETag", "\"v2\""), ("Content-Range", range.as_str())];
    let server = Server::start(vec![
        cut(TAG, &body, half),
        reply(404, &[], b""),
        // It sends a part of another file; then the whole of that.
        reply(206, &other, &body[half..]),
        ok(&[("ETag", "\"v2\"")], b"another"),
    ]);
    let mut fixture = Fixture::new();
    fixture.get(&server.url).expect_err("gone");
    let held = fixture.get(&server.url).expect("whole");
    assert_eq!(content(&held), b"another");
    let ranges: Vec<bool> = server
        .requests()
        .iter()
        .map(|request| request.header("range").is_some())
        .collect();
    assert_eq!(ranges, [false, true, true, false]);
    fixture.assert_tidy();
}

#[test]
fn a_server_that_knows_no_ranges_sends_it_all_again() {
    let body = body();
    let server = Server::start(vec![cut(TAG, &body, 1000), ok(TAG, &body)]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("whole");
    assert!(content(&held) == body);
}

/// A part of the rest is no whole file, however well it arrives.
#[test]
fn a_server_that_sends_less_than_was_asked_for_is_asked_for_the_rest() {
    let body = body();
    let part = |begin: usize, end: usize| {
        let range = format!("bytes {begin}-{}/{}", end - 1, body.len());
        reply(206, &[TAG[0], ("Content-Range", &range)], &body[begin..end])
    };
    let server = Server::start(vec![
        cut(TAG, &body, 1000),
        part(1000, 5000),
        part(5000, body.len()),
    ]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("whole");
    assert!(content(&held) == body);
    let last = server.requests()[2].clone();
    assert_eq!(last.header("range"), Some("bytes=5000-"));
}

/// Without ranges each attempt begins anew: that one gets further than the last is no progress.
#[test]
fn a_server_that_breaks_off_anywhere_is_given_up() {
    let body = body();
    let answers = (0..40).map(|turn| cut(TAG, &body, 2000 + turn % 2));
    let server = Server::start(answers.collect());
    let mut fixture = Fixture::new();
    let error = fixture.get(&server.url).expect_err("never whole");
    assert!(matches!(
        error,
        ImageError::Download {
            source: DownloadError::GaveUp(_),
            ..
        }
    ));
    assert!(server.requests().len() < 10);
}

#[test]
fn a_length_that_no_disk_has_is_refused() {
    let body = body();
    let most = u64::MAX.to_string();
    let range = format!("bytes 1000-{most}/*");
    let mut answer = format!(
        "HTTP/1.1 206 X\r\nETag: \"v1\"\r\nContent-Range: {range}\r\nContent-Length: {most}\r\n\r\n"
    )
    .into_bytes();
    answer.extend(&body[1000..2000]);
    let server = Server::start(vec![cut(TAG, &body, 1000), answer]);
    let mut fixture = Fixture::new();
    let error = fixture.get(&server.url).expect_err("too large");
    assert!(matches!(error, ImageError::Space { .. }), "{error}");
}

#[test]
fn without_validators_nothing_is_resumed() {
    let body = body();
    let weak = &[("ETag", "W/\"v1\"")];
    let server = Server::start(vec![cut(weak, &body, 1000), ok(weak, &body)]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("whole");
    assert!(content(&held) == body);
    assert_eq!(server.requests()[1].header("range"), None);
}
