//! What every search index does, whichever engine is behind it.
//!
//! A projection writes: the newest state of each message that was said or changed, in the order of the log,
//! and now and then a commit, which says up to where in the log all of that is. Whatever was written after
//! the last commit may be lost, together and with its checkpoint, so who starts again at
//! [`Index::checkpoint`] has every change once in effect. Uncommitted changes may or may not be found.
//!
//! A reader asks: the matcher's [`Filter`], where the person may look, and an order. The hits are candidates:
//! the index may be behind, so the newest state of each is looked at again before it is shown.

mod error;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use milena_domain::{ConversationId, Position};
use serde::{Deserialize, Serialize};

pub use error::IndexError;

use crate::{Cursor, Filter, Key, Message, Order, Scope};

/// Hits of a page, at most.
pub const PAGE_MAX_HITS: usize = 100;

/// A question to an index.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What the messages are to be.
    pub filter: Filter,
    /// Where whoever asks may look. Nothing else is ever found.
    pub scope: Arc<Scope>,
    /// What comes first.
    pub order: Order,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Hits, at most; no more than [`PAGE_MAX_HITS`] are given.
    pub limit: usize,
}

/// A part of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The hits, in the order that was asked for. A key names its message.
    pub hits: Vec<Key>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
}

impl Page {
    /// The best of these hits, of which there may be one more than the page has.
    #[must_use]
    pub fn of(mut hits: Vec<Key>, limit: usize) -> Self {
        hits.sort_unstable_by(|a, b| b.cmp(a));
        let has_more = hits.len() > limit;
        hits.truncate(limit);
        let next = hits.last().copied().map(Cursor).filter(|_| has_more);
        Self { hits, next }
    }
}

/// What becomes of a message in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is its newest state, whether it was there or not.
    Put {
        /// The state.
        message: Message,
        /// The event that made it so: an engine that several write to keeps the newest.
        at: Position,
    },
    /// It is gone.
    Remove {
        /// Where it was said.
        conversation: ConversationId,
        /// Where it stood there.
        position: Position,
        /// The event that removed it.
        at: Position,
    },
}

/// Up to where in the log an index is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The topic.
    pub topic: String,
    /// The epoch of the log that the offsets are of.
    pub epoch: u32,
    /// By partition, the first offset that is not in the index.
    pub next_offsets: BTreeMap<i32, i64>,
}

/// A search index.
pub trait Index: Send + Sync + 'static {
    /// Up to where in the log it is, as of its last commit; `None` when there was none yet.
    ///
    /// # Errors
    /// When the engine does not answer.
    fn checkpoint(&self) -> impl Future<Output = Result<Option<Checkpoint>, IndexError>> + Send;

    /// Takes changes, in the order of the log. After an error everything since the last commit is to be
    /// written again.
    ///
    /// # Errors
    /// When the engine cannot take them.
    fn write(&self, changes: Vec<Change>) -> impl Future<Output = Result<(), IndexError>> + Send;

    /// Makes all that was written durable and visible, together with where the log goes on.
    ///
    /// # Errors
    /// When the engine cannot; then all since the last commit is to be written again.
    fn commit(&self, checkpoint: Checkpoint) -> impl Future<Output = Result<(), IndexError>> + Send;

    /// The messages that answer, of those that may be seen.
    ///
    /// # Errors
    /// When the engine does not answer.
    fn search(&self, ask: Ask) -> impl Future<Output = Result<Page, IndexError>> + Send;

    /// How many messages it has, as of its last commit.
    ///
    /// # Errors
    /// When the engine does not answer.
    fn count(&self) -> impl Future<Output = Result<u64, IndexError>> + Send;
}
