//! The conversation list and single conversations, with the other person's name and the unread count.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use milena_domain::record::Placed;
use milena_domain::tell::{Counts, OfConversation};
use milena_domain::{ConversationId, Position, Timestamp, UserId};
use milena_storage::{ListCursor, LogPosition, Page, Person};

use super::Chat;
use super::listing::{Entry, Of, assemble};
use super::rooms::Place;
use crate::live::rooms::RoomView;
use crate::log::recent::Delivered;
use crate::refusal::{Code, Refusal};

/// What the store may not have of a conversation.
type Unflushed = (ConversationId, Vec<Arc<Delivered>>);

/// A conversation as its user sees it.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// With whom, or in which room.
    pub with: With,
    /// The newest message.
    pub last_message: Option<Arc<Placed>>,
    /// Its position; of a room without messages its creation's.
    pub last_position: Position,
    /// By which the list is sorted.
    pub at: Timestamp,
    /// Up to where the user has read.
    pub last_read: Position,
    /// Messages of others after that, up to a maximum.
    pub unread: u32,
    /// Those among them that name the user, up to as many.
    pub mentions: u32,
    /// Of what the user wants to be told of it, as of now.
    pub notifications: OfConversation,
}

/// What kind of conversation it is.
#[derive(Debug, Clone)]
pub enum With {
    /// Between two people.
    Person {
        /// The other one, or the user for notes to self.
        person: Arc<Person>,
        /// Up to where the other one has read; zero for notes to self.
        last_read: Position,
    },
    /// Of many.
    Room(RoomView),
}

/// A page of the list.
#[derive(Debug, Clone)]
pub struct ConversationList {
    /// Newest first.
    pub conversations: Vec<Conversation>,
    /// Unread messages of these.
    pub totals: Counts,
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
        let rooms = self.all_rooms_of(user).await?;
        // Memory first, then the store: see `history`.
        let (unflushed, in_memory) = {
            let recent = self.recent();
            let mut unflushed = recent.unflushed_of(user);
            let of_rooms = rooms.iter().map(|room| (*room, recent.unflushed(*room)));
            unflushed.extend(of_rooms.filter(|(_, events)| !events.is_empty()));
            (unflushed, recent.is_all_complete())
        };
        let listing = self.store.conversations_of(&self.topic, user, before, limit + 1).await?;
        let store_has_more = listing.conversations.len() > limit;
        let stored: Vec<Entry> = listing.conversations.into_iter().take(limit).map(Entry::from).collect();
        let rooms: HashSet<ConversationId> = rooms.into_iter().collect();
        let (unlisted, unlisted_log) = self.unlisted(user, &stored, &unflushed, &listing.log).await?;
        let places: HashMap<ConversationId, usize> =
            stored.iter().enumerate().map(|(place, entry)| (entry.id, place)).collect();
        let mut added = Vec::with_capacity(unflushed.len());
        for (conversation, messages) in &unflushed {
            let listed = places.get(conversation).map(|place| &stored[*place]);
            let log = if listed.is_some() { &listing.log } else { &unlisted_log };
            let Some(mut entry) = listed.or_else(|| unlisted.get(conversation)).cloned().or_else(|| {
                let is_room = rooms.contains(conversation);
                if is_room {
                    Some(Entry::unknown_room(*conversation))
                } else {
                    unknown_to_store(user, *conversation, messages)
                }
            }) else {
                continue;
            };
            self.add_waiting_reads(user, &mut entry);
            entry.add_unflushed(user, log, messages);
            added.push((entry, log, &messages[..]));
        }
        let changed = self.with_mentions(user, added).await?;
        let (mut page, next) = assemble(stored, changed, before, limit, store_has_more);
        // Whoever went since the consumer was here is not in the room any more.
        page.retain(|entry| !entry.is_room() || rooms.contains(&entry.id));
        for entry in &mut page {
            self.add_waiting_reads(user, entry);
            self.add_last_message(user, entry).await?;
        }
        let conversations = self.named(user, page).await?;
        let now = Timestamp::now();
        let counts =
            conversations.iter().map(|it| Counts::of(&it.notifications, now, it.unread, it.mentions));
        Ok(ConversationList {
            totals: counts.fold(Counts::default(), Counts::plus),
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
        let place = self.place(user, id).await?;
        self.reads.flush_user(&self.store, user, &|mark| self.is_stored_up_to(mark)).await;
        let unflushed = self.recent().unflushed(id);
        let (entry, log) = self.entry(user, id).await?;
        if entry.is_none() && unflushed.is_empty() && place != Place::Room {
            return Err(Refusal::new(
                Code::UnknownConversation,
                "nobody has written in this conversation yet",
            ));
        }
        let mut entry = entry.unwrap_or_else(|| match place {
            Place::Direct(other) => Entry::unknown_to_store(id, other),
            Place::Room => Entry::unknown_room(id),
        });
        self.add_waiting_reads(user, &mut entry);
        entry.add_unflushed(user, &log, &unflushed);
        let mut counted = self.with_mentions(user, vec![(entry, &log, &unflushed)]).await?;
        for entry in &mut counted {
            self.add_last_message(user, entry).await?;
        }
        let mut named = self.named(user, counted).await?;
        named.pop().ok_or_else(|| Refusal::new(Code::Internal, "something went wrong on the server"))
    }

    /// The entries with the unread messages that name `user` counted; each with what memory has beyond its
    /// store's answer. Where an edit or a deletion is among that, the store is asked which they were.
    async fn with_mentions(
        &self,
        user: UserId,
        entries: Vec<(Entry, &LogPosition, &[Arc<Delivered>])>,
    ) -> Result<Vec<Entry>, Refusal> {
        let needs = entries.iter().filter(|(entry, log, events)| entry.needs_mentions(log, events));
        let marks: Vec<(ConversationId, Position)> =
            needs.map(|(entry, ..)| (entry.id, entry.last_read)).collect();
        let asked = match &marks[..] {
            [] => None,
            marks => Some(self.store.mentions_after(&self.topic, user, marks).await?),
        };
        let count = |(mut entry, log, events): (Entry, &LogPosition, &[Arc<Delivered>])| {
            match &asked {
                Some((named, log)) if marks.iter().any(|(id, _)| *id == entry.id) => {
                    let named = named.get(&entry.id).cloned().unwrap_or_default();
                    entry.count_mentions(user, log, Some(named), events);
                }
                _ => entry.count_mentions(user, log, None, events),
            }
            entry
        };
        Ok(entries.into_iter().map(count).collect())
    }

    /// Read positions of this node that the store does not have yet. To be called before unflushed messages
    /// are added, which count as unread from there on.
    fn add_waiting_reads(&self, user: UserId, entry: &mut Entry) {
        if let Some(position) = self.reads.waiting(user, entry.id) {
            entry.add_read(position);
        }
        if let Some(other) = entry.other().filter(|other| *other != user)
            && let Some(position) = self.reads.waiting(other, entry.id)
        {
            entry.add_other_read(position);
        }
    }

    /// The newest message of a room that the store does not list for them yet, because they came just now.
    async fn add_last_message(&self, user: UserId, entry: &mut Entry) -> Result<(), Refusal> {
        if !entry.is_room() || entry.is_listed || entry.last_message.is_some() {
            return Ok(());
        }
        let page = match self.messages(user, entry.id, Page::Latest, 1).await {
            Ok(page) => page,
            // They went meanwhile.
            Err(refusal) if !refusal.code.is_temporary() => return Ok(()),
            Err(refusal) => return Err(refusal),
        };
        if let Some(last) = page.messages.into_iter().next_back() {
            entry.last_position = entry.last_position.max(last.placed.position);
            entry.last_message = Some(last.placed);
        }
        Ok(())
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
        Ok((found.conversations.into_iter().map(|row| (row.id, Entry::from(row))).collect(), found.log))
    }

    async fn entry(&self, user: UserId, id: ConversationId) -> Result<(Option<Entry>, LogPosition), Refusal> {
        let (summary, log) = self.store.conversation_of(&self.topic, user, id).await?;
        Ok((summary.map(Entry::from), log))
    }

    async fn named(&self, user: UserId, entries: Vec<Entry>) -> Result<Vec<Conversation>, Refusal> {
        let people = self.directory.persons(entries.iter().filter_map(Entry::other)).await?;
        let both: Vec<UserId> = entries.iter().filter_map(Entry::other).chain([user]).collect();
        let hidden = self.receipts.hidden_among(&both).await?;
        let ids: Vec<ConversationId> = entries.iter().map(|entry| entry.id).collect();
        let wanted = self.own_notifications_among(user, &ids).await?;
        let rooms = self.rooms();
        Ok(entries
            .into_iter()
            .filter_map(|entry| {
                let with = match entry.of {
                    Of::Person { other, last_read } => {
                        let person = people.get(&other).map(Arc::clone);
                        let person = person.unwrap_or_else(|| Arc::new(stranger(other)));
                        let is_hidden = hidden.contains(&user) || hidden.contains(&other);
                        let last_read = if is_hidden { Position::ZERO } else { last_read };
                        With::Person { person, last_read }
                    }
                    // Whoever was sent away a moment ago has no such conversation.
                    Of::Room => With::Room(rooms.view(entry.id, user)?),
                };
                Some(Conversation {
                    id: entry.id,
                    with,
                    last_message: entry.last_message,
                    last_position: entry.last_position,
                    at: entry.last_sent_at,
                    last_read: entry.last_read,
                    unread: entry.unread,
                    mentions: entry.mentions,
                    notifications: wanted.get(&entry.id).map(|own| own.settings).unwrap_or_default(),
                })
            })
            .collect())
    }

    /// All rooms of somebody, each followed; from now on what changes of them is known here.
    pub(super) async fn all_rooms_of(&self, user: UserId) -> Result<Vec<ConversationId>, Refusal> {
        let expectation = self.registry.expect(user);
        let rooms = self.rooms_of(user).await?;
        if self.registry.rooms_of(user).is_none() {
            let known = self.registry.known_rooms_of(user);
            let all = rooms.iter().copied().chain(known);
            let all: Vec<ConversationId> = {
                let followed = self.rooms();
                all.filter(|room| followed.is_member(*room, user)).collect()
            };
            self.registry.know_rooms(user, all);
        }
        drop(expectation);
        Ok(self.registry.known_rooms_of(user))
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

/// Somebody whom the store does not know: the server itself, which owns the first rooms; and after a replay
/// into an empty database everybody.
pub(crate) fn stranger(id: UserId) -> Person {
    if id == UserId::SERVER {
        return Person {
            id,
            username: "server".to_owned(),
            display_name: "Milena".to_owned(),
            created_at: Timestamp::from_unix_ms(0),
        };
    }
    Person {
        id,
        username: id.to_string(),
        display_name: "Unknown person".to_owned(),
        created_at: Timestamp::from_unix_ms(0),
    }
}
