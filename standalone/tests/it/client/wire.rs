//! What the server says, in the protocol's words.

use serde::Deserialize;
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
    pub(crate) to: Uuid,
    pub(crate) position: i64,
    pub(crate) sent_at: String,
    pub(crate) body: String,
    pub(crate) client_id: Option<String>,
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
    pub(crate) person: Person,
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
