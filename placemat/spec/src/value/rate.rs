//! Rates in bits a second: `10mbit`, `1gbit`, `56kbit`, as tc(8) writes them.

use thiserror::Error;

/// Why a text is not a rate. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RateError {
    /// A number without unit, such as `10`.
    #[error("it needs a unit: `{0}mbit`?")]
    NoUnit(String),
    /// A unit that does not exist.
    #[error("unknown unit `{0}`: use `bit`, `kbit`, `mbit` or `gbit`")]
    UnknownUnit(String),
    /// Not a number followed by a unit.
    #[error("not a number with a unit")]
    NotANumber,
    /// Less than can be kept to.
    #[error("less than 1kbit")]
    TooLow,
    /// More than fits.
    #[error("more than 1000gbit")]
    TooHigh,
}

/// Units in bits a second, largest first; powers of 1000, as links have them.
const UNITS: [(&str, u64); 4] = [
    ("gbit", 1_000_000_000),
    ("mbit", 1_000_000),
    ("kbit", 1_000),
    ("bit", 1),
];
/// Bits a second.
const LOWEST: u64 = 1_000;
/// Bits a second.
const HIGHEST: u64 = 1_000_000_000_000;

/// Reads a rate; in bits a second.
pub fn parse_rate(text: &str) -> Result<u64, RateError> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if number.is_empty() {
        return Err(RateError::NotANumber);
    }
    if unit.is_empty() {
        return Err(RateError::NoUnit(number.to_owned()));
    }
    let (_, scale) = UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        .ok_or_else(|| RateError::UnknownUnit(unit.to_owned()))?;
    let rate = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*scale))
        .filter(|rate| *rate <= HIGHEST)
        .ok_or(RateError::TooHigh)?;
    if rate < LOWEST {
        return Err(RateError::TooLow);
    }
    Ok(rate)
}

/// Writes a rate as [`parse_rate`] reads it, without loss, with the largest unit that fits.
pub fn format_rate(rate: u64) -> String {
    let (unit, scale) = UNITS
        .into_iter()
        .find(|(_, scale)| rate.is_multiple_of(*scale))
        .unwrap_or(("bit", 1));
    format!("{}{unit}", rate / scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, rate) in [
            ("10mbit", 10_000_000),
            ("1Gbit", 1_000_000_000),
            ("56kbit", 56_000),
            ("1500bit", 1500),
        ] {
            assert_eq!(parse_rate(text), Ok(rate), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        assert_eq!(parse_rate("10"), Err(RateError::NoUnit("10".into())));
        assert_eq!(parse_rate("1MB"), Err(RateError::UnknownUnit("MB".into())));
        assert_eq!(parse_rate("mbit"), Err(RateError::NotANumber));
        assert_eq!(parse_rate("5bit"), Err(RateError::TooLow));
        assert_eq!(parse_rate("9999gbit"), Err(RateError::TooHigh));
    }

    proptest! {
        #[test]
        fn round_trip(rate in LOWEST..=HIGHEST) {
            prop_assert_eq!(parse_rate(&format_rate(rate)), Ok(rate));
        }

        #[test]
        fn never_panics(text in "\\PC{0,12}") {
            let _ = parse_rate(&text);
        }
    }
}
