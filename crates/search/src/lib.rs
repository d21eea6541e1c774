//! Search: which messages answer a question, in which order, and where in them the words stand.
//!
//! The search index is a projection of the log. This crate holds what it is made of and no more: the
//! [analyser](analyse) that makes tokens of a text, the [query language](Query), the [matcher](Filter) that
//! says of one message whether it answers, and the [index](Index) that finds such messages among millions.
//! The matcher defines what the right answer is: an index answers what the matcher would answer over all
//! messages, in the same order. It also searches what is in memory only, and looks at each hit again before
//! it is shown.
//!
//! Analyser, parser and matcher are pure. Only an index does I/O.

pub mod analyse;
mod embedded;
mod filter;
mod index;
mod message;
mod order;
mod query;
mod scope;

pub use embedded::{TantivyFolder, TantivyIndex};
pub use filter::{Filter, Known, Match, in_chars, in_utf16};
pub use index::{Ask, Change, Checkpoint, Index, IndexError, PAGE_MAX_HITS, Page};
pub use message::Message;
pub use order::{Cursor, CursorError, Key, Order};
pub use query::{Day, Has, Is, Problem, QUERY_MAX_CHARS, QUERY_MAX_TERMS, Query, QueryError, Term, What};
pub use scope::Scope;
