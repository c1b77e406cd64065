//! MAC addresses.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A unicast MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

/// Why a text is not a unicast MAC address. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MacError {
    /// Not six pairs of hexadecimal digits.
    #[error("not six pairs of hexadecimal digits with colons")]
    Form,
    /// The group bit is set (IEEE 802, the lowest bit of the first byte).
    #[error("a group address: the first byte must be even")]
    Group,
    /// All zero.
    #[error("the address of nobody")]
    Zero,
}

impl FromStr for Mac {
    type Err = MacError;
    fn from_str(text: &str) -> Result<Self, MacError> {
        let mut bytes = [0; 6];
        let mut pairs = text.split([':', '-']);
        for byte in &mut bytes {
            let pair = pairs
                .next()
                .filter(|pair| pair.len() == 2)
                .ok_or(MacError::Form)?;
            if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(MacError::Form);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| MacError::Form)?;
        }
        if pairs.next().is_some() {
            return Err(MacError::Form);
        }
        if bytes[0] & 1 == 1 {
            return Err(MacError::Group);
        }
        if bytes == [0; 6] {
            Err(MacError::Zero)
        } else {
            Ok(Self(bytes))
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_unicast_address() {
        assert_eq!("52:54:00:aa:bb".parse::<Mac>(), Err(MacError::Form));
        assert_eq!("52:54:00:aa:bb:+1".parse::<Mac>(), Err(MacError::Form));
        assert_eq!("52:54:00:aa:bb:01:02".parse::<Mac>(), Err(MacError::Form));
        assert_eq!("53:54:00:aa:bb:01".parse::<Mac>(), Err(MacError::Group));
        assert_eq!("00:00:00:00:00:00".parse::<Mac>(), Err(MacError::Zero));
        assert_eq!(
            "52-54-00-AA-BB-01".parse(),
            Ok(Mac([0x52, 0x54, 0, 0xaa, 0xbb, 1]))
        );
    }

    proptest! {
        #[test]
        fn round_trip(mut bytes: [u8; 6]) {
            bytes[0] = bytes[0] & 0xfe | 2;
            prop_assert_eq!(Mac(bytes).to_string().parse(), Ok(Mac(bytes)));
        }

        #[test]
        fn never_panics(text in "\\PC{0,20}") {
            let _ = text.parse::<Mac>();
        }
    }
}
