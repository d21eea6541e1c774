//! What an edited message said before: for its author, and in rooms for moderators and owners, where the
//! consumer keeps it.

use std::collections::BTreeMap;

use milena_domain::record::{Action, Role};
use milena_domain::{Body, ConversationId, Position, Timestamp, UserId};
use milena_timeline::Void;

use super::Chat;
use super::history::MemoryOf;
use super::reactions::no_such_message;
use super::rooms::Place;
use crate::live::life::Shown;
use crate::log::event::message;
use crate::refusal::{Code, Refusal};

/// What a message said.
#[derive(Debug, Clone)]
pub struct Edits {
    /// Oldest first, from the words that it began with to those that it has now: each with its place and
    /// time.
    pub edits: Vec<(Position, Timestamp, Body)>,
    /// There are older ones.
    pub has_before: bool,
    /// None that was accepted can be missing.
    pub complete: bool,
}

impl Chat {
    /// What a message said, the newest before a place, at most `limit`.
    ///
    /// # Errors
    /// As [`Chat::history`]; `not_found` where nothing is kept, for what is no message, was deleted, or is
    /// not theirs to see; `not_permitted` for somebody else's message.
    pub async fn edits(
        &self,
        user: UserId,
        (conversation, place): (ConversationId, Position),
        before: Option<Position>,
        limit: usize,
    ) -> Result<Edits, Refusal> {
        if !self.edits.kept {
            return Err(Refusal::new(Code::NotFound, "what messages said before is not kept here"));
        }
        let is_room = self.place(user, conversation).await? == Place::Room;
        let MemoryOf { unflushed, visible, changes, last, is_complete: in_memory } =
            self.in_memory((user, is_room), conversation).await?;
        let places = [place].into_iter().filter(|place| visible.contains(*place)).collect::<Vec<_>>();
        // As the store has it, and as it is.
        let stored = self.lookups.messages_now(conversation, &places, &[]).await?.pop();
        let now = self.at_places(user, conversation, &places, &unflushed, &changes).await?.pop();
        let Some(now) = now.filter(|now| !now.is_deleted()) else { return Err(no_such_message()) };
        let role = self.rooms().view(conversation, user).and_then(|view| view.standing.membership);
        let moderates = is_room && role.is_some_and(|membership| membership.role >= Role::Moderator);
        if now.placed.event.actor != user && !moderates {
            return Err(Void::NotPermitted.into());
        }
        let (kept, has_before) = self.store.edits_of(conversation, place, before, limit).await?;
        let mut all: BTreeMap<Position, (Timestamp, Body)> = BTreeMap::new();
        let first = match stored {
            Some(stored) => stored.life.is_none_or(|life| life.edited.is_none()).then_some(stored.placed),
            None => {
                let written = unflushed.iter().find(|event| event.position() == place);
                written.map(|event| event.placed().as_ref().clone())
            }
        };
        if let Some(words) = first.as_ref().and_then(|first| message(&first.event)) {
            all.insert(place, (now.placed.event.at, words.body.clone()));
        }
        for event in &unflushed {
            if let Action::Edited { target, body, .. } = &event.event().action
                && target.position == place
            {
                all.insert(event.position(), (event.event().at, body.clone()));
            }
        }
        all.extend(kept.into_iter().map(|edit| (edit.position, (edit.at, edit.body))));
        let mut edits: Vec<_> = all
            .into_iter()
            .filter(|(position, _)| before.is_none_or(|before| *position < before))
            .map(|(position, (at, body))| (position, at, body))
            .collect();
        let more = edits.len().saturating_sub(limit);
        edits.drain(..more);
        self.is_still_theirs((user, is_room), conversation, last, Some(Shown::changed(&now))).await?;
        let complete = in_memory && self.health.is_current();
        Ok(Edits { edits, has_before: has_before || more > 0, complete })
    }
}
