//! How many are here in large rooms: told instead of who they are, to those who have such a room open.
//!
//! Counted at most every [`COUNTED_LASTS`] a room, however many look on, and only while somebody does; told
//! again only when it has changed. Whoever lets nobody see whether they are here is not counted, and whoever
//! hides is not here: from the numbers nothing follows of them. While the database cannot say who that is,
//! nothing is told.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use milena_domain::{ConversationId, UserId};
use milena_storage::StorageError;
use moka::future::Cache;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Chat;
use crate::live::{HereCount, News};
use crate::registry::ConnectionId;

/// Between two looks at what has changed.
const EVERY: Duration = Duration::from_secs(5);
/// A little less, so that each look counts.
const COUNTED_LASTS: Duration = Duration::from_secs(4);
/// Who comes and goes in a room changes its numbers too, and those who let nobody see them.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Rooms whose numbers are remembered, at most.
const ROOMS: u64 = 10_000;

/// What was counted and told lately.
pub(super) struct Here {
    /// Whoever needs the same number waits for whoever counts.
    counted: Cache<ConversationId, HereCount>,
    /// Members who let nobody see whether they are here.
    unseen: Cache<ConversationId, Arc<HashSet<UserId>>>,
    /// What all who look on were told; only of rooms that somebody looks at.
    told: Mutex<HashMap<ConversationId, HereCount>>,
}

impl Default for Here {
    fn default() -> Self {
        Self {
            counted: Cache::builder().max_capacity(ROOMS).time_to_live(COUNTED_LASTS).build(),
            unseen: Cache::builder().max_capacity(ROOMS).time_to_live(LOOK_AGAIN).build(),
            told: Mutex::default(),
        }
    }
}

impl Here {
    /// Whether those who look at the room are to be told this; they are from now on.
    fn is_news(&self, room: ConversationId, count: HereCount) -> bool {
        self.lock().insert(room, count) != Some(count)
    }

    /// Somebody alone was told this. If it is something else than what the others were told, all are told
    /// what is so then.
    fn told_one(&self, room: ConversationId, count: HereCount) {
        let mut told = self.lock();
        if told.get(&room) != Some(&count) {
            told.remove(&room);
        }
    }

    fn keep(&self, rooms: &HashSet<ConversationId>) {
        self.lock().retain(|room, _| rooms.contains(room));
    }

    // Nothing under the lock can panic half-way, so a poisoned lock still guards a consistent map.
    fn lock(&self) -> MutexGuard<'_, HashMap<ConversationId, HereCount>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chat {
    /// How many are here in a large room; `None` of any other, or when that cannot be told.
    async fn here_in(&self, room: ConversationId) -> Option<HereCount> {
        if !self.is_large(room) {
            return None;
        }
        let counted = self.here.counted.try_get_with(room, async {
            let unseen = async { self.store.unseen_members(room).await.map(Arc::new) };
            let unseen = self.here.unseen.try_get_with(room, unseen).await?;
            let members: Vec<UserId> = {
                let rooms = self.rooms();
                let members = rooms.get(room).into_iter().flat_map(|loaded| loaded.state().members());
                members.map(|(user, _)| user).filter(|user| !unseen.contains(user)).collect()
            };
            Ok::<_, Arc<StorageError>>(self.presence().count(&members))
        });
        match counted.await {
            Ok(count) => Some(count),
            Err(error) => {
                log::debug!(error:%; "how many are here waits for the database");
                None
            }
        }
    }

    /// Whether counts are told of the room instead of people, and who does not show it is told that something
    /// happened, not what.
    #[must_use]
    pub fn is_large(&self, room: ConversationId) -> bool {
        let rooms = self.rooms();
        let members = rooms.get(room).and_then(|loaded| loaded.state().room()).map(|room| room.members);
        members.is_some_and(|members| members > self.presence_members_max)
    }

    /// Tells a socket that has just opened these rooms how many are here in the large ones.
    pub(super) async fn tell_here_to(&self, connection: ConnectionId, rooms: &[ConversationId]) {
        for room in rooms {
            if let Some(count) = self.here_in(*room).await {
                self.here.told_one(*room, count);
                self.registry.deliver_to(connection, News::Here { conversation: *room, count }.into());
            }
        }
    }

    /// Tells those who look at large rooms what has changed there.
    async fn tell_who_looks_on(&self) {
        let rooms = self.presence().watched_conversations();
        self.here.keep(&rooms);
        for room in rooms {
            // What was counted for somebody a moment ago may be from before the last change.
            self.here.counted.invalidate(&room).await;
            if let Some(count) = self.here_in(room).await
                && self.here.is_news(room, count)
            {
                self.presence().show_here(room, count);
            }
        }
    }
}

/// Tells those who look at large rooms what has changed there, until `stop`.
pub(super) async fn keep_counting(chat: Chat, stop: CancellationToken) {
    let (mut seen, mut again_at) = (None, Instant::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(EVERY) => {}
        }
        let (changes, now) = (Some(chat.presence().changes()), Instant::now());
        if seen == changes && now < again_at {
            continue;
        }
        (seen, again_at) = (changes, now + LOOK_AGAIN);
        chat.tell_who_looks_on().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_told_again_when_somebody_was_told_something_else() {
        let here = Here::default();
        let room = ConversationId::from_uuid(uuid::Uuid::from_u128(1));
        let count = |online| HereCount { online, away: 0 };
        assert!(here.is_news(room, count(3)));
        assert!(!here.is_news(room, count(3)));
        here.told_one(room, count(3));
        assert!(!here.is_news(room, count(3)));
        here.told_one(room, count(4));
        assert!(here.is_news(room, count(3)), "whoever was told of four has to hear of three");
        here.keep(&HashSet::new());
        assert!(here.is_news(room, count(3)));
    }
}
