//! Percentages: `25%`, `0.5%`.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Why a text is not a percentage. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PercentageError {
    /// The `%` is missing.
    #[error("it needs a percent sign: `{0}%`?")]
    NoSign(String),
    /// Not a number in front of the sign.
    #[error("not a number with a percent sign")]
    NotANumber,
    /// Below 0 or above 100.
    #[error("not from 0% to 100%")]
    OutOfRange,
}

/// A share from 0 % to 100 %.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Percentage(f64);

impl Percentage {
    /// From percent, 0 to 100.
    pub fn new(percent: f64) -> Option<Self> {
        (0.0..=100.0).contains(&percent).then_some(Self(percent))
    }

    /// In percent, 0 to 100.
    pub fn percent(self) -> f64 {
        self.0
    }

    /// As a fraction, 0 to 1.
    pub fn fraction(self) -> f64 {
        self.0 / 100.0
    }
}

impl FromStr for Percentage {
    type Err = PercentageError;
    fn from_str(text: &str) -> Result<Self, PercentageError> {
        let decimal = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['e', 'E'])
        };
        let Some(number) = text.strip_suffix('%').map(str::trim_end) else {
            return Err(match text.parse::<f64>() {
                Ok(_) if decimal(text) => PercentageError::NoSign(text.to_owned()),
                _ => PercentageError::NotANumber,
            });
        };
        match number.parse::<f64>() {
            Ok(percent) if decimal(number) => Self::new(percent).ok_or(PercentageError::OutOfRange),
            _ => Err(PercentageError::NotANumber),
        }
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_refuses() {
        assert_eq!("25%".parse(), Ok(Percentage(25.0)));
        assert_eq!("0.5 %".parse(), Ok(Percentage(0.5)));
        assert_eq!(
            "25".parse::<Percentage>(),
            Err(PercentageError::NoSign("25".into()))
        );
        assert_eq!(
            "101%".parse::<Percentage>(),
            Err(PercentageError::OutOfRange)
        );
        assert_eq!(
            "inf%".parse::<Percentage>(),
            Err(PercentageError::NotANumber)
        );
        assert_eq!(
            "-1%".parse::<Percentage>(),
            Err(PercentageError::NotANumber)
        );
    }

    proptest! {
        #[test]
        fn round_trip(percent in 0.0..=100.0_f64) {
            let value = Percentage(percent);
            prop_assert_eq!(value.to_string().parse(), Ok(value));
        }
    }
}
