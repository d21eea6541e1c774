//! What stands in the log from version 2 on: many kinds of events among many people, one JSON object a
//! record.
//!
//! [`Event::read`] is the one gate between the log and everything behind it. It checks the form and whatever
//! follows from the record alone: ids, key, partition. Whether a good record also *counts* is decided by the
//! fold (`crates/timeline`), which needs the events before it. A record of version 1 is read as the same
//! [`Event`] for ever, and means what it meant: a message between two people.

mod action;
mod codec;
mod names;

use crate::limits::AHEAD_MAX_MS;
use crate::{ClientId, ConversationId, MessageEvent, MessageId, Position, Timestamp, UserId};

pub use action::{Action, Created, Message, PERSON_BYTES, RoomPatch, Seat, Snapshot, Target};
pub use names::{Emoji, Handle, History, Posting, Reason, Role, Title, Topic, Visibility};

/// The newest version that this program reads and the one that it writes.
pub const VERSION: u32 = 2;

/// Something that somebody did in a conversation, as their backend put it into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What is a repeat of what: derived from conversation, actor and `client_id`; of version 1 without the
    /// conversation.
    pub id: MessageId,
    /// Also the record's key, and with it the partition.
    pub conversation: ConversationId,
    /// Who did it.
    pub actor: UserId,
    /// In a direct conversation the other person (oneself in notes to self), in every event, so that each
    /// record proves by itself where it belongs; `None` in a room.
    pub to: Option<UserId>,
    /// The client's name for it.
    pub client_id: ClientId,
    /// When the backend took it; of what was imported, when it first happened.
    pub at: Timestamp,
    /// Everything before this position had been looked at when the backend found the id unused: what may hide
    /// a repeat stands from here on. `None` in version 1.
    pub seen: Option<Position>,
    /// What was done.
    pub action: Action,
}

/// An event and its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its place: the order of the conversation.
    pub position: Position,
    /// The event.
    pub event: Event,
}

impl Placed {
    /// Up to where the record proves that its id was unused. What was seen in another epoch proves nothing:
    /// it was another log, or this one counted anew, as in a replay into an empty store.
    #[must_use]
    pub fn proof(&self) -> Option<Position> {
        self.event.seen.filter(|seen| seen.epoch_number() == self.position.epoch_number())
    }
}

/// Where an event happens, as its sender names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The direct conversation with this person.
    Direct(UserId),
    /// A room that exists, or that [`Action::RoomCreated`] is to create.
    Room(ConversationId),
}

impl From<MessageEvent> for Event {
    /// What a record of version 1 means.
    fn from(event: MessageEvent) -> Self {
        let MessageEvent { id, conversation, sender, to, client_id, sent_at, body } = event;
        let action = Action::Message(Message::plain(body));
        Self { id, conversation, actor: sender, to: Some(to), client_id, at: sent_at, seen: None, action }
    }
}

impl Event {
    /// An event of this version, with the ids that follow. A creation's room follows from actor and
    /// `client_id`, whatever `place` says.
    #[must_use]
    pub fn new(
        actor: UserId,
        place: Place,
        client_id: ClientId,
        at: Timestamp,
        seen: Position,
        action: Action,
    ) -> Self {
        let (conversation, to) = match place {
            _ if matches!(action, Action::RoomCreated(_)) => (ConversationId::room(actor, &client_id), None),
            Place::Direct(to) => (ConversationId::direct(actor, to), Some(to)),
            Place::Room(room) => (room, None),
        };
        let id = MessageId::of_event(conversation, actor, &client_id);
        Self { id, conversation, actor, to, client_id, at, seen: Some(seen), action }
    }

    /// The event as far as its own time is believed: one that claims to be of later than an hour after its
    /// record was written happened when that was, or it would stay on top of everybody's list. `written` is
    /// the record's own timestamp, so every reader comes to the same.
    #[must_use]
    pub fn believed(mut self, written: Option<Timestamp>) -> Self {
        if let Some(written) = written
            && self.at > written.plus_ms(AHEAD_MAX_MS)
        {
            self.at = written;
        }
        self
    }

    /// The record's key: the conversation's id as text, which decides the partition.
    #[must_use]
    pub fn key(&self) -> String {
        self.conversation.to_string()
    }
}
