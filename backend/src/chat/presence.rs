//! Who may see whom: what stands between a client's wish to watch somebody and [`crate::presence`].
//!
//! Nobody learns anything of people with whom they share no conversation, unless those want everybody to: of
//! whom one may not see, there is as little to be seen as of somebody who was never here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use milena_domain::{ConversationId, Timestamp, UserId};
use milena_storage::{Audience, StorageError, Store, StoredPresence};

use super::Chat;
use super::rooms::Place;
use crate::batched::Batched;
use crate::live::{News, Present};
use crate::presence::Presence;
use crate::refusal::Refusal;
use crate::registry::ConnectionId;

/// Between attempts to find out whether somebody wants to be seen.
const APPEAR_AGAIN: Duration = Duration::from_secs(5);

/// People of one query.
const MOST: usize = 200;

/// What the store has of somebody who has just connected.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Appearance {
    /// How they want to be seen.
    presence: StoredPresence,
    /// How often they have changed of what they want to be told.
    revision: u64,
}

/// How people want to be seen, and what they may have missed, asked of the store for many at once.
pub(super) fn appearances(store: Store) -> Arc<Batched<UserId, Appearance>> {
    Arc::new(Batched::new(MOST, move |users: Vec<UserId>| {
        let store = store.clone();
        async move {
            let mut found: HashMap<UserId, Appearance> = HashMap::new();
            for (user, presence) in store.presence_of(&users).await? {
                found.entry(user).or_default().presence = presence;
            }
            for (user, revision) in store.notification_revisions(&users).await? {
                found.entry(user).or_default().revision = revision;
            }
            Ok::<_, StorageError>(found)
        }
        .boxed()
    }))
}

impl Chat {
    /// Who is here.
    #[must_use]
    pub fn presence(&self) -> &Presence {
        self.signals.presence()
    }

    /// Lets somebody who has just connected be seen, if they want to be, and tells the connection how often
    /// they have changed what they want to be told, so that it knows whether it missed that. While the store
    /// cannot say, they are not seen.
    ///
    /// # Errors
    /// None; it goes on until the store has answered.
    pub async fn appear(&self, user: UserId, connection: ConnectionId) -> Result<(), Refusal> {
        loop {
            match self.appearances.get(user).await {
                Ok(stored) => {
                    let Appearance { presence, revision } = stored.unwrap_or_default();
                    self.presence().appear(user, presence.hidden);
                    // Who never changed anything has missed nothing.
                    if revision > 0 {
                        let news = News::Notifications { revision, changed: None };
                        self.registry.deliver_to(connection, news.into());
                    }
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
        let (mut open, mut rooms) = (Vec::with_capacity(conversations.len()), Vec::new());
        for conversation in conversations {
            match self.place(user, conversation).await {
                Ok(place) => {
                    open.push(conversation);
                    rooms.extend((place == Place::Room).then_some(conversation));
                }
                Err(refusal) if refusal.code.is_temporary() => return Err(refusal),
                Err(_) => {}
            }
        }
        let stored = self.store.presence_of(&users).await?;
        let visible = self.visible_among(user, &users, &stored).await?;
        let (seen, unseen): (Vec<_>, Vec<_>) = users.into_iter().partition(|other| visible.contains(other));
        let statuses = self.store.statuses(&seen, Timestamp::now()).await?;
        let last_seen = |other| stored.get(&other).and_then(|presence| presence.seen_at);
        self.presence().watch(connection, seen, unseen, open, last_seen, statuses);
        self.tell_here_to(connection, &rooms).await;
        Ok(())
    }

    /// What is to be seen of these people, as far as `user` may see them.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn presences_for(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<HashMap<UserId, Present>, Refusal> {
        let stored = self.store.presence_of(others).await?;
        let visible = self.visible_among(user, others, &stored).await?;
        let last_seen = |other| stored.get(&other).and_then(|presence| presence.seen_at);
        Ok(visible.into_iter().map(|other| (other, self.presence().shown(other, last_seen(other)))).collect())
    }

    /// Whom of these `user` may see, of whose presence this is `stored`.
    pub(super) async fn visible_among(
        &self,
        user: UserId,
        others: &[UserId],
        stored: &HashMap<UserId, StoredPresence>,
    ) -> Result<HashSet<UserId>, Refusal> {
        let audience = |other: &UserId| stored.get(other).copied().unwrap_or_default().audience;
        let shared = others.iter().copied().filter(|other| audience(other) == Audience::Shared);
        let mut visible = self.acquainted(user, shared.collect()).await?;
        let open = others.iter().filter(|other| audience(other) == Audience::Everybody || **other == user);
        visible.extend(open);
        Ok(visible)
    }

    /// With whom of these `user` shares a conversation, as far as this node and the store know, and no block.
    async fn acquainted(&self, user: UserId, others: Vec<UserId>) -> Result<HashSet<UserId>, Refusal> {
        let rooms: HashSet<ConversationId> = self.registry.known_rooms_of(user).into_iter().collect();
        let direct = |other| ConversationId::direct(user, other);
        let others = others.into_iter().filter(|other| !self.blocks.is_blocked(direct(*other)));
        let (known, unknown): (Vec<UserId>, Vec<UserId>) = others.partition(|other| {
            self.recent().people(direct(*other)).is_some()
                || self.registry.known_rooms_of(*other).iter().any(|room| rooms.contains(room))
                || self.is_in_one_of(*other, &rooms)
        });
        let mut known: HashSet<UserId> = known.into_iter().collect();
        if !unknown.is_empty() {
            known.extend(self.store.acquainted(user, &unknown).await?);
        }
        Ok(known)
    }

    /// Whether somebody, who need not be here, is in one of these rooms, as far as they are followed.
    fn is_in_one_of(&self, user: UserId, rooms: &HashSet<ConversationId>) -> bool {
        let followed = self.rooms();
        rooms.iter().any(|room| followed.is_member(*room, user))
    }

    /// Somebody writes in a conversation, or not any more: for those who have it open, if it is small.
    ///
    /// # Errors
    /// What finding out whether they are in it may answer.
    pub async fn typing(&self, user: UserId, conversation: ConversationId, on: bool) -> Result<(), Refusal> {
        let may_be_told = match self.place(user, conversation).await? {
            Place::Direct(other) => other != user && !self.blocks.is_blocked(conversation),
            Place::Room => self.member(user, conversation)?.room.members <= self.presence_members_max,
        };
        if may_be_told {
            self.presence().typing(user, conversation, on);
        }
        Ok(())
    }
}
