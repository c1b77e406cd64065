//! SHA-256 digests, as `sha256sum` prints them.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A SHA-256 digest (FIPS 180-4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

/// Why a text is not a digest. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Sha256Error {
    /// Another number of digits.
    #[error("{0} characters")]
    Length(usize),
    /// Something else than a digit.
    #[error("`{0}` is no hexadecimal digit")]
    Digit(char),
}

impl FromStr for Sha256 {
    type Err = Sha256Error;
    fn from_str(text: &str) -> Result<Self, Sha256Error> {
        let text = text.strip_prefix("sha256:").unwrap_or(text);
        if let Some(other) = text.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(Sha256Error::Digit(other));
        }
        if text.len() != 64 {
            return Err(Sha256Error::Length(text.len()));
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).unwrap_or(0);
            *byte = u8::try_from(digit(0) << 4 | digit(1)).unwrap_or(0);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_digest() {
        assert_eq!("ab".parse::<Sha256>(), Err(Sha256Error::Length(2)));
        assert_eq!("xy".parse::<Sha256>(), Err(Sha256Error::Digit('x')));
    }

    proptest! {
        #[test]
        fn round_trip(bytes: [u8; 32]) {
            let text = Sha256(bytes).to_string();
            prop_assert_eq!(text.parse(), Ok(Sha256(bytes)));
            prop_assert_eq!(text.to_uppercase().parse(), Ok(Sha256(bytes)));
        }

        #[test]
        fn never_panics(text in "\\PC{0,70}") {
            let _ = text.parse::<Sha256>();
        }
    }
}
