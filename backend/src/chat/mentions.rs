//! Where somebody is named, across all their conversations: the store's list, carried on by what memory has.
//!
//! The store lists whatever names them; what they may not see (any more) is left out here, so a part may have
//! fewer messages than were asked for, and still more to come.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use milena_domain::record::Action;
use milena_domain::{ConversationId, Position, Timestamp, UserId, partition_of};
use milena_storage::{LogPosition, MentionCursor};

use super::Chat;
use super::history::MemoryOf;
use crate::live::life::Shown;
use crate::log::event::message;
use crate::log::recent::Delivered;
use crate::refusal::{Code, Refusal};

/// Parts of the store's list that are gone through while there is nothing to show.
const ROUNDS: usize = 5;

/// Messages that name somebody.
#[derive(Debug, Clone)]
pub struct Mentions {
    /// Newest first.
    pub messages: Vec<Shown>,
    /// Where to go on; `None` at the end.
    pub next: Option<MentionCursor>,
    /// No accepted message can be missing.
    pub complete: bool,
}

/// What the store may not have of somebody's conversations.
type Unflushed = Vec<(ConversationId, Vec<Arc<Delivered>>)>;

impl Chat {
    /// The messages that name `user`, newest first, of all conversations that they are in, as far as they may
    /// see them.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away.
    pub async fn mentions(
        &self,
        user: UserId,
        before: Option<MentionCursor>,
        limit: usize,
    ) -> Result<Mentions, Refusal> {
        let rooms: HashSet<ConversationId> = self.all_rooms_of(user).await?.into_iter().collect();
        let mut page = self.mentions_of_both(user, &rooms, before, limit).await?;
        for _ in 1..ROUNDS {
            if !page.messages.is_empty() || page.next.is_none() {
                break;
            }
            let complete = page.complete;
            page = self.mentions_of_both(user, &rooms, page.next, limit).await?;
            page.complete &= complete;
        }
        Ok(page)
    }

    async fn mentions_of_both(
        &self,
        user: UserId,
        rooms: &HashSet<ConversationId>,
        before: Option<MentionCursor>,
        limit: usize,
    ) -> Result<Mentions, Refusal> {
        // Memory first, then the store: see `history`.
        let (unflushed, in_memory): (Unflushed, bool) = {
            let recent = self.recent();
            let mut unflushed = recent.unflushed_of(user);
            unflushed.extend(rooms.iter().map(|room| (*room, recent.unflushed(*room))));
            (unflushed, recent.is_all_complete())
        };
        let (stored, has_more, log) = self.store.mentions_of(&self.topic, user, before, limit).await?;
        let end = stored.last().copied().filter(|_| has_more);
        let mut found: BTreeSet<MentionCursor> = stored.into_iter().collect();
        for (conversation, events) in &unflushed {
            let said = self.named_in_memory(user, *conversation, events, &log).await?;
            if !said.is_empty() {
                found.retain(|key| key.conversation != *conversation || !said.contains_key(&key.position));
            }
            let named = said.into_iter().filter_map(|(position, sent_at)| {
                Some(MentionCursor { sent_at: sent_at?, conversation: *conversation, position })
            });
            let is_here = |key: &MentionCursor| {
                before.is_none_or(|before| *key < before) && end.is_none_or(|end| *key >= end)
            };
            found.extend(named.filter(is_here));
        }
        let mut found: Vec<MentionCursor> = found.into_iter().rev().collect();
        let next = if found.len() > limit {
            found.truncate(limit);
            found.last().copied()
        } else {
            end
        };
        let mut places: BTreeMap<ConversationId, Vec<Position>> = BTreeMap::new();
        for key in found {
            places.entry(key.conversation).or_default().push(key.position);
        }
        let (mut messages, mut complete) = (Vec::new(), in_memory && self.health.is_current());
        for (conversation, places) in places {
            match self.named_there(user, rooms, conversation, &places).await {
                Ok((shown, in_memory)) => {
                    messages.extend(shown);
                    complete &= in_memory;
                }
                Err(refusal) if refusal.code == Code::UpgradeNeeded => complete = false,
                // They went meanwhile.
                Err(refusal) if !refusal.code.is_temporary() => {}
                Err(refusal) => return Err(refusal),
            }
        }
        messages.sort_by_key(|shown: &Shown| {
            let event = &shown.placed.event;
            std::cmp::Reverse((event.at, event.conversation, shown.placed.position))
        });
        Ok(Mentions { messages, next, complete })
    }

    /// What memory says of a conversation beyond the store's answer: of each message when it was sent, if it
    /// names `user` now; `None` if it does not.
    async fn named_in_memory(
        &self,
        user: UserId,
        conversation: ConversationId,
        events: &[Arc<Delivered>],
        log: &LogPosition,
    ) -> Result<HashMap<Position, Option<Timestamp>>, Refusal> {
        let stored = log.next_offsets.get(&partition_of(conversation, self.partitions)).copied().unwrap_or(0);
        let mut sent: HashMap<Position, Timestamp> = HashMap::new();
        let mut said: HashMap<Position, bool> = HashMap::new();
        for event in events.iter().filter(|event| event.position().offset() >= stored) {
            match &event.event().action {
                Action::Message(message) => {
                    sent.insert(event.position(), event.event().at);
                    if message.mentions.contains(&user) {
                        said.insert(event.position(), true);
                    }
                }
                Action::Edited { target, mentions, .. } => {
                    said.insert(target.position, mentions.contains(&user));
                }
                Action::Deleted { target, .. } => drop(said.insert(target.position, false)),
                _ => {}
            }
        }
        let is_unknown =
            |(place, named): (&Position, &bool)| (*named && !sent.contains_key(place)).then_some(*place);
        let unknown: Vec<Position> = said.iter().filter_map(is_unknown).collect();
        if !unknown.is_empty() {
            let now = self.lookups.messages_now(conversation, &unknown, &[]).await?;
            sent.extend(now.into_iter().map(|now| (now.placed.position, now.placed.event.at)));
        }
        let named =
            said.into_iter().map(|(place, named)| (place, sent.get(&place).copied().filter(|_| named)));
        Ok(named.collect())
    }

    /// Those of the messages at these places that name `user`, who may see them; and whether it provably
    /// misses nothing that this node delivered before.
    async fn named_there(
        &self,
        user: UserId,
        rooms: &HashSet<ConversationId>,
        conversation: ConversationId,
        places: &[Position],
    ) -> Result<(Vec<Shown>, bool), Refusal> {
        self.unreadable.check(conversation)?;
        let is_room = rooms.contains(&conversation);
        if !is_room {
            // Of a room that they are not in nothing is told.
            self.other_in(user, conversation).await?;
        }
        let MemoryOf { unflushed, visible, changes, last, is_complete: in_memory } =
            self.in_memory((user, is_room), conversation).await?;
        let places: Vec<Position> = places.iter().copied().filter(|place| visible.contains(*place)).collect();
        let mut shown = self.at_places(user, conversation, &places, &unflushed, &changes).await?;
        shown.retain(|shown| {
            message(&shown.placed.event).is_some_and(|message| message.mentions.contains(&user))
        });
        let newest = shown.iter().map(Shown::changed).max();
        self.is_still_theirs((user, is_room), conversation, last, newest).await?;
        Ok((shown, in_memory))
    }
}
