//! The endpoint against a console made of the same codecs: the whole way in, refusals, replays,
//! junk.

use super::*;
use crate::rmcp::session::{Active, IDLE};
use crate::rmcp::suite::Proposal;
use crate::user::{LockoutPolicy, User, UserTable};
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(1);

fn accounts() -> Accounts {
    Accounts::new(users(), LockoutPolicy::default())
}

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
    reply(endpoint.receive(NOW, &accounts(), &datagram))
}

/// The console's side up to RAKP message 2: what it would know.
fn exchange(endpoint: &mut Endpoint, suite: Suite, name: &str, role: u8) -> Result<Exchange, u8> {
    let opened = open(endpoint, suite, 0);
    assert_eq!(
        opened[..4],
        [1, 0, 4, 0],
        "privilege 0 is answered by the highest"
    );
    exchange_in(endpoint, suite, word(&opened[8..12]), name, role)
}

/// The same in a session that is open already.
fn exchange_in(
    endpoint: &mut Endpoint,
    suite: Suite,
    session: u32,
    name: &str,
    role: u8,
) -> Result<Exchange, u8> {
    let message = Rakp1 {
        tag: 2,
        session,
        random: [5; 16],
        role,
        name: name.as_bytes().to_vec(),
    };
    let datagram = packet::encode_v20(payload::RAKP_1, &message.encode());
    let second = reply(endpoint.receive(NOW, &accounts(), &datagram));
    let again = reply(endpoint.receive(NOW, &accounts(), &datagram));
    assert_eq!((second[0], word(&second[4..8])), (2, 99));
    assert_eq!(second, again, "a repeated message gets the same answer");
    if second[1] != 0 {
        return Err(second[1]);
    }
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
    reply(send_third(endpoint, NOW, 0, session, code))
}

fn send_third(
    endpoint: &mut Endpoint,
    now: Duration,
    status: u8,
    session: u32,
    code: Vec<u8>,
) -> Incoming {
    let message = Rakp3 {
        tag: 3,
        status,
        session,
        code,
    };
    let datagram = packet::encode_v20(payload::RAKP_3, &message.encode());
    endpoint.receive(now, &accounts(), &datagram)
}

/// What somebody sends who has read the numbers of a session off the wire.
fn forgeries(session: u32) -> Vec<Vec<u8>> {
    let first = |name: &str, role: u8| Rakp1 {
        tag: 2,
        session,
        random: [6; 16],
        role,
        name: name.as_bytes().to_vec(),
    };
    let mut forgeries: Vec<Vec<u8>> = [
        first("admin", 0x14).encode(),
        first("reader", 0x14).encode(),
        first("nobody", 0x17).encode(),
        first("admin", 0x14).encode()[..20].to_vec(),
    ]
    .map(|message| packet::encode_v20(payload::RAKP_1, &message))
    .into();
    for (status, code) in [
        (0, vec![0; 32]),
        (0, vec![]),
        (0x0f, vec![]),
        (0x02, vec![0; 20]),
    ] {
        let message = Rakp3 {
            tag: 3,
            status,
            session,
            code,
        };
        forgeries.push(packet::encode_v20(payload::RAKP_3, &message.encode()));
    }
    forgeries
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
            let incoming = endpoint.receive(NOW, &accounts(), &datagram);
            let path = Path::Session(console.exchange.session);
            assert_eq!(incoming, Incoming::Request(path, sent.clone()));
            assert_eq!(
                endpoint.receive(NOW, &accounts(), &datagram),
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
            endpoint.receive(NOW, &accounts(), &forged),
            Incoming::Nothing,
            "byte {at}"
        );
    }
    assert_ne!(
        endpoint.receive(NOW, &accounts(), &datagram),
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
    let fourth = third(&mut end, known.session, known.code_3());
    assert_eq!(
        fourth[1], 0,
        "a wrong proof takes nothing from the right one"
    );
    let gone = third(&mut end, 12, known.code_3());
    assert_eq!(gone, [3, 0x02, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn forged_messages_do_not_stop_a_login() {
    for suite in Suite::ALL {
        let mut end = endpoint();
        let session = word(&open(&mut end, suite, 0)[8..12]);
        // Before anybody has given a name: messages that are refused.
        for forged in forgeries(session).iter().skip(1) {
            end.receive(NOW, &accounts(), forged);
        }
        let known = exchange_in(&mut end, suite, session, "admin", 0x14).expect("let in");
        for forged in forgeries(session) {
            end.receive(NOW, &accounts(), &forged);
        }
        for forged in &forgeries(session)[..4] {
            assert_eq!(
                end.receive(NOW, &accounts(), forged),
                Incoming::Nothing,
                "another message 1 gets no answer that the console could take for its own"
            );
        }
        let fourth = third(&mut end, session, known.code_3());
        assert_eq!(fourth[8..], known.code_4(&known.integrity_key()));
        // Nor does anything change once it has succeeded; message 4 is sent again where it got lost.
        for forged in forgeries(session) {
            assert_eq!(end.receive(NOW, &accounts(), &forged), Incoming::Nothing);
        }
        assert_eq!(third(&mut end, session, known.code_3()), fourth);
    }
}

#[test]
fn a_message_1_sent_again_may_have_a_new_tag() {
    let mut end = endpoint();
    let known = exchange(&mut end, Suite::Sha256, "admin", 0x14).expect("let in");
    let again = Rakp1 {
        tag: 77,
        session: known.session,
        random: known.console_random,
        role: known.role,
        name: known.name.clone(),
    };
    let datagram = packet::encode_v20(payload::RAKP_1, &again.encode());
    let second = reply(end.receive(NOW, &accounts(), &datagram));
    assert_eq!((second[0], &second[40..]), (77, &known.code_2()[..]));
}

#[test]
fn what_open_session_asked_for_is_the_most_there_is() {
    for (asked, role, granted) in [
        (0, 0x14, Ok(Privilege::Administrator)),
        (0, 0x10, Ok(Privilege::Administrator)),
        (2, 0x10, Ok(Privilege::User)),
        (3, 0x12, Ok(Privilege::User)),
        (3, 0x13, Ok(Privilege::Operator)),
        (3, 0x14, Err(0x0a)),
        (2, 0x04, Err(0x0a)),
    ] {
        let mut end = endpoint();
        let opened = open(&mut end, Suite::Sha256, asked);
        let session = word(&opened[8..12]);
        let limit = exchange_in(&mut end, Suite::Sha256, session, "admin", role).map(|exchange| {
            third(&mut end, session, exchange.code_3());
            end.sessions.active(session).expect("active").limit
        });
        assert_eq!(limit, granted, "open {asked}, role {role:02x}h");
    }
    let mut end = endpoint();
    let refused = open(&mut end, Suite::Sha256, 5);
    assert_eq!(refused[1], 0x09);
}

#[test]
fn idle_sessions_end() {
    let mut endpoint = endpoint();
    let mut console = login(&mut endpoint, Suite::Sha1);
    let late = NOW + IDLE;
    let datagram = console.send(&[9; 16], &Request::new(6, 1, vec![], 1).encode());
    assert_eq!(
        endpoint.receive(late, &accounts(), &datagram),
        Incoming::Nothing
    );
}

#[test]
fn only_an_authentic_packet_keeps_a_session_alive() {
    let half = NOW + IDLE / 2;
    let late = NOW + IDLE;
    let mut end = endpoint();
    let mut console = login(&mut end, Suite::Sha256);
    let session = console.exchange.session;
    let request = console.send(&[9; 16], &Request::new(6, 1, vec![], 1).encode());
    let mut replayed = forgeries(session);
    replayed.push(packet::encode_v20(
        payload::RAKP_1,
        &Rakp1 {
            tag: 2,
            session,
            random: [5; 16],
            role: 0x14,
            name: b"admin".to_vec(),
        }
        .encode(),
    ));
    let mut forged = request.clone();
    *forged.last_mut().expect("a code") ^= 1;
    replayed.push(forged);
    for datagram in &replayed {
        end.receive(half, &accounts(), datagram);
    }
    let proof = end.sessions.get(session).and_then(|session| {
        let exchange = session.stage.exchange()?;
        Some(exchange.code_3())
    });
    let sent_again = send_third(&mut end, half, 0, session, proof.expect("a proof"));
    assert!(matches!(sent_again, Incoming::Reply(_)));
    assert_eq!(end.receive(late, &accounts(), &request), Incoming::Nothing);

    let mut end = endpoint();
    let mut console = login(&mut end, Suite::Sha256);
    let mut send = |now, sequence| {
        let request = Request::new(6, 1, vec![], sequence).encode();
        end.receive(now, &accounts(), &console.send(&[9; 16], &request))
    };
    assert!(matches!(send(half, 1), Incoming::Request(..)));
    assert!(matches!(send(late, 2), Incoming::Request(..)));
}

#[test]
fn a_half_open_session_ends_however_often_it_is_named() {
    let mut end = endpoint();
    let known = exchange(&mut end, Suite::Sha256, "admin", 0x14).expect("let in");
    for forged in forgeries(known.session) {
        end.receive(NOW + IDLE / 2, &accounts(), &forged);
    }
    let answer = reply(send_third(
        &mut end,
        NOW + IDLE,
        0,
        known.session,
        known.code_3(),
    ));
    assert_eq!(answer[1], 0x02);
}

#[test]
fn a_user_is_locked_out_by_wrong_proofs() {
    let policy = LockoutPolicy {
        threshold: 3,
        ..LockoutPolicy::default()
    };
    let accounts = Accounts::new(users(), policy);
    let mut end = endpoint();
    let known = exchange(&mut end, Suite::Sha256, "admin", 0x14).expect("let in");
    let third = |status, code: Vec<u8>| {
        let message = Rakp3 {
            tag: 3,
            status,
            session: known.session,
            code,
        };
        packet::encode_v20(payload::RAKP_3, &message.encode())
    };
    // A console that was given a wrong password says so, once for a session.
    for _ in 0..5 {
        let answer = end.receive(NOW, &accounts, &third(0x0f, vec![]));
        assert_eq!(answer, Incoming::Nothing);
    }
    for _ in 0..2 {
        assert!(!accounts.is_locked(NOW, "admin"));
        let answer = reply(end.receive(NOW, &accounts, &third(0, vec![0; 32])));
        assert_eq!(answer[1], 0x0f);
    }
    assert!(accounts.is_locked(NOW, "admin"));
    let proof = third(0, known.code_3());
    assert_eq!(reply(end.receive(NOW, &accounts, &proof))[1], 0x0d);
    let session = word(&open(&mut end, Suite::Sha256, 0)[8..12]);
    let first = Rakp1 {
        tag: 2,
        session,
        random: [5; 16],
        role: 0x14,
        name: b"admin".to_vec(),
    };
    let first = packet::encode_v20(payload::RAKP_1, &first.encode());
    assert_eq!(reply(end.receive(NOW, &accounts, &first))[1], 0x0d);
    let later = NOW + policy.duration;
    assert_eq!(reply(end.receive(later, &accounts, &proof))[1], 0);
}

proptest! {
    #[test]
    fn junk_never_panics(junk: Vec<u8>, kind: u8, class in 6u8..8) {
        let mut endpoint = endpoint();
        login(&mut endpoint, Suite::Sha1);
        let mut framed = vec![6, 0, 0xff, class];
        framed.extend(&junk);
        for datagram in [junk.clone(), framed, packet::encode_v20(kind, &junk), packet::encode_v15(&junk)] {
            endpoint.receive(NOW, &accounts(), &datagram);
        }
    }
}
