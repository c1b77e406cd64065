//! UUIDs (RFC 9562).

use sha1::{Digest, Sha1};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A UUID, its bytes in network order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uuid(pub [u8; 16]);

/// Why a text is not a UUID. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not hexadecimal digits in groups of 8, 4, 4, 4 and 12")]
pub struct UuidError;

/// Digits between the hyphens: RFC 9562, section 4.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

impl Uuid {
    /// The UUID of a server without one of its own: name-based, version 5 (RFC 9562, section 5.5).
    pub fn of_serial(serial: &str) -> Self {
        let hash = Sha1::digest(format!("placemat bmc {serial}"));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x50;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl FromStr for Uuid {
    type Err = UuidError;
    fn from_str(text: &str) -> Result<Self, UuidError> {
        let groups: Vec<&str> = text.split('-').collect();
        if !groups.iter().map(|group| group.len()).eq(GROUPS) {
            return Err(UuidError);
        }
        let digits = groups.concat();
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(UuidError);
        }
        let number = u128::from_str_radix(&digits, 16).map_err(|_| UuidError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", u128::from_be_bytes(self.0));
        let mut rest = digits.as_str();
        for (index, length) in GROUPS.into_iter().enumerate() {
            let (group, after) = rest.split_at(length);
            write!(f, "{}{group}", if index == 0 { "" } else { "-" })?;
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn follows_from_the_serial() {
        let uuid = Uuid::of_serial("abc");
        assert_eq!(uuid, Uuid::of_serial("abc"));
        assert_ne!(uuid, Uuid::of_serial("abd"));
        assert_eq!(&uuid.to_string()[14..15], "5");
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "0ccb0d235b5c4a6f9d5e2f3f6c1c8a11",
            "0ccb0d23-5b5c-4a6f-9d5e-2f3f6c1c8a1",
            "+ccb0d23-5b5c-4a6f-9d5e-2f3f6c1c8a11",
            "0ccb0d23-5b5c-4a6f-9d5e-2f3f6c1c8a1g",
        ] {
            assert_eq!(text.parse::<Uuid>(), Err(UuidError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes: [u8; 16]) {
            prop_assert_eq!(Uuid(bytes).to_string().parse(), Ok(Uuid(bytes)));
        }
    }
}
