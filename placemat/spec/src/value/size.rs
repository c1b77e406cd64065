//! Sizes in bytes: `512M`, `1G`, `4096`.

use thiserror::Error;

/// Why a text is not a size. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SizeError {
    /// A suffix that does not exist.
    #[error("unknown suffix `{0}`: use `K`, `M`, `G` or `T`")]
    UnknownSuffix(String),
    /// No whole number in front.
    #[error("not a whole number with a suffix")]
    NotANumber,
    /// More than 2^64-1 bytes.
    #[error("too large")]
    TooLarge,
}

/// Suffixes and their power of two, largest first.
const SUFFIXES: [(&str, u32); 4] = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];

/// Reads a size. Suffixes are powers of 1024, as QEMU's are; `Mi` and `MiB` mean the same as `M`.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    if number.is_empty() || suffix.starts_with('.') {
        return Err(SizeError::NotANumber);
    }
    let number: u64 = number.parse().map_err(|_| SizeError::TooLarge)?;
    let short = suffix
        .strip_suffix("iB")
        .or_else(|| suffix.strip_suffix('i'))
        .unwrap_or(suffix);
    let shift = match short {
        "" | "B" if short == suffix => 0,
        _ => SUFFIXES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(short))
            .map(|(_, shift)| *shift)
            .ok_or_else(|| SizeError::UnknownSuffix(suffix.to_owned()))?,
    };
    number.checked_mul(1 << shift).ok_or(SizeError::TooLarge)
}

/// Writes a size as [`parse_size`] reads it, without loss, with the largest suffix that fits.
pub fn format_size(bytes: u64) -> String {
    SUFFIXES
        .iter()
        .find(|(_, shift)| bytes > 0 && bytes.is_multiple_of(1 << shift))
        .map_or_else(
            || bytes.to_string(),
            |(suffix, shift)| format!("{}{suffix}", bytes >> shift),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, bytes) in [
            ("4096", 4096),
            ("512M", 512 << 20),
            ("1G", 1 << 30),
            ("1GiB", 1 << 30),
            ("2Ti", 2 << 40),
            ("8k", 8192),
            ("0", 0),
            ("7B", 7),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        assert_eq!(parse_size("1X"), Err(SizeError::UnknownSuffix("X".into())));
        assert_eq!(parse_size("1i"), Err(SizeError::UnknownSuffix("i".into())));
        assert_eq!(parse_size("1.5G"), Err(SizeError::NotANumber));
        assert_eq!(parse_size("G"), Err(SizeError::NotANumber));
        assert_eq!(parse_size("99999999T"), Err(SizeError::TooLarge));
    }

    proptest! {
        #[test]
        fn round_trip(number: u32, shift in 0_u32..32) {
            let bytes = u64::from(number) << shift;
            prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
        }

        #[test]
        fn never_panics(text in "\\PC{0,12}") {
            let _ = parse_size(&text);
        }
    }
}
