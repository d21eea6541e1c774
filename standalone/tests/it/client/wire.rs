//! What the server says, in the protocol's words.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) username: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) conversation: Uuid,
    pub(crate) sender: Uuid,
    /// In a direct conversation.
    pub(crate) to: Option<Uuid>,
    pub(crate) position: i64,
    pub(crate) sent_at: String,
    pub(crate) body: String,
    pub(crate) client_id: Option<String>,
}

/// What happened in a room, or a message there, as `event` frames and REST tell it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) conversation: Uuid,
    pub(crate) kind: String,
    pub(crate) actor: Uuid,
    pub(crate) position: i64,
    /// Whose going it is, where somebody else caused it.
    pub(crate) user: Option<Uuid>,
    pub(crate) body: Option<String>,
    /// As it came.
    #[serde(skip)]
    pub(crate) raw: Value,
}

impl Event {
    pub(crate) fn read(raw: Value) -> Self {
        let event: Self = serde_json::from_value(raw.clone()).expect("an event");
        Self { raw, ..event }
    }
}

impl Event {
    /// Whether it sends this person away.
    pub(crate) fn sends_away(&self, person: Uuid) -> bool {
        match &*self.kind {
            "left" => self.actor == person,
            "removed" | "banned" => self.user == Some(person),
            _ => false,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EventPage {
    pub(crate) events: Vec<Value>,
    pub(crate) has_after: bool,
    pub(crate) complete: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ChangePage {
    pub(crate) messages: Vec<Value>,
    pub(crate) next: Option<i64>,
    pub(crate) complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Accepted {
    pub(crate) client_id: String,
    pub(crate) id: Uuid,
    pub(crate) conversation: Uuid,
    pub(crate) position: i64,
    pub(crate) sent_at: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Message>,
    pub(crate) has_before: bool,
    pub(crate) has_after: bool,
    pub(crate) complete: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Conversation {
    pub(crate) id: Uuid,
    /// None in a room.
    pub(crate) person: Option<Person>,
    pub(crate) last_message: Option<Message>,
    pub(crate) last_position: i64,
    pub(crate) unread: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Conversations {
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) next: Option<String>,
    pub(crate) complete: bool,
}
