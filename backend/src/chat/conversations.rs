//! The conversation list and single conversations, with the other person's name and the unread count.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use milena_domain::record::Placed;
use milena_domain::{ConversationId, Position, UserId};
use milena_storage::{ListCursor, LogPosition, Person};

use super::Chat;
use super::listing::{Entry, assemble};
use crate::log::recent::Delivered;
use crate::refusal::{Code, Refusal};

/// What the store may not have of a conversation.
type Unflushed = (ConversationId, Vec<Arc<Delivered>>);

/// A conversation as its user sees it.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// The other one, or the user for notes to self.
    pub person: Arc<Person>,
    /// The newest message.
    pub last_message: Option<Arc<Placed>>,
    /// Its position.
    pub last_position: Position,
    /// Up to where the user has read.
    pub last_read: Position,
    /// Up to where the other one has read; zero for notes to self.
    pub other_last_read: Position,
    /// Messages of the other after that, up to a maximum.
    pub unread: u32,
}

/// A page of the list.
#[derive(Debug, Clone)]
pub struct ConversationList {
    /// Newest first.
    pub conversations: Vec<Conversation>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<ListCursor>,
    /// No accepted message can be missing from it.
    pub complete: bool,
}

impl Chat {
    /// A page of a person's conversations, newest first.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away.
    pub async fn conversations(
        &self,
        user: UserId,
        before: Option<ListCursor>,
        limit: usize,
    ) -> Result<ConversationList, Refusal> {
        self.reads.flush_user(&self.store, user, &|mark| self.is_stored_up_to(mark)).await;
        // Memory first, then the store: see `history`.
        let (unflushed, in_memory) = {
            let recent = self.recent();
            (recent.unflushed_of(user), recent.is_all_complete())
        };
        let listing = self.store.conversations_of(&self.topic, user, before, limit + 1).await?;
        let store_has_more = listing.conversations.len() > limit;
        let stored: Vec<Entry> =
            listing.conversations.into_iter().take(limit).filter_map(Entry::of_direct).collect();
        let (unlisted, unlisted_log) = self.unlisted(user, &stored, &unflushed, &listing.log).await?;
        let places: HashMap<ConversationId, usize> =
            stored.iter().enumerate().map(|(place, entry)| (entry.id, place)).collect();
        let mut changed = Vec::with_capacity(unflushed.len());
        for (conversation, messages) in unflushed {
            let listed = places.get(&conversation).map(|place| &stored[*place]);
            let log = if listed.is_some() { &listing.log } else { &unlisted_log };
            let Some(mut entry) = listed
                .or_else(|| unlisted.get(&conversation))
                .cloned()
                .or_else(|| unknown_to_store(user, conversation, &messages))
            else {
                continue;
            };
            self.add_waiting_reads(user, &mut entry);
            entry.add_unflushed(user, log, &messages);
            changed.push(entry);
        }
        let (mut page, next) = assemble(stored, changed, before, limit, store_has_more);
        for entry in &mut page {
            self.add_waiting_reads(user, entry);
        }
        let conversations = self.named(page).await?;
        Ok(ConversationList {
            conversations,
            next,
            complete: in_memory && self.health.is_current() && !self.unreadable.is_any(),
        })
    }

    /// One conversation of a person.
    ///
    /// # Errors
    /// `unknown_conversation`, or `store_unavailable` when the database is away.
    pub async fn conversation(&self, user: UserId, id: ConversationId) -> Result<Conversation, Refusal> {
        let other = self.other_in(user, id).await?;
        self.reads.flush_user(&self.store, user, &|mark| self.is_stored_up_to(mark)).await;
        let unflushed = self.recent().unflushed(id);
        let (entry, log) = self.entry(user, id).await?;
        if entry.is_none() && unflushed.is_empty() {
            return Err(Refusal::new(
                Code::UnknownConversation,
                "nobody has written in this conversation yet",
            ));
        }
        let mut entry = entry.unwrap_or_else(|| Entry::unknown_to_store(id, other));
        self.add_waiting_reads(user, &mut entry);
        entry.add_unflushed(user, &log, &unflushed);
        let mut named = self.named(vec![entry]).await?;
        named.pop().ok_or_else(|| Refusal::new(Code::Internal, "something went wrong on the server"))
    }

    /// Read positions of this node that the store does not have yet. To be called before unflushed messages
    /// are added, which count as unread from there on.
    fn add_waiting_reads(&self, user: UserId, entry: &mut Entry) {
        if let Some(position) = self.reads.waiting(user, entry.id) {
            entry.add_read(position);
        }
        if entry.other != user
            && let Some(position) = self.reads.waiting(entry.other, entry.id)
        {
            entry.add_other_read(position);
        }
    }

    /// The conversations with unflushed messages that are not on the page, as the store has them, and how far
    /// it was then: asked for in one go, since there are many when the consumer is behind.
    async fn unlisted(
        &self,
        user: UserId,
        listed: &[Entry],
        unflushed: &[Unflushed],
        log: &LogPosition,
    ) -> Result<(HashMap<ConversationId, Entry>, LogPosition), Refusal> {
        let listed: HashSet<_> = listed.iter().map(|entry| entry.id).collect();
        let missing: Vec<_> = unflushed.iter().map(|(id, _)| *id).filter(|id| !listed.contains(id)).collect();
        if missing.is_empty() {
            return Ok((HashMap::new(), log.clone()));
        }
        let found = self.store.conversations_among(&self.topic, user, &missing).await?;
        let entries = found.conversations.into_iter().filter_map(Entry::of_direct);
        Ok((entries.map(|entry| (entry.id, entry)).collect(), found.log))
    }

    async fn entry(&self, user: UserId, id: ConversationId) -> Result<(Option<Entry>, LogPosition), Refusal> {
        let (summary, log) = self.store.conversation_of(&self.topic, user, id).await?;
        Ok((summary.and_then(Entry::of_direct), log))
    }

    async fn named(&self, entries: Vec<Entry>) -> Result<Vec<Conversation>, Refusal> {
        let people = self.directory.persons(entries.iter().map(|entry| entry.other)).await?;
        Ok(entries
            .into_iter()
            .map(|entry| Conversation {
                id: entry.id,
                person: people.get(&entry.other).map_or_else(|| Arc::new(stranger(entry.other)), Arc::clone),
                last_message: entry.last_message,
                last_position: entry.last_position,
                last_read: entry.last_read,
                other_last_read: entry.other_last_read,
                unread: entry.unread,
            })
            .collect())
    }

    /// Memory, for reading; held for the length of a look-up.
    pub(super) fn recent(&self) -> std::sync::RwLockReadGuard<'_, crate::log::recent::Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown_to_store(user: UserId, id: ConversationId, messages: &[Arc<Delivered>]) -> Option<Entry> {
    let event = messages.last()?.event();
    let other = if event.actor == user { event.to? } else { event.actor };
    Some(Entry::unknown_to_store(id, other))
}

/// Somebody whom the store does not know: after a replay into an empty database, people are not there.
fn stranger(id: UserId) -> Person {
    Person {
        id,
        username: id.to_string(),
        display_name: "Unknown person".to_owned(),
        created_at: milena_domain::Timestamp::from_unix_ms(0),
    }
}
