//! The endpoint against a console made of the same codecs: the whole way in, refusals, replays,
//! junk.

use super::*;
use crate::rmcp::suite::Proposal;
use crate::user::User;
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(1);

fn users() -> UserTable {
    let user = |name: &str, privilege| User {
        name: name.to_owned(),
        password: "twenty bytes long..!".to_owned(),
        privilege,
    };
    UserTable::new(vec![
        user("admin", Privilege::Administrator),
        user("reader", Privilege::User),
    ])
    .expect("valid")
}

fn endpoint() -> Endpoint {
    let mut count = 0u8;
    let entropy = move |bytes: &mut [u8]| {
        for byte in bytes {
            count = count.wrapping_add(1);
            *byte = count;
        }
    };
    Endpoint::new([7; 16], Box::new(entropy))
}

fn reply(incoming: Incoming) -> Vec<u8> {
    match incoming {
        Incoming::Reply(bytes) => match Packet::decode(&bytes) {
            Some(Packet::V20(packet)) => packet.payload.to_vec(),
            other => panic!("not RMCP+: {other:?}"),
        },
        other => panic!("no reply: {other:?}"),
    }
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("four bytes"))
}

fn open(endpoint: &mut Endpoint, suite: Suite, privilege: u8) -> Vec<u8> {
    let [authentication, integrity, confidentiality] = suite.algorithms().map(Some);
    let proposal = Proposal {
        authentication,
        integrity,
        confidentiality,
    };
    let request = OpenRequest {
        tag: 1,
        privilege,
        console: 99,
        proposal,
    };
    let datagram = packet::encode_v20(payload::OPEN_REQUEST, &request.encode());
    reply(endpoint.receive(NOW, &users(), &datagram))
}

/// The console's side up to RAKP message 2: what it would know.
fn exchange(endpoint: &mut Endpoint, suite: Suite, name: &str, role: u8) -> Result<Exchange, u8> {
    let opened = open(endpoint, suite, 0);
    assert_eq!(
        opened[..4],
        [1, 0, 4, 0],
        "privilege 0 is answered by the highest"
    );
    let session = word(&opened[8..12]);
    let message = Rakp1 {
        tag: 2,
        session,
        random: [5; 16],
        role,
        name: name.as_bytes().to_vec(),
    };
    let datagram = packet::encode_v20(payload::RAKP_1, &message.encode());
    let second = reply(endpoint.receive(NOW, &users(), &datagram));
    let again = reply(endpoint.receive(NOW, &users(), &datagram));
    assert_eq!(
        (second[0], word(&second[4..8])),
        (2, if second[1] == 2 { 0 } else { 99 })
    );
    if second[1] != 0 {
        return Err(second[1]);
    }
    assert_eq!(second, again, "a repeated message gets the same answer");
    let exchange = Exchange {
        suite,
        console: 99,
        session,
        console_random: message.random,
        random: second[8..24].try_into().expect("16 bytes"),
        guid: second[24..40].try_into().expect("16 bytes"),
        role,
        name: message.name,
        password: b"twenty bytes long..!".to_vec(),
    };
    assert_eq!(second[40..], exchange.code_2());
    Ok(exchange)
}

fn third(endpoint: &mut Endpoint, session: u32, code: Vec<u8>) -> Vec<u8> {
    let message = Rakp3 {
        tag: 3,
        status: 0,
        session,
        code,
    };
    let datagram = packet::encode_v20(payload::RAKP_3, &message.encode());
    reply(endpoint.receive(NOW, &users(), &datagram))
}

/// A console's end of an active session: the same keys, the other direction.
fn login(endpoint: &mut Endpoint, suite: Suite) -> Active {
    let exchange = exchange(endpoint, suite, "admin", 0x14).expect("let in");
    let fourth = third(endpoint, exchange.session, exchange.code_3());
    assert_eq!(fourth[8..], exchange.code_4(&exchange.integrity_key()));
    let mut console = exchange;
    console.console = console.session;
    let keys = Exchange {
        console: 99,
        ..console.clone()
    };
    let mut active = Active::new(keys, Privilege::User);
    active.exchange.console = console.session;
    active
}

#[test]
fn a_session_with_either_suite() {
    for suite in Suite::ALL {
        let mut endpoint = endpoint();
        let mut console = login(&mut endpoint, suite);
        for length in 0..70u8 {
            let sent = Request::new(0x06, 0x01, vec![0; length.into()], length % 64);
            let datagram = console.send(&[9; 16], &sent.encode());
            let incoming = endpoint.receive(NOW, &users(), &datagram);
            let path = Path::Session(console.exchange.session);
            assert_eq!(incoming, Incoming::Request(path, sent.clone()));
            assert_eq!(
                endpoint.receive(NOW, &users(), &datagram),
                Incoming::Nothing,
                "a replay is dropped"
            );
            assert!(
                endpoint
                    .respond(path, &sent, 0, &vec![1; length.into()])
                    .is_some()
            );
        }
    }
}

#[test]
fn a_forged_packet_is_dropped() {
    let mut endpoint = endpoint();
    let mut console = login(&mut endpoint, Suite::Sha256);
    let datagram = console.send(&[9; 16], &Request::new(6, 1, vec![], 1).encode());
    for at in 0..datagram.len() {
        let mut forged = datagram.clone();
        forged[at] ^= 0x10;
        if at == 1 || at == 2 {
            continue; // reserved byte and RMCP sequence, which nothing covers
        }
        assert_eq!(
            endpoint.receive(NOW, &users(), &forged),
            Incoming::Nothing,
            "byte {at}"
        );
    }
    assert_ne!(
        endpoint.receive(NOW, &users(), &datagram),
        Incoming::Nothing
    );
}

#[test]
fn refusals() {
    let mut end = endpoint();
    assert_eq!(
        exchange(&mut end, Suite::Sha1, "nobody", 0x14).err(),
        Some(0x0d)
    );
    assert_eq!(
        exchange(&mut end, Suite::Sha1, "reader", 0x14).err(),
        Some(0x0a)
    );
    assert_eq!(
        exchange(&mut end, Suite::Sha1, "admin", 0x17).err(),
        Some(0x09)
    );
    let known = exchange(&mut end, Suite::Sha256, "admin", 0x14).expect("let in");
    let fourth = third(&mut end, known.session, vec![0; 32]);
    assert_eq!(fourth, [3, 0x0f, 0, 0, 99, 0, 0, 0]);
    let gone = third(&mut end, known.session, known.code_3());
    assert_eq!(gone[1], 0x02, "a wrong proof ends the session");
}

#[test]
fn idle_sessions_end() {
    let mut endpoint = endpoint();
    let mut console = login(&mut endpoint, Suite::Sha1);
    let late = NOW + super::super::session::IDLE;
    let datagram = console.send(&[9; 16], &Request::new(6, 1, vec![], 1).encode());
    assert_eq!(
        endpoint.receive(late, &users(), &datagram),
        Incoming::Nothing
    );
}

proptest! {
    #[test]
    fn junk_never_panics(junk: Vec<u8>, kind: u8, class in 6u8..8) {
        let mut endpoint = endpoint();
        login(&mut endpoint, Suite::Sha1);
        let mut framed = vec![6, 0, 0xff, class];
        framed.extend(&junk);
        for datagram in [junk.clone(), framed, packet::encode_v20(kind, &junk), packet::encode_v15(&junk)] {
            endpoint.receive(NOW, &users(), &datagram);
        }
    }
}
