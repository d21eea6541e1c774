//! Whether a message is still to be told to somebody who does not look: asked just before it is.
//!
//! The answer is that of history, the store with what memory has beyond it: who has left, was removed, has
//! blocked or been blocked, or has read it, is told nothing; of what was deleted nothing is told, and of what
//! was edited the newest words. What is asked here, nobody has to remember in between.

use std::sync::Arc;

use milena_domain::record::{Action, Placed};
use milena_domain::{ConversationId, Epoch, MessageId, Position, UserId};

use super::Chat;
use super::history::{Changes, MemoryOf};
use super::rooms::Place;
use crate::live::life::Shown;
use crate::log::event::message;
use crate::log::recent::Delivered;
use crate::refusal::Refusal;

/// A message that somebody has not read.
#[derive(Debug, Clone)]
pub(crate) struct ToTell {
    /// As it is now.
    pub(crate) placed: Arc<Placed>,
    /// The room's title; `None` between two people.
    pub(crate) room: Option<String>,
    /// Whether it answers a message of theirs.
    pub(crate) answers: bool,
}

impl Chat {
    /// Whether this node has read a partition up to there, and knows that the store has it.
    pub(crate) fn is_settled_up_to(&self, partition: i32, next_offset: i64) -> bool {
        let read =
            usize::try_from(partition).ok().and_then(|at| self.progress.borrow().read.get(at).copied());
        read.is_some_and(|read| read >= next_offset) && self.recent().stored_next(partition) >= next_offset
    }

    /// A place of this epoch.
    pub(crate) fn place_of(&self, offset: i64) -> Position {
        Position::new(self.epoch, offset)
    }

    /// The message with this id at this place, if it counts, `user` may see it, and has not read it.
    ///
    /// # Errors
    /// What looking may answer, all of them temporary.
    pub(crate) async fn still_to_tell(
        &self,
        user: UserId,
        (conversation, place): (ConversationId, Position),
        id: MessageId,
    ) -> Result<Option<ToTell>, Refusal> {
        let is_room = match self.place(user, conversation).await {
            Ok(of) => of == Place::Room,
            Err(refusal) if refusal.code.is_temporary() => return Err(refusal),
            // They are not in it any more.
            Err(_) => return Ok(None),
        };
        if !is_room && self.blocks.is_blocked(conversation) {
            return Ok(None);
        }
        let MemoryOf { unflushed, visible, changes, last, is_complete: _ } =
            match self.in_memory((user, is_room), conversation).await {
                Ok(memory) => memory,
                Err(refusal) if refusal.code.is_temporary() => return Err(refusal),
                Err(_) => return Ok(None),
            };
        if !visible.contains(place) {
            return Ok(None);
        }
        let shown = self.at_places(user, conversation, &[place], &unflushed, &changes).await?;
        // A record that repeats another has no place of its own: there is nothing.
        let is_it = |shown: &Shown| shown.placed.event.id == id && !shown.is_deleted();
        let Some(shown) = shown.into_iter().next().filter(is_it) else { return Ok(None) };
        // Who has written since has read.
        let has_written = unflushed.iter().any(|event| {
            event.position() > place && event.event().actor == user && message(event.event()).is_some()
        });
        if has_written || self.has_read_up_to(user, conversation, place).await? {
            return Ok(None);
        }
        let answers = self.answers_to(user, conversation, &shown, &unflushed, &changes).await?;
        match self.is_still_theirs((user, is_room), conversation, last, Some(Shown::changed(&shown))).await {
            Ok(()) => {}
            Err(refusal) if refusal.code.is_temporary() => return Err(refusal),
            Err(_) => return Ok(None),
        }
        let room = self.rooms().view(conversation, user).map(|view| view.room.title.to_string());
        Ok(Some(ToTell { placed: shown.placed, room: room.filter(|_| is_room), answers }))
    }

    async fn has_read_up_to(
        &self,
        user: UserId,
        conversation: ConversationId,
        place: Position,
    ) -> Result<bool, Refusal> {
        // What waits to be written first: a mark that is written meanwhile is in both.
        if self.reads.waiting(user, conversation).is_some_and(|mark| mark >= place) {
            return Ok(true);
        }
        let marks = self.store.read_marks(conversation, &[user]).await?;
        if marks.get(&user).is_some_and(|mark| *mark >= place) {
            return Ok(true);
        }
        // Memory may have let go of what they wrote as soon as the store had it.
        Ok(self.store.has_written_after(user, conversation, place).await?)
    }

    async fn answers_to(
        &self,
        user: UserId,
        conversation: ConversationId,
        shown: &Shown,
        unflushed: &[Arc<Delivered>],
        changes: &Changes,
    ) -> Result<bool, Refusal> {
        let Action::Message(said) = &shown.placed.event.action else { return Ok(false) };
        let Some(target) = &said.reply_to else { return Ok(false) };
        let first = self.at_places(user, conversation, &[target.position], unflushed, changes).await?;
        Ok(first.first().is_some_and(|first| first.placed.event.actor == user))
    }

    /// The log's generation, and its partitions.
    pub(crate) const fn log_shape(&self) -> (Epoch, usize) {
        (self.epoch, self.partitions)
    }
}
