//! Reading a conversation: membership, then memory, then the store, then one page of both.

use std::sync::Arc;

use milena_domain::record::{History as RoomHistory, Placed};
use milena_domain::{ConversationId, UserId, partition_of};
use milena_storage::Page;
use milena_timeline::Void;

use super::Chat;
use super::page::{MergedPage, StoredPage, merge};
use super::rooms::{Place, Visible, visible};
use crate::log::event::message;
use crate::log::recent::Delivered;
use crate::refusal::{Code, Refusal};

/// What of a conversation is on a page; with one other person it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All that happened.
    Events,
    /// Messages alone.
    Messages,
}

/// A page of history.
#[derive(Debug, Clone)]
pub struct History {
    /// Oldest first: messages, and in rooms everything else that happened.
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
        self.page_of(user, Wanted::Events, conversation, page, limit).await
    }

    /// The same, of messages only: what else happened in a room is passed over.
    ///
    /// # Errors
    /// As [`Chat::history`].
    pub async fn messages(
        &self,
        user: UserId,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<History, Refusal> {
        self.page_of(user, Wanted::Messages, conversation, page, limit).await
    }

    async fn page_of(
        &self,
        user: UserId,
        wanted: Wanted,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<History, Refusal> {
        let is_room = self.place(user, conversation).await? == Place::Room;
        let (page, in_memory) =
            self.store_and_memory((user, is_room), wanted, conversation, page, limit).await?;
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
        (user, is_room): (UserId, bool),
        wanted: Wanted,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<(MergedPage, bool), Refusal> {
        // Memory first: what leaves it between the two reads is in the store by then, never in neither.
        let read = self.read_up_to(conversation).before();
        let (unflushed, in_memory) = {
            let recent = self.recent();
            let unflushed = recent.unflushed(conversation);
            (unflushed, recent.is_complete(partition_of(conversation, self.partitions)))
        };
        let (stored, unflushed) = if is_room {
            let last = unflushed.last().map_or(read, |newest| newest.position().max(read));
            let visible = self.visible_to(user, conversation, &unflushed).await?.until(last);
            let stored = match wanted {
                Wanted::Events => self.lookups.timeline(conversation, page, limit, &visible.0).await?,
                Wanted::Messages => {
                    self.lookups.messages_within(conversation, page, limit, &visible.0).await?
                }
            };
            let mut unflushed = unflushed;
            unflushed.retain(|event| {
                let is_wanted = wanted == Wanted::Events || message(event.event()).is_some();
                is_wanted && visible.contains(event.position())
            });
            (StoredPage::from(stored), unflushed)
        } else {
            (StoredPage::from(self.lookups.history(conversation, page, limit).await?), unflushed)
        };
        let unflushed = unflushed.iter().map(|message| Arc::clone(&message.placed)).collect();
        Ok((merge(page, limit, stored, unflushed), in_memory))
    }

    /// What `user` may see of a room that is followed, up to what this node had read when it was called: that
    /// far they are seen to be a member. The store may go on while it is asked, and have their going by then,
    /// and what came after it.
    async fn visible_to(
        &self,
        user: UserId,
        room: ConversationId,
        unflushed: &[Arc<Delivered>],
    ) -> Result<Visible, Refusal> {
        let Some(view) = self.rooms().view(room, user) else {
            return Err(Refusal::later(Code::Overloaded, "the room is not known here at the moment", 500));
        };
        if view.standing.membership.is_none() {
            return Err(Void::NotMember.into());
        }
        match view.room.history {
            RoomHistory::SinceJoin => {
                let stored = self.lookups.intervals_of(room, user).await?;
                Ok(visible(RoomHistory::SinceJoin, user, &stored, unflushed))
            }
            RoomHistory::All => Ok(Visible::all()),
        }
    }
}
