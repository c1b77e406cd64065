//! Places in an input text.

use std::ops::Range;

/// A stretch of an input text.
///
/// All places are equal, so that whatever carries one compares by what it says and not by where it
/// stands: a cluster that was printed and read again equals the first. [`Place::at`] compares where
/// the place itself is meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Index into the sources that were given to the loader.
    pub source: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// Byte offset in the source.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl Place {
    /// Where it begins: its source, and the offset there.
    pub fn at(self) -> (usize, usize) {
        (self.source, self.offset)
    }

    /// The place of `range` (bytes) of the scalar `text` that stands here. Where the scalar is
    /// written with escapes or over several lines, the whole of it.
    #[must_use]
    pub fn part(self, text: &str, range: Range<usize>) -> Self {
        let quote = match self.len.checked_sub(text.len()) {
            Some(0) => 0,
            Some(2) => 1,
            _ => return self,
        };
        let Some(before) = text.get(..range.start) else {
            return self;
        };
        if text.contains('\n') || text.get(range.clone()).is_none() {
            return self;
        }
        let columns = u32::try_from(before.chars().count()).unwrap_or(0);
        Self {
            column: self.column + columns + u32::from(quote == 1),
            offset: self.offset + quote + range.start,
            len: range.len(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_plain_and_quoted_scalars() {
        let place = Place {
            source: 0,
            line: 3,
            column: 5,
            offset: 40,
            len: 8,
        };
        let plain = place.part("node/ré", 5..8);
        assert_eq!((plain.column, plain.offset, plain.len), (10, 45, 3));
        let quoted = place.part("node/x", 5..6);
        assert_eq!((quoted.column, quoted.offset, quoted.len), (11, 46, 1));
        let whole = (place.column, place.offset, place.len);
        let parts = [place.part("nod", 1..2), place.part("node/abc", 5..99)];
        for part in parts {
            let part = (part.column, part.offset, part.len);
            assert_eq!(part, whole, "escaped, or out of range: the whole");
        }
    }
}
