//! Lines of guests, good and bad, in any pieces.

use super::*;
use proptest::prelude::*;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

fn words(piece: &[u8]) -> String {
    let mut lines = Lines::default();
    let mut all = lines.take(piece);
    all.extend(lines.end());
    let words = all.into_iter().map(|line| match line {
        Ok(address) => address.to_string(),
        Err(error) => error.to_string(),
    });
    words.collect::<Vec<_>>().join("\n")
}

#[test]
fn lines_are_addresses_or_say_why_not() {
    let said = b"10.72.17.3\n  10.72.17.4\r\n\n \n010.1.1.1\n10.72.17\n10.72.17.3/20\nfe80::1\n\
                 \x00\xff\x1b[2J\n10.0.0.1 10.0.0.2\n10.72.17.5";
    insta::assert_snapshot!(words(said));
    let long = [&[b'1'; LONGEST + 1][..], b"\n10.72.17.3\n"].concat();
    assert_eq!(
        words(&long),
        "a line of more than 64 bytes is no address\n10.72.17.3"
    );
    // Spaces make a line long, too.
    let padded = [&[b' '; LONGEST - 10][..], b"10.72.17.3\n"].concat();
    assert_eq!(words(&padded), "10.72.17.3");
}

proptest! {
    #[test]
    fn garbage_stops_no_later_line(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..8),
        address: Ipv4Addr,
    ) {
        let mut lines = Lines::default();
        let mut count = 0;
        for piece in &pieces {
            count += lines.take(piece).len();
            prop_assert!(lines.line.len() <= LONGEST);
        }
        prop_assert!(count < pieces.concat().split(|byte| *byte == b'\n').count());
        lines.end();
        let line = format!("{address}\n");
        prop_assert_eq!(lines.take(line.as_bytes()), vec![Ok(address)]);
    }

    #[test]
    fn where_a_piece_ends_does_not_matter(bytes: Vec<u8>, at: proptest::sample::Index) {
        let mut whole = Lines::default();
        let mut parts = Lines::default();
        let (one, other) = bytes.split_at(at.index(bytes.len() + 1));
        let mut seen = parts.take(one);
        seen.extend(parts.take(other));
        prop_assert_eq!(whole.take(&bytes), seen);
        prop_assert_eq!(whole.end(), parts.end());
    }
}

#[tokio::test]
async fn a_closed_port_ends_a_line_and_an_ended_qemu_all() {
    let (port, mut guest) = UnixStream::pair().expect("a pair");
    let closed = Arc::new(Notify::new());
    let (heard, mut inbox) = mpsc::channel(1);
    let mut listening = tokio::task::JoinSet::new();
    listening.spawn(listen("cs1".into(), port, closed.clone(), heard));
    let mut said = async || inbox.recv().await.map(|said| said.address);
    guest.write_all(b"10.72.17.3\n10.7").await.expect("write");
    assert_eq!(said().await, Some(Ok(Ipv4Addr::new(10, 72, 17, 3))));
    // A guest reboots in the middle of a line: the next one is whole.
    closed.notify_one();
    let half = Some(Err(BadLine::NoAddress("10.7".into())));
    assert_eq!(said().await, half);
    guest.write_all(b"10.72.17.4\n").await.expect("write");
    assert_eq!(said().await, Some(Ok(Ipv4Addr::new(10, 72, 17, 4))));
    drop(guest);
    assert_eq!(said().await, None);
    listening.join_all().await;
}
