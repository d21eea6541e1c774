//! Words of which somebody wants to hear, and whether a message has one.
//!
//! Compared as names are: without case and marks. A keyword is found as a whole word, or some whole words;
//! in scripts that are written without blanks it is found anywhere, and in Korean, where endings are joined
//! to the word, at the beginning of one. The browser has the same rules.

use std::collections::HashSet;

use icu_properties::CodePointMapData;
use icu_properties::props::Script;

use crate::field::{FieldError, FieldResult};
use crate::limits::{KEYWORD_MAX_CHARS, KEYWORDS_MAX};
use crate::unicode::{composed, fold, is_visible, trim_blanks};

/// A text as keywords are looked for in it: folded once, whoever looks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Folded(Box<str>);

impl Folded {
    /// Folds a text; any white space is one blank.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(fold(text).split_whitespace().collect::<Vec<_>>().join(" ").into())
    }

    /// Whether the keyword stands in this text.
    fn has(&self, keyword: &Self) -> bool {
        let (text, keyword) = (&*self.0, &*keyword.0);
        let (Some(first), Some(last)) = (keyword.chars().next(), keyword.chars().next_back()) else {
            return false;
        };
        let mut from = 0;
        while let Some(found) = text[from..].find(keyword).map(|index| from + index) {
            let before = text[..found].chars().next_back();
            let after = text[found + keyword.len()..].chars().next();
            let begins = before.is_none_or(|before| !is_one_word(before, first));
            let ends = after.is_none_or(|after| !is_one_word(last, after) || is_next_syllable(last, after));
            if begins && ends {
                return true;
            }
            from = found + first.len_utf8();
        }
        false
    }
}

/// Whether two characters that stand beside each other belong to one word.
fn is_one_word(before: char, after: char) -> bool {
    let in_words = |c: char| c.is_alphanumeric() && !is_written_without_blanks(c);
    in_words(before) && in_words(after)
}

fn is_written_without_blanks(c: char) -> bool {
    matches!(
        CodePointMapData::<Script>::new().get(c),
        Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Thai
            | Script::Lao
            | Script::Khmer
            | Script::Myanmar
    )
}

/// Folding takes Korean syllables apart; whether the second character begins another one.
const fn is_next_syllable(before: char, after: char) -> bool {
    matches!(before, '\u{1100}'..='\u{11ff}') && matches!(after, '\u{1100}'..='\u{115f}')
}

/// At most [`KEYWORDS_MAX`], each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keywords(Vec<(Box<str>, Folded)>);

impl Keywords {
    /// Checks the words; those that are the same but for case and marks are one, the first.
    ///
    /// # Errors
    /// Names the field `keywords` and the limit.
    pub fn new(words: &[String]) -> FieldResult<Self> {
        let refused = |problem: String| FieldError::new("keywords", problem);
        let mut seen = HashSet::new();
        let mut keywords = Vec::new();
        for word in words {
            let word = composed(trim_blanks(word));
            let count = word.chars().count();
            if count == 0 || count > KEYWORD_MAX_CHARS {
                let problem = format!("must have 1 to {KEYWORD_MAX_CHARS} characters each (got {count})");
                return Err(refused(problem));
            }
            if word.chars().any(char::is_control) {
                return Err(refused("must not have control characters".to_owned()));
            }
            let folded = Folded::new(&word);
            if !is_visible(&word) || folded.0.is_empty() {
                return Err(refused("must have a character each that can be seen".to_owned()));
            }
            if seen.insert(folded.clone()) {
                keywords.push((word.into(), folded));
            }
        }
        if keywords.len() > KEYWORDS_MAX {
            return Err(refused(format!("must be at most {KEYWORDS_MAX} (got {})", keywords.len())));
        }
        Ok(Self(keywords))
    }

    /// As they were typed.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(word, _)| &**word)
    }

    /// Whether one of them stands in the text.
    #[must_use]
    pub fn are_in(&self, text: &Folded) -> bool {
        self.0.iter().any(|(_, keyword)| text.has(keyword))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keywords(words: &[&str]) -> FieldResult<Keywords> {
        Keywords::new(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_wrong_is_named() {
        let problem = |words: &[&str]| keywords(words).unwrap_err().to_string();
        let long = "x".repeat(65);
        assert_eq!(problem(&[&long]), "keywords must have 1 to 64 characters each (got 65)");
        assert_eq!(problem(&[" "]), "keywords must have 1 to 64 characters each (got 0)");
        assert_eq!(problem(&["a\u{7}b"]), "keywords must not have control characters");
        assert_eq!(problem(&["\u{301}"]), "keywords must have a character each that can be seen");
        let many: Vec<String> = (0..51).map(|number| format!("w{number}")).collect();
        assert_eq!(Keywords::new(&many).unwrap_err().to_string(), "keywords must be at most 50 (got 51)");
    }

    #[test]
    fn each_is_kept_once_and_as_it_was_typed() {
        let kept = keywords(&[" Café ", "CAFE", "on call"]).unwrap();
        assert_eq!(kept.iter().collect::<Vec<_>>(), ["Café", "on call"]);
    }

    proptest! {
        /// A word is found where it stands alone, whatever stands around it, and not within another one.
        #[test]
        fn whole_words_are_found(
            word in "[a-z]{1,8}", around in "[ .,;!?()\"\n-]{1,4}", other in "[a-z]{1,8}",
        ) {
            let keyword = keywords(&[&word]).unwrap();
            let found = |text: String| keyword.are_in(&Folded::new(&text));
            prop_assert!(found(word.clone()));
            let alone = format!("{other}{around}{}{around}{other}", word.to_uppercase());
            prop_assert!(found(alone));
            let within = format!("{word}{other}");
            prop_assert!(!found(within));
        }

        /// Looking never fails, and whatever may be a keyword is found in itself.
        #[test]
        fn any_text_can_be_looked_through(text in "\\PC{0,60}", word in "\\PC{1,8}") {
            if let Ok(keyword) = keywords(&[&word]) {
                let _ = keyword.are_in(&Folded::new(&text));
                prop_assert!(keyword.are_in(&Folded::new(&word)), "{:?}", word);
            }
        }
    }
}
