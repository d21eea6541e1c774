//! Cutting a text into tokens.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::fold::{Folded, folded, is_sign, is_skin_tone, is_word_char};
use super::gram::{grams, is_gram_char};

/// Characters of a token, at most. A longer word is several tokens that follow each other, so it is found as
/// a whole like any other.
pub const TOKEN_MAX_CHARS: usize = 64;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Letters and digits.
    Word,
    /// Two neighbours of a script without blanks, or the last of its run.
    Gram,
    /// An emoji or another symbol.
    Sign,
}

/// A token, and where it stands in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As it is compared.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// The bytes of the text that it was made of.
    pub bytes: Range<usize>,
    /// Where the first character of a gram ends; for others no more than an end of their own first one.
    pub first_end: usize,
}

impl Token {
    /// Whether it is a single character of a script without blanks: the last one of a run.
    #[must_use]
    pub fn is_last_gram(&self) -> bool {
        self.kind == Kind::Gram && self.text.chars().nth(1).is_none()
    }
}

/// The tokens of a text, in the order in which they stand there.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut cut = Cut { tokens: Vec::new(), word: Vec::new(), run: Vec::new() };
    let mut segment = Vec::new();
    for (start, part) in text.split_word_bound_indices() {
        segment.clear();
        folded(part, start, &mut segment);
        cut.segment(&segment);
    }
    cut.end_run();
    cut.tokens
}

/// What is being put together.
struct Cut {
    tokens: Vec<Token>,
    /// The word so far, which ends with its segment at the latest.
    word: Vec<Folded>,
    /// The run so far: each of its characters is a segment of its own.
    run: Vec<Folded>,
}

impl Cut {
    fn segment(&mut self, segment: &[Folded]) {
        if segment.first().is_some_and(|first| is_sign(first.c)) {
            self.end_run();
            // Punctuation that an emoji is another form of is none of it.
            let is_part =
                |place: usize, c: char| place == 0 || ((is_sign(c) || is_word_char(c)) && !is_skin_tone(c));
            let sign = segment.iter().enumerate().filter(|(place, one)| is_part(*place, one.c));
            self.word.extend(sign.map(|(_, one)| one.clone()));
            self.end_word(Kind::Sign);
            return;
        }
        for one in segment {
            if is_gram_char(one.c) {
                self.end_word(Kind::Word);
                self.run.push(one.clone());
            } else {
                self.end_run();
                if is_word_char(one.c) {
                    self.word.push(one.clone());
                } else {
                    self.end_word(Kind::Word);
                }
            }
        }
        self.end_word(Kind::Word);
    }

    fn end_word(&mut self, kind: Kind) {
        for piece in self.word.chunks(TOKEN_MAX_CHARS) {
            if let (Some(first), Some(last)) = (piece.first(), piece.last()) {
                self.tokens.push(Token {
                    text: piece.iter().map(|one| one.c).collect(),
                    kind,
                    bytes: first.bytes.start..last.bytes.end,
                    first_end: first.bytes.end,
                });
            }
        }
        self.word.clear();
    }

    fn end_run(&mut self) {
        grams(&self.run, &mut self.tokens);
        self.run.clear();
    }
}
