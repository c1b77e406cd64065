//! `Range:` of a request (RFC 9110 section 14): one range of bytes, which is all that firmware and
//! fetchers ask for.

use std::ops::Range;

/// What a request wants of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Unsatisfiable,
}

/// Reads the header's value for a file of `size` bytes. What is not understood is ignored, as the
/// RFC wants it.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    header
        .and_then(|value| part(value, size))
        .unwrap_or(Wanted::Whole)
}

fn part(value: &str, size: u64) -> Option<Wanted> {
    let (first, last) = value.trim().strip_prefix("bytes=")?.split_once('-')?;
    let range = if first.is_empty() {
        let suffix: u64 = last.parse().ok()?;
        size.saturating_sub(suffix)..size
    } else {
        let first: u64 = first.parse().ok()?;
        let end = match last {
            "" => size,
            last => last.parse::<u64>().ok()?.saturating_add(1).min(size),
        };
        if !last.is_empty() && last.parse::<u64>().ok()? < first {
            return None;
        }
        first..end
    };
    Some(if range.is_empty() {
        Wanted::Unsatisfiable
    } else {
        Wanted::Part(range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        for (value, expected) in [
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=90-1000", Wanted::Part(90..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=100-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=9-0", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("lines=0-9", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
        ] {
            assert_eq!(wanted(Some(value), 100), expected, "{value}");
        }
        assert_eq!(wanted(None, 100), Wanted::Whole);
    }

    proptest! {
        #[test]
        fn never_outside_the_file(value in "bytes=[0-9]{0,20}-[0-9]{0,20}", size: u64) {
            if let Wanted::Part(range) = wanted(Some(&value), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
