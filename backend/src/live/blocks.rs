//! Who blocks whom in direct conversations: what a direct message needs of the fold, for all conversations,
//! so that nothing waits for the database. Loaded at the start as of where judging begins, carried on by the
//! delivery task, and asked at admission, so that every node gives the same verdict. Pure: no I/O.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use milena_domain::{ConversationId, Position, UserId};
use milena_timeline::ConversationState;

/// Blocks that a node starts with, at most: some 100 bytes each. With more it does not start, because it
/// would show what others refuse.
pub const BLOCKS_MAX: usize = 1_000_000;

type ByConversation = HashMap<ConversationId, Vec<(UserId, Position)>>;

/// The blocks that last; clones are the same ones. Only conversations in which somebody blocks are held.
#[derive(Debug, Clone, Default)]
pub struct Blocks(Arc<RwLock<ByConversation>>);

impl Blocks {
    /// What the store has. Those of partition `p` that began at or after `read_from[p]` are left out: the
    /// records that began them are read again.
    #[must_use]
    pub fn stored(
        blocks: impl IntoIterator<Item = (ConversationId, UserId, Position)>,
        read_from: impl Fn(ConversationId) -> Position,
    ) -> Self {
        let loaded = Self::default();
        for (conversation, by, since) in blocks {
            if since < read_from(conversation) {
                loaded.set(conversation, by, Some(since));
            }
        }
        loaded
    }

    /// A direct conversation as the fold must know it.
    #[must_use]
    pub fn state(&self, conversation: ConversationId) -> ConversationState {
        let all = self.read();
        let of = all.get(&conversation).map_or(&[][..], Vec::as_slice);
        ConversationState::stored(None, of.iter().copied(), 0)
    }

    /// Whether somebody blocks there.
    #[must_use]
    pub fn is_blocked(&self, conversation: ConversationId) -> bool {
        self.read().contains_key(&conversation)
    }

    /// Somebody blocks since there, or does no more.
    pub fn set(&self, conversation: ConversationId, by: UserId, since: Option<Position>) {
        let mut all = self.write();
        let blocks = all.entry(conversation).or_default();
        blocks.retain(|(user, _)| *user != by);
        blocks.extend(since.map(|since| (by, since)));
        if blocks.is_empty() {
            all.remove(&conversation);
        }
    }

    // Nothing under the lock can panic half-way.

    fn read(&self) -> RwLockReadGuard<'_, ByConversation> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, ByConversation> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
