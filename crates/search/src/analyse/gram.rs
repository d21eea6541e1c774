//! Scripts that are written without blanks, and the grams of their runs.

use std::ops::Range;

use icu_properties::props::Script;

use super::fold::{Folded, script};
use super::token::{Kind, Token};

/// Whether a character belongs to a run without blanks.
pub(crate) fn is_gram_char(c: char) -> bool {
    if c < '\u{e00}' {
        return false;
    }
    // The mark of a long vowel belongs to no script.
    c == '\u{30fc}'
        || matches!(
            script(c),
            Script::Han
                | Script::Hiragana
                | Script::Katakana
                | Script::Bopomofo
                | Script::Hangul
                | Script::Yi
                | Script::Thai
                | Script::Lao
                | Script::Khmer
                | Script::Myanmar
        )
}

/// The grams of a whole run: each character with the next, and the last one by itself.
pub(crate) fn grams(run: &[Folded], into: &mut Vec<Token>) {
    for (index, first) in run.iter().enumerate() {
        let second = run.get(index + 1);
        let mut text = String::with_capacity(8);
        text.push(first.c);
        text.extend(second.map(|second| second.c));
        let end = second.map_or(first.bytes.end, |second| second.bytes.end);
        let bytes: Range<usize> = first.bytes.start..end;
        into.push(Token { text, kind: Kind::Gram, first_end: first.bytes.end, bytes });
    }
}
