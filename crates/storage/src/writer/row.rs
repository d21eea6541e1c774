//! A row of the timeline, as an effective event makes it.

use milena_domain::record::{Action, Event, Placed};
use milena_domain::{ClientId, ConversationId, MessageId, Position, Timestamp, UserId};
use serde_json::{Map, Value};

/// What every record has, and the text, which has a column of its own.
const NOT_PAYLOAD: [&str; 9] = ["v", "type", "id", "conversation", "actor", "to", "client_id", "at", "seen"];

/// To be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimelineRow<'b> {
    pub(super) conversation: ConversationId,
    pub(super) position: Position,
    pub(super) id: MessageId,
    pub(super) sender: UserId,
    /// In a room the sender: the column is older than rooms, and not nullable.
    pub(super) to: UserId,
    pub(super) client_id: &'b ClientId,
    pub(super) sent_at: Timestamp,
    /// Empty for what is no message.
    pub(super) body: &'b str,
    pub(super) kind: &'static str,
    pub(super) payload: Option<String>,
    pub(super) seq: i64,
}

impl<'b> TimelineRow<'b> {
    pub(super) fn new(placed: &'b Placed, seq: u64) -> Self {
        let Placed { position, event } = placed;
        let body = match &event.action {
            Action::Message(message) => message.body.as_str(),
            _ => "",
        };
        Self {
            conversation: event.conversation,
            position: *position,
            id: event.id,
            sender: event.actor,
            to: event.to.unwrap_or(event.actor),
            client_id: &event.client_id,
            sent_at: event.at,
            body,
            kind: event.action.name(),
            payload: payload_of(event),
            seq: i64::try_from(seq).unwrap_or(i64::MAX),
        }
    }
}

/// What the row of an event keeps of it besides the text and what every event has, in the log's own words;
/// `None` for nothing.
#[must_use]
pub fn payload_of(event: &Event) -> Option<String> {
    if let Action::Message(message) = &event.action
        && message.reply_to.is_none()
        && message.mentions.is_empty()
        && !message.everyone
    {
        return None;
    }
    let mut fields: Map<String, Value> = serde_json::from_slice(&event.encode()).ok()?;
    for name in NOT_PAYLOAD {
        fields.remove(name);
    }
    fields.remove("body");
    (!fields.is_empty()).then(|| Value::Object(fields).to_string())
}
