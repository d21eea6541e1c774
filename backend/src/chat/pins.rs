//! The pinned messages of a conversation: the store's, carried on by what memory has, like every page.

use std::collections::{HashMap, HashSet};

use milena_domain::limits::PINS_MAX;
use milena_domain::record::Action;
use milena_domain::{ConversationId, Position, UserId};

use super::Chat;
use super::history::MemoryOf;
use super::rooms::Place;
use crate::live::life::Shown;
use crate::refusal::Refusal;

/// Pinned messages.
#[derive(Debug, Clone)]
pub struct Pins {
    /// The newest pin first.
    pub messages: Vec<Shown>,
    /// No pin that was accepted can be missing.
    pub complete: bool,
}

impl Chat {
    /// The messages of a conversation that are pinned and that `user` may see, the newest pin first.
    ///
    /// # Errors
    /// As [`Chat::history`].
    pub async fn pins(
        &self,
        user: UserId,
        conversation: ConversationId,
        limit: usize,
    ) -> Result<Pins, Refusal> {
        let is_room = self.place(user, conversation).await? == Place::Room;
        let MemoryOf { unflushed, visible, changes, last, is_complete: in_memory } =
            self.in_memory((user, is_room), conversation).await?;
        // What memory says last of each message: it may be pinned, or pinned no more.
        let mut said: HashMap<Position, Option<Position>> = HashMap::new();
        for event in &unflushed {
            match &event.event().action {
                Action::Pinned { target, on } => {
                    said.insert(target.position, on.then(|| event.position()));
                }
                Action::Deleted { target, .. } => drop(said.insert(target.position, None)),
                _ => {}
            }
        }
        let most = limit.max(PINS_MAX) + said.len();
        let stored = self.store.pins(conversation, &visible.0, most, &[user]).await?;
        let mut messages: Vec<Shown> = stored.into_iter().map(|now| Shown::stored(now, user)).collect();
        messages.iter_mut().for_each(|shown| changes.apply(shown, user));
        let known: HashSet<Position> = messages.iter().map(|shown| shown.placed.position).collect();
        let mut others: Vec<(Position, Position)> = said
            .into_iter()
            .filter(|(place, _)| !known.contains(place) && visible.contains(*place))
            .filter_map(|(place, pinned)| Some((pinned?, place)))
            .collect();
        others.sort_unstable();
        let others: Vec<Position> = others.into_iter().rev().take(limit).map(|(_, place)| place).collect();
        messages.extend(self.at_places(user, conversation, &others, &unflushed, &changes).await?);
        let pinned = |shown: &Shown| shown.life.as_ref().and_then(|life| life.pinned);
        messages.retain(|shown| pinned(shown).is_some());
        messages.sort_unstable_by_key(|shown| std::cmp::Reverse(pinned(shown)));
        messages.truncate(limit);
        let newest = messages.iter().map(Shown::changed).max();
        self.is_still_theirs((user, is_room), conversation, last, newest).await?;
        Ok(Pins { messages, complete: in_memory && self.health.is_current() })
    }
}
