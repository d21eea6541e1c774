//! The conversation list is the store ∪ the tail, like history: the pure part.
//!
//! The store's answer says which records it contains (offsets read in the same snapshot); every later record
//! in memory is counted on top, so that nothing is counted twice or forgotten.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

use milena_domain::record::{Action, Placed};
use milena_domain::{ConversationId, Position, Timestamp, UserId, limits};
use milena_storage::{ConversationKind, ConversationSummary, ListCursor, LogPosition};

use super::page::{placed, placed_in_room};
use crate::log::event::message as message_of;
use crate::log::recent::Delivered;

/// What kind of conversation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Between two people.
    Person {
        /// The other one; oneself for notes.
        other: UserId,
        /// Up to where the other one has read.
        last_read: Position,
    },
    /// Of many.
    Room,
}

/// A conversation of one person, without the other one's name.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Which.
    pub(super) id: ConversationId,
    /// With whom, or that it is a room.
    pub(super) of: Of,
    /// The newest message.
    pub(super) last_message: Option<Arc<Placed>>,
    /// Its position.
    pub(super) last_position: Position,
    /// Its time, by which the list is sorted.
    pub(super) last_sent_at: Timestamp,
    /// Up to where it was read.
    pub(super) last_read: Position,
    /// Messages of others after that, at most [`limits::UNREAD_MAX_COUNT`].
    pub(super) unread: u32,
    /// Those among them that name the person, at most as many.
    pub(super) mentions: u32,
    /// Whether the store has it on the person's list.
    pub(super) is_listed: bool,
}

impl From<ConversationSummary> for Entry {
    fn from(row: ConversationSummary) -> Self {
        let (of, is_room) = match row.kind {
            ConversationKind::Direct { other, other_last_read } => {
                (Of::Person { other, last_read: other_last_read }, false)
            }
            ConversationKind::Room(_) => (Of::Room, true),
        };
        Self {
            id: row.id,
            of,
            last_message: row.last_message.map(|row| if is_room { placed_in_room(row) } else { placed(row) }),
            last_position: row.last_position,
            last_sent_at: row.last_sent_at,
            last_read: row.last_read,
            unread: row.unread,
            mentions: row.mentions,
            is_listed: true,
        }
    }
}

impl Entry {
    /// A direct conversation that the store has not heard of.
    #[must_use]
    pub(super) fn unknown_to_store(id: ConversationId, other: UserId) -> Self {
        Self::unknown(id, Of::Person { other, last_read: Position::ZERO })
    }

    /// A room of which the store has not heard that this person is in it.
    #[must_use]
    pub(super) fn unknown_room(id: ConversationId) -> Self {
        Self::unknown(id, Of::Room)
    }

    fn unknown(id: ConversationId, of: Of) -> Self {
        Self {
            id,
            of,
            last_message: None,
            last_position: Position::ZERO,
            last_sent_at: Timestamp::from_unix_ms(0),
            last_read: Position::ZERO,
            unread: 0,
            mentions: 0,
            is_listed: false,
        }
    }

    /// Whether it is a room.
    #[must_use]
    pub(super) fn is_room(&self) -> bool {
        self.of == Of::Room
    }

    /// The other one of a direct conversation.
    #[must_use]
    pub(super) const fn other(&self) -> Option<UserId> {
        match self.of {
            Of::Person { other, .. } => Some(other),
            Of::Room => None,
        }
    }

    /// Where the list is cut.
    #[must_use]
    pub(super) const fn key(&self) -> ListCursor {
        ListCursor { last_sent_at: self.last_sent_at, id: self.id }
    }

    /// Adds what the store's snapshot, which ends at `log`, does not contain.
    pub(super) fn add_unflushed(&mut self, user: UserId, log: &LogPosition, messages: &[Arc<Delivered>]) {
        // The store lists for them the rooms that they were in.
        let mut is_in = self.is_listed;
        for message in messages {
            let Placed { position, event } = &**message.placed();
            if !is_beyond(log, message) {
                continue;
            }
            if let Some(target) = event.action.target() {
                self.add_change(user, target.position, message.placed());
                continue;
            }
            if message_of(event).is_none() {
                self.add_happening(user, &mut is_in, message.placed());
                continue;
            }
            if event.actor == user && self.is_room() {
                // Who writes has read.
                self.last_read = self.last_read.max(*position);
                (self.unread, self.mentions) = (0, 0);
            }
            if event.actor != user && *position > self.last_read {
                self.unread = (self.unread + 1).min(limits::UNREAD_MAX_COUNT);
            }
            if *position > self.last_position {
                self.last_position = *position;
                self.last_sent_at = event.at;
                self.last_message = Some(Arc::clone(message.placed()));
            }
        }
    }

    /// Whether anything that the store's snapshot, which ends at `log`, does not contain has changed an
    /// unread message so that it may name other people now: then a count does not tell, and the messages that
    /// named the person are needed.
    pub(super) fn needs_mentions(&self, log: &LogPosition, messages: &[Arc<Delivered>]) -> bool {
        messages.iter().any(|message| {
            let action = &message.event().action;
            matches!(action, Action::Edited { .. } | Action::Deleted { .. })
                && action.target().is_some_and(|target| target.position > self.last_read)
                && is_beyond(log, message)
        })
    }

    /// Counts the unread messages that name the person, after everything else was added: `stored` are those
    /// that the store's snapshot has, which ends at `log`, or how many the entry came with.
    pub(super) fn count_mentions(
        &mut self,
        user: UserId,
        log: &LogPosition,
        stored: Option<Vec<Position>>,
        messages: &[Arc<Delivered>],
    ) {
        let is_exact = stored.is_some();
        let mut named: HashSet<Position> = stored.unwrap_or_default().into_iter().collect();
        for message in messages.iter().filter(|message| is_beyond(log, message)) {
            let Placed { position, event } = &**message.placed();
            match &event.action {
                Action::Message(words) if event.actor != user && words.mentions.contains(&user) => {
                    named.insert(*position);
                }
                Action::Edited { target, mentions, .. } if event.actor != user => {
                    if mentions.contains(&user) {
                        named.insert(target.position);
                    } else {
                        named.remove(&target.position);
                    }
                }
                Action::Deleted { target, .. } => drop(named.remove(&target.position)),
                _ => {}
            }
        }
        let unread = named.into_iter().filter(|place| *place > self.last_read).count();
        let unread = u32::try_from(unread).unwrap_or(limits::UNREAD_MAX_COUNT);
        let before = if is_exact { 0 } else { self.mentions };
        self.mentions = before.saturating_add(unread).min(limits::UNREAD_MAX_COUNT);
    }

    /// A message was changed: the newest one is shown as it is now, and not at all when it was deleted.
    fn add_change(&mut self, user: UserId, target: Position, change: &Placed) {
        let is_last = self.last_message.as_ref().is_some_and(|last| last.position == target);
        match &change.event.action {
            Action::Edited { body, mentions, .. } if is_last => {
                if let Some(last) = &mut self.last_message
                    && let Action::Message(message) = &mut Arc::make_mut(last).event.action
                {
                    message.body = body.clone();
                    message.mentions.clone_from(mentions);
                }
            }
            Action::Deleted { .. } => {
                if is_last {
                    self.last_message = None;
                }
                // Between two people each takes away only their own; in a room numbers are not given anew.
                if !self.is_room() && change.event.actor != user && target > self.last_read {
                    self.unread = self.unread.saturating_sub(1);
                }
            }
            _ => {}
        }
    }

    /// Something happened in a room: it moves the list only where the room, or this member's time in it,
    /// begins.
    fn add_happening(&mut self, user: UserId, is_in: &mut bool, placed: &Placed) {
        let Placed { position, event } = placed;
        let is_creation = matches!(event.action, Action::RoomCreated(_));
        let begins = match &event.action {
            Action::RoomCreated(created) => {
                event.actor == user || created.members.iter().any(|seat| seat.user == user)
            }
            Action::Joined => event.actor == user,
            // Whoever is in it already has a mark: their coming.
            Action::MembersAdded { users } => users.contains(&user) && !*is_in,
            _ => false,
        };
        let ends = match &event.action {
            Action::Left => event.actor == user,
            Action::Removed { user: gone } | Action::Banned { user: gone } => *gone == user,
            _ => false,
        };
        *is_in = begins || (*is_in && !ends);
        if is_creation && self.last_position == Position::ZERO {
            self.last_position = *position;
            self.last_sent_at = self.last_sent_at.max(event.at);
        }
        if begins {
            self.last_read = self.last_read.max(*position);
            (self.unread, self.mentions) = (0, 0);
            self.last_sent_at = self.last_sent_at.max(event.at);
        }
    }

    /// A read position of the user that the store does not have yet.
    pub(super) fn add_read(&mut self, position: Position) {
        if position > self.last_read {
            self.last_read = position;
            if position >= self.last_position {
                (self.unread, self.mentions) = (0, 0);
            }
        }
    }

    /// One of the other person.
    pub(super) fn add_other_read(&mut self, position: Position) {
        if let Of::Person { last_read, .. } = &mut self.of {
            *last_read = position.max(*last_read);
        }
    }
}

/// Whether the store's snapshot, which ends at `log`, does not contain it.
fn is_beyond(log: &LogPosition, message: &Delivered) -> bool {
    message.position().offset() >= log.next_offsets.get(&message.partition).copied().unwrap_or(0)
}

/// One page of the list: the store's page without those that `changed` since, and those of `changed` that
/// belong on it.
///
/// `before` is where the page begins, `store_has_more` whether the store's page was full. Answers the page
/// and where the next one begins.
#[must_use]
pub(super) fn assemble(
    stored: Vec<Entry>,
    changed: Vec<Entry>,
    before: Option<ListCursor>,
    limit: usize,
    store_has_more: bool,
) -> (Vec<Entry>, Option<ListCursor>) {
    let order = |key: ListCursor| Reverse((key.last_sent_at, key.id));
    // The store orders its page by what *it* knows; what lies beyond its last row is for a later page.
    let store_end = stored.last().map(Entry::key).filter(|_| store_has_more);
    let newer: HashSet<ConversationId> = changed.iter().map(|entry| entry.id).collect();
    let mut page: Vec<Entry> = stored.into_iter().filter(|entry| !newer.contains(&entry.id)).collect();
    page.extend(changed.into_iter().filter(|entry| {
        before.is_none_or(|before| order(entry.key()) > order(before))
            && store_end.is_none_or(|end| order(entry.key()) <= order(end))
    }));
    page.sort_by_key(|entry| order(entry.key()));
    let has_more = store_has_more || page.len() > limit;
    let next = if page.len() > limit {
        page.truncate(limit);
        page.last().map(Entry::key)
    } else {
        store_end.filter(|_| has_more)
    };
    (page, next)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use milena_domain::{Body, ClientId, Epoch};
    use proptest::prelude::*;

    use super::*;
    use crate::log::event::direct_message;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn entry(other: u128, sent_at: i64) -> Entry {
        Entry {
            last_sent_at: Timestamp::from_unix_ms(sent_at),
            ..Entry::unknown_to_store(ConversationId::direct(user(1), user(other)), user(other))
        }
    }

    fn message(sender: u128, to: u128, offset: i64) -> Arc<Delivered> {
        let client_id = ClientId::new(&offset.to_string()).unwrap();
        let sent_at = Timestamp::from_unix_ms(offset);
        let event = direct_message(user(sender), user(to), client_id, sent_at, Body::new("x").unwrap());
        let placed = Placed { position: Position::new(Epoch::FIRST, offset), event };
        Arc::new(Delivered::new(placed, 0, 0, Some(true)))
    }

    #[test]
    fn only_what_the_snapshot_lacks_is_counted() {
        let mut entry = entry(2, 0);
        entry.unread = 1;
        let log = LogPosition { epoch: Epoch::FIRST, next_offsets: BTreeMap::from([(0, 6)]) };
        entry.add_unflushed(user(1), &log, &[message(2, 1, 5), message(2, 1, 6), message(1, 2, 7)]);
        assert_eq!(entry.unread, 2);
        assert_eq!(entry.last_position.offset(), 7);
        entry.add_read(Position::new(Epoch::FIRST, 7));
        assert_eq!(entry.unread, 0);
    }

    #[test]
    fn a_conversation_that_nobody_stored_yet_is_unread_from_the_mark_on() {
        let mut entry = entry(2, 0);
        let nothing = LogPosition { epoch: Epoch::FIRST, next_offsets: BTreeMap::new() };
        entry.add_read(Position::new(Epoch::FIRST, 5));
        entry.add_unflushed(user(1), &nothing, &[message(2, 1, 4), message(2, 1, 5), message(2, 1, 6)]);
        assert_eq!(entry.unread, 1);
        entry.add_read(Position::new(Epoch::FIRST, 5));
        assert_eq!(entry.unread, 1, "the same mark again changes nothing");
    }

    proptest! {
        /// Paging through store ∪ changed shows every conversation once, newest first, as long as nothing
        /// moves.
        #[test]
        fn pages_show_each_conversation_once(
            times in prop::collection::vec((0_i64..20, prop::option::of(0_i64..20)), 1..25),
            limit in 1_usize..8,
        ) {
            let order = |entry: &Entry| Reverse((entry.last_sent_at, entry.id));
            let mut store: Vec<Entry> = (0..).zip(&times).map(|(n, (at, _))| entry(n, *at)).collect();
            store.sort_by_key(order);
            let changed: Vec<Entry> =
                (0..).zip(&times).filter_map(|(n, (_, newer))| newer.map(|at| entry(n, at + 20))).collect();
            let mut seen: Vec<Entry> = Vec::new();
            let mut before = None;
            for _ in 0..60 {
                let rest: Vec<Entry> = store
                    .iter()
                    .filter(|entry| {
                        before.is_none_or(|b: ListCursor| order(entry) > Reverse((b.last_sent_at, b.id)))
                    })
                    .cloned()
                    .collect();
                let page: Vec<Entry> = rest.iter().take(limit).cloned().collect();
                let (page, next) = assemble(page, changed.clone(), before, limit, rest.len() > limit);
                prop_assert!(page.len() <= limit);
                seen.extend(page);
                before = next;
                if before.is_none() {
                    break;
                }
            }
            prop_assert_eq!(before, None);
            prop_assert!(seen.windows(2).all(|pair| order(&pair[0]) < order(&pair[1])));
            prop_assert_eq!(seen.len(), times.len());
        }
    }
}
