//! What can be wrong with a query, said so that whoever typed it can put it right.

use std::ops::Range;

use super::{QUERY_MAX_CHARS, QUERY_MAX_TERMS};

/// A query that cannot be answered as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct QueryError {
    /// The bytes of the query that are meant; whole characters.
    pub place: Range<usize>,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong. Its `Display` can be shown as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing to search for.
    #[error("search for a word, a number or an emoji, or with an operator such as from:ann")]
    Nothing,
    /// Too many characters.
    #[error("a search has at most {QUERY_MAX_CHARS} characters (got {chars})")]
    TooLong {
        /// As many.
        chars: usize,
    },
    /// Too many terms.
    #[error("a search has at most {QUERY_MAX_TERMS} words, phrases and operators")]
    TooManyTerms,
    /// A quote without its end.
    #[error("the phrase that begins here has no end: put a \" behind its last word")]
    Unclosed,
    /// An operator without what it asks for.
    #[error("{operator}: needs something behind it, without a blank: {help}")]
    Missing {
        /// Its name.
        operator: &'static str,
        /// What could be there.
        help: &'static str,
    },
    /// An operator with something that it does not know.
    #[error("{operator}: does not know {value:?}: {help}")]
    Unknown {
        /// Its name.
        operator: &'static str,
        /// What is there.
        value: String,
        /// What could be there.
        help: &'static str,
    },
    /// No such person.
    #[error("from: finds nobody called {name:?}")]
    NoPerson {
        /// The name.
        name: String,
    },
    /// No such conversation, or none that the person may see.
    #[error("in: finds no room or person called {name:?}")]
    NoConversation {
        /// The name.
        name: String,
    },
}

impl Problem {
    pub(crate) fn at(self, place: Range<usize>) -> QueryError {
        QueryError { place, problem: self }
    }
}
