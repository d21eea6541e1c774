//! Reading a conversation: membership, then memory, then the store, then one page of both.

use std::sync::Arc;

use milena_domain::record::Placed;
use milena_domain::{ConversationId, UserId, partition_of};
use milena_storage::Page;

use super::Chat;
use super::page::{MergedPage, merge};
use crate::refusal::Refusal;

/// A page of history.
#[derive(Debug, Clone)]
pub struct History {
    /// Oldest first.
    pub messages: Vec<Arc<Placed>>,
    /// There are older ones.
    pub has_before: bool,
    /// There are newer ones.
    pub has_after: bool,
    /// No accepted message can be missing.
    pub complete: bool,
}

impl Chat {
    /// A page of a conversation that `user` is in.
    ///
    /// # Errors
    /// `unknown_conversation`, or `store_unavailable` when the database is away.
    pub async fn history(
        &self,
        user: UserId,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<History, Refusal> {
        self.other_in(user, conversation).await?;
        let (page, in_memory) = self.store_and_memory(conversation, page, limit).await?;
        Ok(History {
            messages: page.messages,
            has_before: page.has_before,
            has_after: page.has_after,
            complete: in_memory && self.health.is_current(),
        })
    }

    /// A page, and whether it provably misses nothing that this node delivered before.
    pub(super) async fn store_and_memory(
        &self,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<(MergedPage, bool), Refusal> {
        // Memory first: what leaves it between the two reads is in the store by then, never in neither.
        let (unflushed, in_memory) = {
            let recent = self.recent();
            let unflushed = recent.unflushed(conversation);
            (unflushed, recent.is_complete(partition_of(conversation, self.partitions)))
        };
        let unflushed = unflushed.iter().map(|message| Arc::clone(&message.placed)).collect();
        let stored = self.lookups.history(conversation, page, limit).await?;
        Ok((merge(page, limit, stored, unflushed), in_memory))
    }
}
