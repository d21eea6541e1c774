//! Who may see whom: what stands between a client's wish to watch somebody and [`crate::presence`].
//!
//! Nobody learns anything of people with whom they share no conversation, unless those want everybody to: of
//! whom one may not see, there is as little to be seen as of somebody who was never here.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use milena_domain::{ConversationId, UserId};
use milena_storage::{Audience, Store, StoredPresence};

use super::Chat;
use super::rooms::Place;
use crate::batched::Batched;
use crate::presence::Presence;
use crate::refusal::Refusal;
use crate::registry::ConnectionId;

/// Nobody is told who writes in larger rooms.
const TYPING_MEMBERS_MAX: u32 = 250;
/// Between attempts to find out whether somebody wants to be seen.
const APPEAR_AGAIN: Duration = Duration::from_secs(5);

/// People of one query.
const MOST: usize = 200;

/// How people want to be seen, asked of the store for many at once.
pub(super) fn appearances(store: Store) -> Arc<Batched<UserId, StoredPresence>> {
    Arc::new(Batched::new(MOST, move |users: Vec<UserId>| {
        let store = store.clone();
        async move { store.presence_of(&users).await }.boxed()
    }))
}

impl Chat {
    /// Who is here.
    #[must_use]
    pub fn presence(&self) -> &Presence {
        self.signals.presence()
    }

    /// Lets somebody who has just connected be seen, if they want to be; while the store cannot say, they are
    /// not.
    ///
    /// # Errors
    /// None; it goes on until the store has answered.
    pub async fn appear(&self, user: UserId) -> Result<(), Refusal> {
        loop {
            match self.appearances.get(user).await {
                Ok(stored) => {
                    let stored = stored.unwrap_or_default();
                    self.presence().appear(user, stored.hidden);
                    return Ok(());
                }
                Err(_) => tokio::time::sleep(APPEAR_AGAIN).await,
            }
        }
    }

    /// How somebody wants to be seen.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn presence_settings(&self, user: UserId) -> Result<StoredPresence, Refusal> {
        Ok(self.store.presence_of(&[user]).await?.remove(&user).unwrap_or_default())
    }

    /// How somebody wants to be seen from now on, on all nodes.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn set_presence(&self, user: UserId, hidden: bool, audience: Audience) -> Result<(), Refusal> {
        self.store.set_presence(user, hidden, audience).await?;
        self.presence().hide(user, hidden);
        Ok(())
    }

    /// What a socket watches from now on: of these people and conversations those that are its person's
    /// business.
    ///
    /// # Errors
    /// `store_unavailable`: then it watches what it watched before.
    pub async fn watch(
        &self,
        user: UserId,
        connection: ConnectionId,
        users: Vec<UserId>,
        conversations: Vec<ConversationId>,
    ) -> Result<(), Refusal> {
        // Each costs look-ups.
        let _turn = self.turns.of(user).await;
        let mut open = Vec::with_capacity(conversations.len());
        for conversation in conversations {
            match self.place(user, conversation).await {
                Ok(_) => open.push(conversation),
                Err(refusal) if refusal.code.is_temporary() => return Err(refusal),
                Err(_) => {}
            }
        }
        let stored = self.store.presence_of(&users).await?;
        let audience = |other: &UserId| stored.get(other).copied().unwrap_or_default().audience;
        let shared = users.iter().copied().filter(|other| audience(other) == Audience::Shared);
        let shared = self.acquainted(user, shared.collect()).await?;
        let (seen, unseen): (Vec<_>, Vec<_>) = users.into_iter().partition(|other| {
            let may_see = match audience(other) {
                Audience::Everybody => true,
                Audience::Shared => shared.contains(other),
                Audience::Nobody => false,
            };
            may_see || *other == user
        });
        let last_seen = |other| stored.get(&other).and_then(|presence| presence.seen_at);
        self.presence().watch(connection, seen, unseen, open, last_seen);
        Ok(())
    }

    /// With whom of these `user` shares a conversation, as far as this node and the store know, and no block.
    async fn acquainted(&self, user: UserId, others: Vec<UserId>) -> Result<HashSet<UserId>, Refusal> {
        let rooms: HashSet<ConversationId> = self.registry.known_rooms_of(user).into_iter().collect();
        let direct = |other| ConversationId::direct(user, other);
        let others = others.into_iter().filter(|other| !self.blocks.is_blocked(direct(*other)));
        let (known, unknown): (Vec<UserId>, Vec<UserId>) = others.partition(|other| {
            self.recent().people(direct(*other)).is_some()
                || self.registry.known_rooms_of(*other).iter().any(|room| rooms.contains(room))
        });
        let mut known: HashSet<UserId> = known.into_iter().collect();
        if !unknown.is_empty() {
            known.extend(self.store.acquainted(user, &unknown).await?);
        }
        Ok(known)
    }

    /// Somebody writes in a conversation, or not any more: for those who have it open, if it is small.
    ///
    /// # Errors
    /// What finding out whether they are in it may answer.
    pub async fn typing(&self, user: UserId, conversation: ConversationId, on: bool) -> Result<(), Refusal> {
        let may_be_told = match self.place(user, conversation).await? {
            Place::Direct(other) => other != user && !self.blocks.is_blocked(conversation),
            Place::Room => self.member(user, conversation)?.room.members <= TYPING_MEMBERS_MAX,
        };
        if may_be_told {
            self.presence().typing(user, conversation, on);
        }
        Ok(())
    }
}
