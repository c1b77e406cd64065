//! Places in texts that the reader of YAML does not read: templates, and JSON that is none.

use placemat_spec::Place;
use std::ops::Range;

/// The place of a range of bytes, at most to the end of its line.
pub(crate) fn place(source: usize, text: &str, range: Range<usize>) -> Place {
    let offset = range.start.min(text.len());
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = text[offset..].lines().next().unwrap_or_default().len();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        source,
        line: count(before.matches('\n').count() + 1),
        column: count(before[line_start..].chars().count() + 1),
        offset,
        len: range.len().min(rest).max(1),
    }
}
