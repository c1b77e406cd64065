//! Durations: `500ms`, `10s`, `1m30s`, `2h`, `1d`.

use std::fmt::Write as _;
use std::time::Duration;
use thiserror::Error;

/// Why a text is not a duration. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DurationError {
    /// A number without unit, such as `10`.
    #[error("it needs a unit: `{0}s`?")]
    NoUnit(String),
    /// A unit that does not exist.
    #[error("unknown unit `{0}`: use `ms`, `s`, `m`, `h` or `d`")]
    UnknownUnit(String),
    /// Not a number followed by a unit.
    #[error("not a number with a unit")]
    NotANumber,
    /// Units must be given from the largest to the smallest, each once.
    #[error("units go from the largest to the smallest, each once")]
    Order,
    /// More than fits.
    #[error("too long")]
    TooLong,
}

/// Units in nanoseconds, largest first.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads a duration; the largest is about 584 years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        if number.is_empty() {
            return Err(DurationError::NotANumber);
        }
        if unit.is_empty() {
            return Err(DurationError::NoUnit(number.to_owned()));
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(DurationError::UnknownUnit(unit.to_owned()));
        };
        if *scale >= smallest {
            return Err(DurationError::Order);
        }
        smallest = *scale;
        let part = scaled(number, *scale)?;
        total = total.checked_add(part).ok_or(DurationError::TooLong)?;
        rest = tail;
    }
    if text.is_empty() {
        Err(DurationError::NotANumber)
    } else {
        Ok(Duration::from_nanos(total))
    }
}

/// `number` times `scale`, exactly; what is finer than a nanosecond is cut off.
fn scaled(number: &str, scale: u64) -> Result<u64, DurationError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(DurationError::NotANumber);
    }
    let whole: u64 = whole.parse().map_err(|_| DurationError::TooLong)?;
    let fraction = &fraction[..fraction.len().min(18)];
    let numerator: u128 = fraction.parse().map_err(|_| DurationError::NotANumber)?;
    let denominator = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(18));
    let part = u64::try_from(numerator * u128::from(scale) / denominator)
        .map_err(|_| DurationError::TooLong)?;
    whole
        .checked_mul(scale)
        .and_then(|whole| whole.checked_add(part))
        .ok_or(DurationError::TooLong)
}

/// Writes a duration as [`parse_duration`] reads it, without loss: `1m30s`, `500ms`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    for (unit, scale) in UNITS {
        let count = rest / u128::from(scale);
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
            rest %= u128::from(scale);
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1.5s", 1500),
            ("0s", 0),
            ("1d", 86_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_the_rest() {
        assert_eq!(
            parse_duration("10"),
            Err(DurationError::NoUnit("10".into()))
        );
        assert_eq!(
            parse_duration("10 s"),
            Err(DurationError::UnknownUnit(" s".into()))
        );
        assert_eq!(
            parse_duration("10sec"),
            Err(DurationError::UnknownUnit("sec".into()))
        );
        assert_eq!(parse_duration("1s1m"), Err(DurationError::Order));
        assert_eq!(parse_duration("-1s"), Err(DurationError::NotANumber));
        assert_eq!(parse_duration(""), Err(DurationError::NotANumber));
        assert_eq!(parse_duration("1..5s"), Err(DurationError::NotANumber));
        assert_eq!(
            parse_duration("99999999999999d"),
            Err(DurationError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn round_trip(nanos: u64) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in "[0-9.dhmsnu -]{0,24}|\\PC{0,12}") {
            let _ = parse_duration(&text);
        }
    }
}
