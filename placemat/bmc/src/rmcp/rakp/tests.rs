//! Codes of the key exchange against values computed by another implementation (Python's `hmac`),
//! and codecs there and back.

use super::*;
use crate::rmcp::suite::{Proposal, Suite};
use proptest::prelude::*;

fn exchange(suite: Suite) -> Exchange {
    let count = |from: u8| std::array::from_fn(|n| from + u8::try_from(n).expect("small"));
    Exchange {
        suite,
        console: 0xa0a2_a3a4,
        session: 0x0102_0304,
        console_random: count(0x10),
        random: count(0x40),
        guid: count(0x80),
        role: 0x14,
        name: b"admin".to_vec(),
        password: b"placemat".to_vec(),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

#[test]
fn codes_and_keys() {
    let mut lines = String::new();
    for suite in [Suite::Sha1, Suite::Sha256] {
        let exchange = exchange(suite);
        let sik = exchange.integrity_key();
        for (name, value) in [
            ("RAKP 2", exchange.code_2()),
            ("RAKP 3", exchange.code_3()),
            ("SIK", sik.clone()),
            ("RAKP 4", exchange.code_4(&sik)),
            ("K1", suite.hash().additional_key(&sik, 1)),
            ("K2", suite.hash().additional_key(&sik, 2)),
        ] {
            lines.extend([format!("{suite:?} {name}: {}\n", hex(&value))]);
        }
    }
    assert_eq!(lines, include_str!("vectors.txt"));
}

#[test]
fn statuses_are_those_of_table_13_15() {
    assert_eq!(
        refusal(7, 0x0102_0304, Status::UnauthorizedName),
        [7, 0x0d, 0, 0, 4, 3, 2, 1]
    );
    assert_eq!(Status::InvalidCode as u8, 0x0f);
    assert_eq!(Status::NoSuite as u8, 0x11);
}

proptest! {
    #[test]
    fn open_request_round_trip(tag: u8, privilege in 0u8..16, console: u32, codes: [Option<u8>; 3]) {
        let codes = codes.map(|code| code.map(|code| code & 0x3f));
        let request = OpenRequest {
            tag, privilege, console,
            proposal: Proposal { authentication: codes[0], integrity: codes[1], confidentiality: codes[2] },
        };
        prop_assert_eq!(OpenRequest::decode(&request.encode()), Some(Ok(request)));
    }

    #[test]
    fn rakp_round_trips(tag: u8, session: u32, random: [u8; 16], role: u8, name in proptest::collection::vec(any::<u8>(), 0..=16), status: u8) {
        let one = Rakp1 { tag, session, random, role, name: name.clone() };
        prop_assert_eq!(Rakp1::decode(&one.encode()), Some(Ok(one)));
        let three = Rakp3 { tag, status, session, code: name };
        prop_assert_eq!(Rakp3::decode(&three.encode()), Some(three));
    }

    #[test]
    fn junk_never_panics(junk: Vec<u8>) {
        let _ = OpenRequest::decode(&junk);
        let _ = Rakp1::decode(&junk);
        let _ = Rakp3::decode(&junk);
    }
}
