//! Read positions: told at once to the user's other sockets and to the other person, on whichever node they
//! are ([`crate::signals`]); written to the store about once a second.
//!
//! They only grow, so a hundred marks of one conversation are one write, and while the database is away only
//! the newest of each waits. A conversation that the consumer has not created yet keeps its mark waiting too,
//! until the consumer is past the mark: a conversation that is not stored then has nothing that the mark
//! could be about (notes to self before the first one, a conversation whose only send failed).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use milena_domain::{ConversationId, Position, UserId, partition_of};
use milena_storage::{ReadMark, StorageError, Store};
use tokio_util::sync::CancellationToken;

use super::Chat;
use super::resume::before;
use crate::refusal::Refusal;
use crate::registry::ConnectionId;

/// Marks that may wait, at most; beyond, new conversations' marks are dropped until the database is back. The
/// worst that follows is an unread badge that comes back.
const MAX_WAITING: usize = 200_000;
/// Marks written in one transaction.
const CHUNK: usize = 500;

/// Marks that the store does not have yet.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Written by connections and requests, emptied by the flusher; locked for the length of a map operation.
    waiting: Mutex<HashMap<(UserId, ConversationId), Position>>,
}

impl Reads {
    /// Adds a mark. `false` when it is not news.
    fn add(&self, user: UserId, conversation: ConversationId, position: Position) -> bool {
        let mut waiting = self.lock();
        let full = waiting.len() >= MAX_WAITING;
        match waiting.get_mut(&(user, conversation)) {
            Some(known) if *known >= position => false,
            Some(known) => {
                *known = position;
                true
            }
            None => {
                if !full {
                    waiting.insert((user, conversation), position);
                }
                true
            }
        }
    }

    /// The mark of one conversation, if the store does not have it yet.
    #[must_use]
    pub(super) fn waiting(&self, user: UserId, conversation: ConversationId) -> Option<Position> {
        self.lock().get(&(user, conversation)).copied()
    }

    /// Writes one person's marks now, so that a list that is read next counts with them. Failing is harmless.
    pub(super) async fn flush_user(&self, store: &Store, user: UserId, passed: &impl Fn(&ReadMark) -> bool) {
        let marks = self.marks(|mark| mark.user == user);
        if !marks.is_empty() {
            // What could not be written goes with the next flush.
            let _ = self.write(store, &marks, passed).await;
        }
    }

    /// Writes everything, until the database does not answer.
    pub(super) async fn flush(&self, store: &Store, passed: &impl Fn(&ReadMark) -> bool) {
        let marks = self.marks(|_| true);
        for chunk in marks.chunks(CHUNK) {
            if let Err(error) = self.write(store, chunk, passed).await {
                log::debug!(error:% = error; "read positions wait for the database");
                return;
            }
        }
    }

    fn marks(&self, wanted: impl Fn(&ReadMark) -> bool) -> Vec<ReadMark> {
        let waiting = self.lock();
        let mut marks: Vec<ReadMark> = waiting
            .iter()
            .map(|(&(user, conversation), &position)| ReadMark { user, conversation, position })
            .filter(|mark| wanted(mark))
            .collect();
        // One order for all writers, so that two nodes do not deadlock on each other's rows.
        marks.sort_by_key(|mark| (mark.conversation, mark.user));
        marks
    }

    /// Marks stay in memory until they are written: whoever awaits this may go away in the middle of it.
    ///
    /// `passed` says whether the store has everything up to a mark.
    async fn write(
        &self,
        store: &Store,
        marks: &[ReadMark],
        passed: &impl Fn(&ReadMark) -> bool,
    ) -> Result<(), StorageError> {
        // Asked first: what was stored before the marks were tried cannot appear afterwards.
        let passed: Vec<bool> = marks.iter().map(passed).collect();
        let written = store.advance_reads(marks).await?;
        let mut waiting = self.lock();
        for ((mark, written), passed) in marks.iter().zip(written).zip(passed) {
            let key = (mark.user, mark.conversation);
            if (written || passed) && waiting.get(&key) == Some(&mark.position) {
                waiting.remove(&key);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(UserId, ConversationId), Position>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the last write may take when the program stops.
const LAST_FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Between attempts to write what waits for its conversation to be stored.
const LAST_FLUSH_AGAIN: Duration = Duration::from_millis(100);

/// Writes what waits, until `stop`, and once more then: also marks in conversations that the consumer has yet
/// to store.
pub(super) async fn flush_regularly(chat: Chat, interval: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let write = async {
        loop {
            ticks.tick().await;
            chat.reads.flush(&chat.store, &|mark| chat.is_stored_up_to(mark)).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = write => {}
    }
    let last = async {
        loop {
            chat.reads.flush(&chat.store, &|mark| chat.is_stored_up_to(mark)).await;
            if chat.reads.lock().is_empty() {
                break;
            }
            tokio::time::sleep(LAST_FLUSH_AGAIN).await;
        }
    };
    if tokio::time::timeout(LAST_FLUSH_TIMEOUT, last).await.is_err() {
        log::warn!("the last read positions were not written; some messages will look unread again");
    }
}

impl Chat {
    /// Whether the store has all of the conversation up to the mark. What a conversation has of earlier
    /// epochs, it has.
    pub(super) fn is_stored_up_to(&self, mark: &ReadMark) -> bool {
        let partition = partition_of(mark.conversation, self.partitions);
        mark.position.epoch_number() < self.epoch.get()
            || self.recent().stored_next(partition) > mark.position.offset()
    }

    /// `user` has read `conversation` up to `position`; `connection` is the socket that said so.
    ///
    /// A position beyond the newest message counts as the newest, so that it cannot hide what comes later.
    ///
    /// # Errors
    /// `unknown_conversation`, or `store_unavailable` when the database is needed and away.
    pub async fn mark_read(
        &self,
        user: UserId,
        conversation: ConversationId,
        position: Position,
        connection: Option<ConnectionId>,
    ) -> Result<(), Refusal> {
        let place = self.place(user, conversation).await?;
        let position = position.min(self.newest_shown(conversation));
        if self.reads.add(user, conversation, position) {
            self.tell_read(user, (conversation, place), position, connection).await;
        }
        Ok(())
    }

    /// The newest place of the conversation's partition that anybody was shown: nobody has more.
    pub(super) fn newest_shown(&self, conversation: ConversationId) -> Position {
        // A burst shows its messages one by one and says at its end how far it went: who has read one
        // already waits for that, or the mark would be taken for one beyond the newest.
        let _no_burst = self.recent();
        let partition = partition_of(conversation, self.partitions) as usize;
        let next = self.progress.borrow().shown.get(partition).copied().unwrap_or(0);
        before(Position::new(self.epoch, next))
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::Epoch;

    use super::*;

    #[test]
    fn marks_only_grow() {
        let reads = Reads::default();
        let user = UserId::new();
        let conversation = ConversationId::direct(user, user);
        let at = |offset| Position::new(Epoch::FIRST, offset);
        assert!(reads.add(user, conversation, at(5)));
        assert!(!reads.add(user, conversation, at(3)));
        assert!(reads.add(user, conversation, at(9)));
        assert_eq!(reads.waiting(user, conversation), Some(at(9)));
        assert_eq!(reads.marks(|_| true).len(), 1);
        assert_eq!(reads.marks(|mark| mark.user != user).len(), 0);
    }

    /// Notes to self before the first one: there is nobody in the store whose mark it could be.
    #[tokio::test]
    async fn a_mark_of_nothing_leaves_memory_when_the_store_is_past_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = milena_settings::Settings::defaults().database;
        let path = folder.path().join("store.db");
        settings.url = milena_settings::Secret::new(format!("sqlite:{}?mode=rwc", path.display()));
        let store = Store::connect(&settings).await.unwrap();
        store.migrate().await.unwrap();
        let reads = Reads::default();
        let user = UserId::new();
        let conversation = ConversationId::direct(user, user);
        reads.add(user, conversation, Position::new(Epoch::FIRST, 5));
        reads.flush(&store, &|_| false).await;
        assert!(reads.waiting(user, conversation).is_some(), "its first note may be on the way");
        reads.flush(&store, &|mark| mark.position < Position::new(Epoch::FIRST, 6)).await;
        assert_eq!(reads.waiting(user, conversation), None);
    }
}
