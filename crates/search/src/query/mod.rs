//! The query language: what somebody types into the search box.
//!
//! `invoice "next week" -draft from:ann in:#office before:2026-12 has:link is:edited` asks for messages that
//! have the first word and the phrase and not the second word, by Ann, in that room, and so on. Whatever is
//! no known operator is a word, so `std::vec`, `C:\Users` and addresses need no quotes.
//!
//! [`Query::parse`] is pure and knows nothing of people and rooms: names stay names here, and days stay days.
//! What is printed is parsed to the same query again.

mod day;
mod error;
mod parse;
mod print;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use day::Day;
pub use error::{Problem, QueryError};

/// Characters of a query, at most.
pub const QUERY_MAX_CHARS: usize = 500;
/// Terms of a query, at most.
pub const QUERY_MAX_TERMS: usize = 32;

/// A query, term by term. Two are the same when their terms are.
#[derive(Debug, Clone)]
pub struct Query {
    terms: Vec<Placed>,
}

/// A term, and the bytes of the query where it stands.
#[derive(Debug, Clone)]
struct Placed {
    term: Term,
    place: Range<usize>,
}

/// One thing that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether it is asked for by a `-` that it is not so.
    pub negated: bool,
    /// What.
    pub what: What,
}

/// What a term asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A word, as it was typed. What the analyser makes several tokens of is a phrase.
    Word(String),
    /// What stood between quotes.
    Phrase(String),
    /// `from:` written by a person: a name, `@name` or `me`.
    From(String),
    /// `in:` in a conversation: a room's handle or title, with `#` or not, or `@name` for a direct one.
    In(String),
    /// `to:me` sent to me in a direct conversation.
    ToMe,
    /// `mentions:me` names me, or calls everyone.
    MentionsMe,
    /// `before:` sent before that day, month or year began.
    Before(Day),
    /// `after:` sent after that day, month or year was over.
    After(Day),
    /// `on:` sent in that day, month or year.
    On(Day),
    /// `has:`.
    Has(Has),
    /// `is:`.
    Is(Is),
}

/// What a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Has {
    /// An address of the web.
    Link,
    /// Somebody's reaction.
    Reaction,
    /// It is pinned.
    Pin,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// An answer to another.
    Reply,
    /// Said otherwise afterwards.
    Edited,
}

impl Query {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// Says where, what is wrong there and what would be right.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text)
    }

    /// The terms, in the order in which they were typed.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().map(|placed| &placed.term)
    }

    /// The terms with the bytes of the query where each stands.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (&Term, Range<usize>)> {
        self.terms.iter().map(|placed| (&placed.term, placed.place.clone()))
    }

    /// The names of people that it asks for, to be looked up before it can be [answered](crate::Filter).
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.terms().filter_map(|term| match &term.what {
            What::From(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The names of conversations that it asks for.
    pub fn conversations(&self) -> impl Iterator<Item = &str> {
        self.terms().filter_map(|term| match &term.what {
            What::In(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.terms().eq(other.terms())
    }
}

impl Eq for Query {}
