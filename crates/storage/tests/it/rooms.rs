//! Logs of rooms to test with, written as a consumer writes them.

use milena_domain::record::{
    Action, Created, Event, Handle, History, Message, Place, Placed, Posting, Role, Seat, Target, Title,
    Visibility,
};
use milena_domain::{Body, ClientId, ConversationId, Epoch, MessageId, Position, UserId};
use milena_storage::{OffsetAdvance, Store, WriteBatch, WriteReport};

use crate::letters::{TOPIC, at, user};

/// A log of one partition, of which the end is to be written yet.
#[derive(Default)]
pub(crate) struct Log {
    written: i64,
    pending: Vec<Placed>,
}

/// A room as [`Log::create`] makes it when nothing else is said.
pub(crate) fn created(handle: &str) -> Created {
    Created {
        handle: Handle::new(handle).unwrap(),
        title: Title::new(handle).unwrap(),
        topic: None,
        visibility: Visibility::Public,
        history: History::All,
        posting: Posting::Members,
        members: Vec::new(),
    }
}

pub(crate) fn seat(number: u128, role: Role) -> Seat {
    Seat { user: user(number), role, from: None }
}

impl Log {
    fn next(&self) -> i64 {
        self.written + self.pending.len() as i64
    }

    /// An event at the next offset, which is also its time and its `client_id`.
    fn append(&mut self, by: UserId, place: Place, action: Action) -> (Position, Event) {
        let offset = self.next();
        let position = Position::new(Epoch::FIRST, offset);
        let client_id = ClientId::new(&format!("c{offset}")).unwrap();
        let event = Event::new(by, place, client_id, at(offset), position, action);
        self.pending.push(Placed { position, event: event.clone() });
        (position, event)
    }

    pub(crate) fn create(&mut self, by: u128, created: Created) -> ConversationId {
        let place = Place::Direct(user(by));
        self.append(user(by), place, Action::RoomCreated(created)).1.conversation
    }

    pub(crate) fn act(&mut self, room: ConversationId, by: u128, action: Action) -> (Position, MessageId) {
        let (position, event) = self.append(user(by), Place::Room(room), action);
        (position, event.id)
    }

    pub(crate) fn say(&mut self, room: ConversationId, by: u128, text: &str) -> Target {
        let message = Message::plain(Body::new(text).unwrap());
        let (position, id) = self.act(room, by, Action::Message(message));
        Target { position, id }
    }

    pub(crate) fn say_to(&mut self, by: u128, to: u128, text: &str) -> (ConversationId, Target) {
        let message = Action::Message(Message::plain(Body::new(text).unwrap()));
        let (position, event) = self.append(user(by), Place::Direct(user(to)), message);
        (event.conversation, Target { position, id: event.id })
    }

    pub(crate) fn to(&mut self, by: u128, to: u128, action: Action) -> (Position, MessageId) {
        let (position, event) = self.append(user(by), Place::Direct(user(to)), action);
        (position, event.id)
    }

    /// What is not written yet.
    pub(crate) fn pending(&self) -> &[Placed] {
        &self.pending
    }

    /// Writes what is not written yet.
    pub(crate) async fn write(&mut self, store: &Store) -> WriteReport {
        let (from, to) = (self.written, self.next());
        self.written = to;
        let batch = WriteBatch {
            topic: TOPIC.to_owned(),
            epoch: Epoch::FIRST,
            events: std::mem::take(&mut self.pending),
            advances: vec![OffsetAdvance { partition: 0, from, to }],
        };
        store.write_batch(&batch).await.unwrap()
    }
}
