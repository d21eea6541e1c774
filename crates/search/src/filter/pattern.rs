//! Tokens that follow each other: a word, a phrase, a run of characters.

use std::ops::Range;

use crate::analyse::{Kind, Token, tokens};

/// Characters that a word has at least to be taken for the beginning of others. One letter begins so many
/// that the answer would say nothing.
const BEGINNING_MIN_CHARS: usize = 2;

/// A sequence of tokens, each the neighbour of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// At least one.
    tokens: Vec<String>,
    /// Whether the last one is found also as the beginning of a token.
    open: Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// It is a whole token.
    No,
    /// It is a single character of a script without blanks, and whatever begins with it has that character.
    Gram,
    /// It is being typed.
    Word,
}

impl Pattern {
    /// What is found by this text; `None` when nothing of it is searched for. The last word of what is typed
    /// may be the beginning of one.
    pub(crate) fn new(text: &str, is_being_typed: bool) -> Option<Self> {
        let mut all = tokens(text);
        let last = all.last()?;
        let open = if last.is_last_gram() {
            Open::Gram
        } else if last.kind != Kind::Gram
            && is_being_typed
            && (last.kind == Kind::Sign || last.text.chars().nth(BEGINNING_MIN_CHARS - 1).is_some())
        {
            Open::Word
        } else {
            Open::No
        };
        // The last character of a run is in the gram before it too, and in the text it need not be the last.
        let run = all.len().checked_sub(2).map(|before| &all[before]);
        if open == Open::Gram && run.is_some_and(|before| is_one_run(before, last)) {
            all.pop();
            return Some(Self { tokens: texts(all), open: Open::No });
        }
        Some(Self { tokens: texts(all), open })
    }

    /// The tokens before the last, the last, and whether that one may be a beginning.
    pub(crate) fn parts(&self) -> (&[String], &str, bool) {
        let (last, before) = self.tokens.split_last().map_or(("", &[][..]), |(last, rest)| (last, rest));
        (before, last, self.open != Open::No)
    }

    /// Whether it finds the beginnings of words.
    pub(crate) fn begins_words(&self) -> bool {
        self.open == Open::Word
    }

    /// The same, with its last word as a whole.
    pub(crate) fn closed(&self) -> Self {
        Self { tokens: self.tokens.clone(), open: Open::No }
    }

    /// Whether it stands in the text.
    pub(crate) fn is_in(&self, text: &[Token]) -> bool {
        self.find(text).next().is_some()
    }

    /// The bytes of every place where it stands.
    pub(crate) fn find<'a>(&'a self, text: &'a [Token]) -> impl Iterator<Item = Range<usize>> + 'a {
        text.windows(self.tokens.len()).filter(|window| self.fits(window)).filter_map(|window| {
            let (first, last) = (window.first()?, window.last()?);
            let end = if self.open == Open::Gram { last.first_end } else { last.bytes.end };
            Some(first.bytes.start..end)
        })
    }

    fn fits(&self, window: &[Token]) -> bool {
        let (before, last, is_open) = self.parts();
        let Some((end, begin)) = window.split_last() else { return false };
        let fits_last = if is_open { end.text.starts_with(last) } else { end.text == last };
        fits_last && begin.iter().map(|token| &token.text).eq(before)
    }
}

fn texts(tokens: Vec<Token>) -> Vec<String> {
    tokens.into_iter().map(|token| token.text).collect()
}

/// Whether the gram `last` is the end of the run that `before` belongs to.
fn is_one_run(before: &Token, last: &Token) -> bool {
    before.kind == Kind::Gram && !before.is_last_gram() && before.bytes.end == last.bytes.end
}
