//! Loading rooms, so that the delivery task can follow them ([`crate::live::rooms`]).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use milena_domain::limits::REPEAT_WINDOW_OFFSETS;
use milena_domain::{ConversationId, MessageId, Position, UserId, partition_of};
use milena_timeline::ConversationState;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::chat::Chat;
use crate::live::progress::Progress;
use crate::live::rooms::{Loaded, Rooms};
use crate::log::delivery::{Install, Installed};
use crate::log::recent::Delivered;
use crate::refusal::{Code, Refusal};

/// Rooms that are loaded at the same time, for one person or because somebody was brought into them.
const AT_ONCE: usize = 8;
/// Rooms of one person, at most: admission lets nobody into more.
pub(crate) const ROOMS_OF_ONE_MAX: usize = 2_000;
/// Two admissions at the same moment may let somebody into a few more. Whoever has so many is not served.
const LOOKED_UP_MAX: usize = 2 * ROOMS_OF_ONE_MAX;
/// How often a room is loaded anew because memory had dropped what came since the store's offset.
const ATTEMPTS: usize = 5;
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How long this node may take to read what the store has already.
const CATCH_UP: Duration = Duration::from_secs(5);
/// For how long an answer waits for what is only looked up ahead.
const PREPARE_WITHIN: Duration = Duration::from_secs(1);
/// Before a room is tried again that somebody waits for.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Chat {
    /// The rooms that are followed, for reading; held for the length of a look-up.
    pub(in crate::chat) fn rooms(&self) -> std::sync::RwLockReadGuard<'_, Rooms> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a room followed, if there is one: `false` when there is none.
    ///
    /// # Errors
    /// `store_unavailable` when the database is needed and away, `overloaded` when memory does not hold what
    /// the store lacks, `upgrade_needed` in a conversation that cannot be followed.
    pub(in crate::chat) async fn follow(&self, room: ConversationId) -> Result<bool, Refusal> {
        self.unreadable.check(room)?;
        if self.rooms().contains(room) {
            return Ok(true);
        }
        // Who needs the same room waits for whoever loads it.
        let asked = self.absent.moment();
        let _turn = self.room_turns.of(room).await;
        for _ in 0..ATTEMPTS {
            if self.rooms().contains(room) {
                return Ok(true);
            }
            if self.absent.is_known(room, asked) {
                return Ok(false);
            }
            let began = self.absent.moment();
            match self.load(room).await? {
                Installed::Followed => return Ok(true),
                Installed::NoRoom => {
                    self.absent.found_none(room, began);
                    return Ok(false);
                }
                Installed::Again => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
        Err(behind())
    }

    async fn load(&self, room: ConversationId) -> Result<Installed, Refusal> {
        let (stored, log) = self.lookups.room_at(&self.topic, room).await?;
        if log.epoch != self.epoch {
            return Ok(Installed::Again);
        }
        let partition = partition_of(room, self.partitions);
        let next_offset = log.next_offsets.get(&partition).copied().unwrap_or(0);
        if stored.is_none()
            && let Some(answer) = self.is_unheard_of(room, partition, next_offset)
        {
            return Ok(answer);
        }
        if !self.has_read([(partition, next_offset)]).await {
            return Err(behind());
        }
        let unjudged = self.recent().unjudged(room);
        let place = |event: &Arc<Delivered>| (event.event().id, event.position());
        let waiting: Vec<(MessageId, Position)> = unjudged.iter().map(place).collect();
        let changes = unjudged.iter().filter(|event| event.event().action.target().is_some());
        let changes: Vec<(MessageId, Position)> = changes.map(place).collect();
        let mut loaded = Loaded::new(ConversationState::unwritten(), None, []);
        let mut counted = HashMap::new();
        if let Some(stored) = stored {
            let earliest = waiting.first().map_or(next_offset, |(_, position)| position.offset());
            let first = earliest.min(next_offset.saturating_sub(REPEAT_WINDOW_OFFSETS)).max(0);
            let used = self.lookups.ids_since(room, Position::new(self.epoch, first)).await?;
            // The store may be further by now: what follows is folded from memory.
            let end = Position::new(self.epoch, next_offset);
            let used: Vec<_> = used.into_iter().filter(|(_, position)| *position < end).collect();
            counted.extend(used.iter().copied());
            // Those have no row of the timeline.
            counted.extend(self.counted(&changes, next_offset).await?);
            let mut state = ConversationState::stored(Some(stored.room), [], stored.last_seq);
            state.load_roster(stored.people);
            let last = (stored.last_position.max(stored.folded), stored.last_sent_at);
            loaded = Loaded::new(state, Some(last), used);
        }
        let (reply, answer) = oneshot::channel();
        let install = Install { room, loaded, next_offset, stored: counted, reply };
        let gone = || Refusal::later(Code::ShuttingDown, "the server is shutting down", 1_000);
        self.installs.send(install).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }

    /// What to answer of a room that neither the store nor memory knows; `None` when memory has something of
    /// it that the store has not read.
    /// Asked for whatever might be a room, so it waits for nothing.
    fn is_unheard_of(&self, room: ConversationId, partition: i32, next_offset: i64) -> Option<Installed> {
        let recent = self.recent();
        if recent.all_of(room).iter().any(|event| event.position().offset() >= next_offset) {
            return None;
        }
        // What this node reads from the store's offset on, it has in memory.
        let is_whole = recent.reaches_back_to(partition) <= next_offset;
        Some(if is_whole { Installed::NoRoom } else { Installed::Again })
    }

    /// Waits until this node has read each partition up to there.
    pub(in crate::chat) async fn has_read(&self, next_offsets: impl IntoIterator<Item = (i32, i64)>) -> bool {
        let wanted: Vec<(i32, i64)> = next_offsets.into_iter().collect();
        let mut progress = self.progress.clone();
        let is_there = |progress: &Progress| {
            let has_read = |(partition, next): &(i32, i64)| {
                progress.read.get(*partition as usize).is_some_and(|read| read >= next)
            };
            wanted.iter().all(has_read)
        };
        matches!(tokio::time::timeout(CATCH_UP, progress.wait_for(is_there)).await, Ok(Ok(_)))
    }

    /// Looks up the rooms of somebody who is likely to come soon: then they can even without the database.
    pub async fn look_ahead(&self, user: UserId) {
        if self.registry.rooms_of(user).is_none()
            && let Ok(Err(refusal)) = tokio::time::timeout(PREPARE_WITHIN, self.all_rooms_of(user)).await
        {
            log::debug!(reason = refusal.message.as_str(); "somebody's rooms cannot be looked up ahead");
        }
    }

    /// All rooms of somebody whom this node expects ([`crate::registry::Registry::expect`]), each followed.
    ///
    /// # Errors
    /// As [`Chat::follow`].
    pub(in crate::chat) async fn rooms_of(&self, user: UserId) -> Result<Vec<ConversationId>, Refusal> {
        if let Some(rooms) = self.registry.rooms_of(user) {
            return Ok(rooms);
        }
        // Memory first, then the store: see `history`.
        let (mut candidates, knows_all) = {
            let recent = self.recent();
            (recent.naming(user), recent.knows_all_rooms())
        };
        let (stored, log) = self.lookups.rooms_of(&self.topic, user, LOOKED_UP_MAX).await?;
        if !knows_all {
            // In which rooms somebody is would be a guess, and they would hear nothing of the others.
            return Err(behind());
        }
        // Of a room that they left where this node has not read yet the store says nothing: they would miss
        // what was written there before.
        if log.epoch == self.epoch && !self.has_read(log.next_offsets).await {
            return Err(behind());
        }
        if stored.len() == LOOKED_UP_MAX {
            // To follow a part of them would hide the others.
            return Err(Refusal::later(
                Code::Overloaded,
                "somebody is in more rooms than are followed",
                60_000,
            ));
        }
        candidates.extend(stored);
        candidates.sort_unstable();
        candidates.dedup();
        let followed: Vec<Option<ConversationId>> = stream::iter(candidates)
            .map(|room| async move { Ok::<_, Refusal>(self.follow(room).await?.then_some(room)) })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let rooms = self.rooms();
        Ok(followed.into_iter().flatten().filter(|room| rooms.is_member(*room, user)).collect())
    }
}

fn behind() -> Refusal {
    Refusal::later(Code::Overloaded, "this server has yet to read what happened in the room", 1_000)
}

/// Loads the rooms that the delivery task wants, until `stop`. Each is tried until it is there: its records
/// wait, and with them the cursors of whoever is here.
pub(in crate::chat) async fn load_wanted(
    chat: Chat,
    wanted: mpsc::Receiver<ConversationId>,
    stop: CancellationToken,
) {
    let rooms = stream::unfold(wanted, |mut wanted| async { Some((wanted.recv().await?, wanted)) });
    let load = rooms.for_each_concurrent(AT_ONCE, |room| {
        let chat = &chat;
        async move {
            while let Err(refusal) = chat.follow(room).await {
                if refusal.code == Code::UpgradeNeeded {
                    return;
                }
                log::debug!(room:%, reason = refusal.message.as_str(); "a room waits to be loaded");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    });
    tokio::select! {
        () = stop.cancelled() => {}
        () = load => {}
    }
}
