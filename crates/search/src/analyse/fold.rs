//! The characters of a text as they are compared: without case, accents and what is not seen.
//!
//! Names are folded by [`milena_domain::fold`], and so are texts, with these differences, because a text has
//! many words that differ in little: marks stay where they are spelling and not an accent (the vowels of
//! Hindi and Thai, the voicing of kana), Korean syllables stay whole, and what Arabic keyboards write in two
//! ways is one letter.
//!
//! Every folded character knows the bytes of the text that it comes from: what is seen as one character (a
//! grapheme cluster) is folded as a whole, so no highlight ever cuts one.

use std::ops::Range;

use icu_properties::props::{ExtendedPictographic, GeneralCategory, GeneralCategoryGroup, Script};
use icu_properties::{CodePointMapData, CodePointSetData};
use milena_domain::{composed_compatible, fold};
use unicode_segmentation::UnicodeSegmentation;

/// It makes an Arabic word longer and means nothing.
const TATWEEL: char = '\u{640}';

/// A character of the folded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folded {
    /// What it is compared as.
    pub(crate) c: char,
    /// The bytes of the text that it comes from.
    pub(crate) bytes: Range<usize>,
}

/// The folded characters of `part`, which stands at `start` of the text.
pub(crate) fn folded(part: &str, start: usize, into: &mut Vec<Folded>) {
    if part.is_ascii() {
        into.extend(part.bytes().enumerate().map(|(index, byte)| Folded {
            c: char::from(byte.to_ascii_lowercase()),
            bytes: start + index..start + index + 1,
        }));
        return;
    }
    for (index, cluster) in part.grapheme_indices(true) {
        let bytes = start + index..start + index + cluster.len();
        let mut push = |c: char| into.push(Folded { c: one_of_two(c), bytes: bytes.clone() });
        if cluster.chars().next().is_some_and(|c| marks_are_spelling(script(c))) {
            let lower = composed_compatible(cluster).to_lowercase();
            lower.chars().filter(|c| !is_unseen(*c)).for_each(&mut push);
        } else {
            fold(cluster).chars().filter(|c| *c != TATWEEL).for_each(&mut push);
        }
    }
}

/// A character's script.
pub(crate) fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// Whether words are made of it.
pub(crate) fn is_word_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Mark)
        .union(GeneralCategoryGroup::Number)
        .contains(category(c))
}

/// Whether it is a symbol that people look for: emoji, stars, money; not the signs of a calculation.
pub(crate) fn is_sign(c: char) -> bool {
    let is_symbol = || matches!(category(c), GeneralCategory::OtherSymbol | GeneralCategory::CurrencySymbol);
    !c.is_ascii() && (is_symbol() || CodePointSetData::new::<ExtendedPictographic>().contains(c))
}

/// The colours of an emoji's skin.
pub(crate) fn is_skin_tone(c: char) -> bool {
    ('\u{1f3fb}'..='\u{1f3ff}').contains(&c)
}

/// Where marks are no part of the spelling, they are left out.
fn marks_are_spelling(script: Script) -> bool {
    !matches!(
        script,
        Script::Latin
            | Script::Greek
            | Script::Cyrillic
            | Script::Armenian
            | Script::Coptic
            | Script::Hebrew
            | Script::Arabic
            | Script::Syriac
            | Script::Common
            | Script::Inherited
    )
}

/// What leaves no trace where marks stay: joiners, and the dot below that many leave out in Hindi.
fn is_unseen(c: char) -> bool {
    c == '\u{93c}' || category(c) == GeneralCategory::Format
}

/// Letters and digits that are written in two ways and meant as one.
fn one_of_two(c: char) -> char {
    match c {
        // Arabic: alef maqsura, teh marbuta, and the letters of Persian keyboards.
        '\u{649}' | '\u{6cc}' => '\u{64a}',
        '\u{629}' => '\u{647}',
        '\u{6a9}' => '\u{643}',
        // Hindi: candrabindu.
        '\u{901}' => '\u{902}',
        // Digits: Arabic, Persian, Devanagari, Bengali, Thai.
        '\u{660}'..='\u{669}' => ascii_digit(c, '\u{660}'),
        '\u{6f0}'..='\u{6f9}' => ascii_digit(c, '\u{6f0}'),
        '\u{966}'..='\u{96f}' => ascii_digit(c, '\u{966}'),
        '\u{9e6}'..='\u{9ef}' => ascii_digit(c, '\u{9e6}'),
        '\u{e50}'..='\u{e59}' => ascii_digit(c, '\u{e50}'),
        _ => c,
    }
}

fn ascii_digit(c: char, zero: char) -> char {
    char::from_digit((u32::from(c) - u32::from(zero)) % 10, 10).unwrap_or(c)
}
