//! What of a text is seen, and what it is compared by.
//!
//! Which characters are invisible, turn the direction of what follows, or are marks is taken from Unicode's
//! own tables (ICU4X), so that the whole kind is meant and not those that somebody thought of. The browser
//! has the same rules (`frontend/src/lib/names/fold.ts`); one table of cases,
//! `crates/domain/tests/names.json`, is run through both.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{
    BidiControl, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, Script, WhiteSpace,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_security::skeleton;

/// Symbols whose drawing is empty; no property says so.
const DRAWN_EMPTY: [char; 2] = ['\u{2800}', '\u{1d159}'];

/// Characters of a word that are compared, at most.
pub const WORD_MAX_CHARS: usize = 32;
/// Places of one name at which a word can begin, at most.
const WORD_STARTS_MAX: usize = 64;
/// Characters of a folded name that are compared, at most: compatibility forms make some names longer.
pub const FOLDED_NAME_MAX_CHARS: usize = 128;

fn is_in(c: char, group: GeneralCategoryGroup) -> bool {
    group.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether a character leaves the place where it stands as it was: blanks, controls, joiners, fillers.
fn is_blank(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(category, GeneralCategory::Control | GeneralCategory::Format)
        || is_ignorable(c)
        || is_white_space(c)
        || DRAWN_EMPTY.contains(&c)
}

fn is_white_space(c: char) -> bool {
    CodePointSetData::new::<WhiteSpace>().contains(c)
}

/// Whether anything of the text is seen.
#[must_use]
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !is_blank(c))
}

/// Whether the text has something that a mark can stand on: a name of marks alone is a smudge.
pub(crate) fn has_letter_or_sign(text: &str) -> bool {
    text.chars().any(|c| !is_blank(c) && !is_in(c, GeneralCategoryGroup::Mark))
}

/// Whether the text can turn round what stands beside it.
pub(crate) fn turns_direction(text: &str) -> bool {
    text.chars().any(|c| CodePointSetData::new::<BidiControl>().contains(c))
}

/// Without what is not seen at its ends.
pub(crate) fn trim_blanks(text: &str) -> &str {
    // What joins or varies the sign before it belongs to that sign.
    let ends = |c: char| {
        is_blank(c) && !matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
    };
    text.trim_start_matches(is_blank).trim_end_matches(ends)
}

/// Composed, as keyboards write it.
pub(crate) fn composed(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Compatibility forms as the ordinary ones, composed.
#[must_use]
pub fn composed_compatible(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(text).into_owned()
}

/// The form in which names are compared: without case, marks and what is not seen; letters that Unicode does
/// not take apart are written as people write them who do not have them.
#[must_use]
pub fn fold(text: &str) -> String {
    let plain = DecomposingNormalizerBorrowed::new_nfkd().normalize(text).to_lowercase();
    let mut folded = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            _ if is_ignorable(c) || is_in(c, GeneralCategoryGroup::Mark) => {}
            _ if CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format => {}
            _ => folded.push(c),
        }
    }
    folded
}

/// The folded words of a text, without punctuation.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| is_white_space(c) || is_in(c, GeneralCategoryGroup::Punctuation))
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(WORD_MAX_CHARS).collect())
        .collect()
}

/// A name as it is compared from its beginning on: its words with a blank between them.
#[must_use]
pub fn folded_name(text: &str) -> String {
    words(text).join(" ").chars().take(FOLDED_NAME_MAX_CHARS).collect()
}

/// Every place of a name at which one may begin to type it, up to the end of its word: each word, and in
/// scripts that are written without blanks each sign. Sorted, each once.
#[must_use]
pub fn word_starts(text: &str) -> Vec<String> {
    let mut starts = Vec::new();
    // Before words are cut: a long one in such a script has more beginnings than its first part.
    let folded = fold(text);
    let parts = folded.split(|c: char| is_white_space(c) || is_in(c, GeneralCategoryGroup::Punctuation));
    for part in parts.filter(|part| !part.is_empty()) {
        let begins = part.char_indices().filter(|(index, c)| *index == 0 || is_written_without_blanks(*c));
        starts
            .extend(begins.map(|(index, _)| part[index..].chars().take(WORD_MAX_CHARS).collect::<String>()));
    }
    starts.truncate(WORD_STARTS_MAX);
    starts.sort_unstable();
    starts.dedup();
    starts
}

fn is_written_without_blanks(c: char) -> bool {
    let script = CodePointMapData::<Script>::new().get(c);
    matches!(script, Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul)
}

/// What the eye makes of a name: two names with the same may be taken for each other. Signs that look like a
/// letter or digit of ASCII, small or capital, are that one (UTS #39), and what stands between the letters
/// does not count.
#[must_use]
pub fn lookalike(name: &str) -> String {
    let mut seen = String::with_capacity(name.len());
    for sign in fold(name).chars() {
        let capital = sign.to_uppercase().to_string();
        match ascii_skeleton(&sign.to_string()).or_else(|| ascii_skeleton(&capital)) {
            // Once more: what looks like `m` looks like `rn`.
            Some(letters) => seen.push_str(&ascii_skeleton(&letters).unwrap_or(letters)),
            None => seen.push(sign),
        }
    }
    seen.retain(char::is_alphanumeric);
    seen
}

/// The ASCII letters and digits, small, that a text looks like.
fn ascii_skeleton(text: &str) -> Option<String> {
    let seen: String = skeleton(text).collect();
    let is_ascii = !seen.is_empty() && seen.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_ascii.then(|| seen.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_whole_kind_of_blanks_is_not_seen() {
        for blank in [
            " ",
            "\t\n",
            "\u{a0}",
            "\u{ad}",
            "\u{34f}",
            "\u{61c}",
            "\u{115f}\u{1160}",
            "\u{17b4}",
            "\u{180e}",
            "\u{2003}",
            "\u{200b}",
            "\u{200c}\u{200d}",
            "\u{200e}",
            "\u{202e}",
            "\u{2028}",
            "\u{2060}",
            "\u{2066}",
            "\u{2800}",
            "\u{3000}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{ffa0}",
            "\u{fff9}",
            "\u{1d173}",
            "\u{e0001}",
            "\u{e0100}",
        ] {
            assert!(!is_visible(blank), "{blank:?}");
        }
        for seen in ["a", "\u{200b}a", "😀", "👩‍💻", ".", "王", "\u{e41}", "\u{301}", "\u{1fae8}"] {
            assert!(is_visible(seen), "{seen:?}");
        }
        assert!(!has_letter_or_sign("\u{301}\u{302}"));
    }

    #[test]
    fn ends_that_belong_to_a_sign_stay() {
        assert_eq!(trim_blanks("\u{200b} Anna \u{3164}\u{200b}"), "Anna");
        assert_eq!(trim_blanks("❤\u{fe0f}"), "❤\u{fe0f}");
        assert_eq!(trim_blanks(" \u{fe0f}"), "");
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing_and_composition_does_not_matter(text in "\\PC{0,20}") {
            prop_assert_eq!(fold(&text), fold(&composed(&text)));
            let starts = word_starts(&text);
            prop_assert!(starts.len() <= WORD_STARTS_MAX);
            for word in words(&text) {
                prop_assert!(starts.contains(&word) || starts.len() >= WORD_STARTS_MAX - 1);
            }
        }
    }
}
