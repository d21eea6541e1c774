//! The matcher: whether a message answers a query, how well, and where its words stand.
//!
//! A [`Filter`] is a query whose names are ids and whose days are milliseconds. What it says of a message is
//! what search means: an index finds the same messages faster, and the order is the same. Whoever answers
//! asks it again about the newest state of each hit.

mod facts;
mod highlight;
mod pattern;
mod resolve;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use facts::{Fact, Need};
pub use highlight::{in_chars, in_utf16};
pub(crate) use pattern::Pattern;
pub use resolve::Known;

use crate::analyse::{Token, tokens};
use crate::message::Message;
use crate::order::{Key, Order, TOGETHER, WHOLE, weight};

/// A query that can be put to messages. [`Known::filter`] makes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// All of them stand in the text.
    pub(crate) words: Vec<Pattern>,
    /// None of them does.
    pub(crate) without: Vec<Pattern>,
    /// Each of them is so.
    pub(crate) needs: Vec<Need>,
    /// It was sent within, or without, each of these milliseconds.
    pub(crate) times: Vec<Time>,
    /// The words as one phrase, when there are several: what has it fits better.
    pub(crate) together: Option<Pattern>,
}

/// A time that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) negated: bool,
    pub(crate) ms: Range<i64>,
}

impl Time {
    pub(crate) fn allows(&self, sent_at_ms: i64) -> bool {
        self.ms.contains(&sent_at_ms) != self.negated
    }
}

/// What a message that answers is shown with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// How well it fits.
    pub relevance: u32,
    /// The bytes of its text that answer, in order, none touching the next.
    pub highlights: Vec<Range<usize>>,
}

impl Match {
    /// Its place in that order.
    #[must_use]
    pub fn key(&self, message: &Message, order: Order) -> Key {
        Key {
            relevance: if order == Order::Relevance { self.relevance } else { 0 },
            sent_at: message.sent_at,
            position: message.position,
            conversation: message.conversation,
        }
    }
}

impl Filter {
    /// Whether the message answers, and how; `None` when it does not. Who may see it is not asked here.
    #[must_use]
    pub fn matches(&self, message: &Message) -> Option<Match> {
        self.meets(message).then(|| self.matches_text(message, &tokens(&message.body))).flatten()
    }

    /// The same, for who asks about a message more than once and has kept its [`tokens`].
    #[must_use]
    pub fn matches_tokens(&self, message: &Message, text: &[Token]) -> Option<Match> {
        self.meets(message).then(|| self.matches_text(message, text)).flatten()
    }

    /// Whether what is so of the message, and its time, are as they were asked for.
    fn meets(&self, message: &Message) -> bool {
        let facts = self.needs.iter().all(|need| need.is_met(message));
        let times = self.times.iter().all(|time| time.allows(message.sent_at.unix_ms()));
        facts && times
    }

    fn matches_text(&self, message: &Message, text: &[Token]) -> Option<Match> {
        let highlights = self.words_in(text)?;
        Some(Match { relevance: self.relevance(text, message), highlights })
    }

    /// Where the words stand; `None` when one is missing or one is there that must not be.
    fn words_in(&self, text: &[Token]) -> Option<Vec<Range<usize>>> {
        if self.without.iter().any(|pattern| pattern.is_in(text)) {
            return None;
        }
        let mut found = Vec::new();
        for pattern in &self.words {
            let before = found.len();
            found.extend(pattern.find(text));
            if found.len() == before {
                return None;
            }
        }
        Some(highlight::merged(found))
    }

    fn relevance(&self, text: &[Token], message: &Message) -> u32 {
        let is_whole = self.whole().is_some_and(|pattern| pattern.is_in(text));
        let is_together = self.together.as_ref().is_some_and(|pattern| pattern.is_in(text));
        weight(text.len(), message.pinned, message.reacted)
            + if is_whole { WHOLE } else { 0 }
            + if is_together { TOGETHER } else { 0 }
    }

    /// The word that may be the beginning of another one, as a whole word.
    pub(crate) fn whole(&self) -> Option<Pattern> {
        self.words.iter().find(|pattern| pattern.begins_words()).map(Pattern::closed)
    }
}
