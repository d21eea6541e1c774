//! Ranges of a text that are shown in bold.

use std::ops::Range;

/// The same bytes, in order, as few ranges as can be.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Ranges of bytes as ranges of characters (Unicode scalar values), which limits count in.
#[must_use]
pub fn in_chars(text: &str, bytes: &[Range<usize>]) -> Vec<Range<usize>> {
    converted(text, bytes, |_| 1)
}

/// Ranges of bytes as ranges of UTF-16 code units, which browsers count in.
#[must_use]
pub fn in_utf16(text: &str, bytes: &[Range<usize>]) -> Vec<Range<usize>> {
    converted(text, bytes, char::len_utf16)
}

/// Goes through the text once: the ranges are in order.
fn converted(text: &str, bytes: &[Range<usize>], length: impl Fn(char) -> usize) -> Vec<Range<usize>> {
    let (mut at_byte, mut at_unit) = (0, 0);
    let mut upto = |byte: usize| {
        let part = text.get(at_byte..byte).unwrap_or_default();
        at_unit += part.chars().map(&length).sum::<usize>();
        at_byte = byte;
        at_unit
    };
    bytes.iter().map(|range| upto(range.start)..upto(range.end)).collect()
}
