//! What the server answers of messages and conversations, of itself, and of what went wrong.

use milena_domain::record::Placed;
use milena_domain::{Body, ClientId, ConversationId, MessageId, Position, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ConversationNotifications, Person, Totals, encode_list_cursor};
use crate::chat::{self, History};
use crate::live::life::{Life, Shown};
use crate::log::event::message;
use crate::refusal::Refusal;
use crate::wire::messages::Besides;
use crate::wire::rooms::{Event, Room};

/// What a conversation is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Of two people, or notes to self.
    Direct,
    /// Of many.
    Room,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub struct Message {
    #[schema(value_type = Uuid)]
    id: MessageId,
    #[schema(value_type = Uuid)]
    conversation: ConversationId,
    kind: Kind,
    #[schema(value_type = Uuid)]
    sender: UserId,
    /// In a direct conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>, nullable = false)]
    to: Option<UserId>,
    /// Orders the messages of a conversation: strictly increasing, not gapless, below 2^53.
    #[schema(value_type = u64, example = 1_099_511_627_776_u64)]
    position: Position,
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// 1 to 8000 characters; empty when it was deleted.
    #[schema(value_type = String)]
    body: Body,
    /// Only to its sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    client_id: Option<ClientId>,
    #[serde(flatten)]
    #[schema(value_type = Besides, inline = false)]
    besides: Option<Box<Besides>>,
}

impl Message {
    /// As `reader` may see it; `None` for what is no message.
    #[must_use]
    pub fn new(placed: &Placed, reader: UserId) -> Option<Self> {
        Self::with_life(placed, None, placed.event.actor == reader)
    }

    /// A message of a page, as its sender sees it (`own`), or everybody else.
    #[must_use]
    pub fn shown(shown: &Shown, own: bool) -> Option<Self> {
        Self::with_life(&shown.placed, shown.life.as_deref(), own)
    }

    fn with_life(placed: &Placed, life: Option<&Life>, own: bool) -> Option<Self> {
        let event = &placed.event;
        let message = message(event)?;
        Some(Self {
            id: event.id,
            conversation: event.conversation,
            kind: if event.to.is_some() { Kind::Direct } else { Kind::Room },
            sender: event.actor,
            to: event.to,
            position: placed.position,
            sent_at: event.at,
            body: message.body.clone(),
            client_id: own.then(|| event.client_id.clone()),
            besides: Besides::of(message, life),
        })
    }
}

/// A part of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePage {
    /// Oldest first.
    messages: Vec<Message>,
    /// There are older ones.
    has_before: bool,
    /// There are newer ones.
    has_after: bool,
    /// No accepted message is missing; when false, ask again later.
    complete: bool,
}

impl MessagePage {
    /// As `reader` may see it.
    #[must_use]
    pub fn new(history: History, reader: UserId) -> Self {
        Self {
            messages: history
                .messages
                .iter()
                .filter_map(|shown| Message::shown(shown, shown.placed.event.actor == reader))
                .collect(),
            has_before: history.has_before,
            has_after: history.has_after,
            complete: history.complete,
        }
    }
}

/// Messages of which something changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangePage {
    /// As they are now, deleted ones too, by their last changes.
    messages: Vec<Message>,
    /// To be given as `changed_after` to go on; null at the end.
    #[schema(required, value_type = Option<u64>)]
    next: Option<Position>,
    /// No change that was accepted is missing; when false, ask again later.
    complete: bool,
}

impl ChangePage {
    /// As `reader` may see it.
    #[must_use]
    pub fn new(page: &chat::ChangePage, reader: UserId) -> Self {
        let message = |shown: &Shown| Message::shown(shown, shown.placed.event.actor == reader);
        Self {
            messages: page.messages.iter().filter_map(message).collect(),
            next: page.next,
            complete: page.complete,
        }
    }
}

/// A part of what happened in a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// Oldest first.
    events: Vec<Event>,
    /// There are older ones that one may see.
    has_before: bool,
    /// There are newer ones that one may see.
    has_after: bool,
    /// Nothing that was accepted is missing; when false, ask again later.
    complete: bool,
}

impl EventPage {
    /// As `reader` may see it.
    #[must_use]
    pub fn new(history: History, reader: UserId) -> Self {
        let event = |shown: &Shown| Event::shown(shown, shown.placed.event.actor == reader);
        Self {
            events: history.messages.iter().filter_map(event).collect(),
            has_before: history.has_before,
            has_after: history.has_after,
            complete: history.complete,
        }
    }
}

/// A conversation as one of its people sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Conversation {
    #[schema(value_type = Uuid)]
    id: ConversationId,
    kind: Kind,
    /// The other one, or oneself for notes to self; null in a room.
    #[schema(required)]
    person: Option<Person>,
    /// Null in a direct conversation.
    #[schema(required)]
    room: Option<Room>,
    /// Null before the first, and where one may not see it.
    #[schema(required)]
    last_message: Option<Message>,
    /// 0 before the first message of a direct conversation; a room's begins with its creation.
    #[schema(value_type = u64)]
    last_position: Position,
    /// By which the list is sorted: when the newest message was sent; of a room when it was created or one
    /// came, if that was later.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Up to where one has read; 0 when nowhere.
    #[schema(value_type = u64)]
    last_read: Position,
    /// Up to where the other one has read; 0 when nowhere, for notes to self, and in a room.
    #[schema(value_type = u64)]
    other_last_read: Position,
    /// Messages of others after `last_read`, counted up to 1000.
    unread: u32,
    /// Those among them that name one (not those that call everybody), counted up to 1000.
    mentions: u32,
    /// Of what one wants to be told of it.
    notifications: ConversationNotifications,
}

impl Conversation {
    /// As `reader` may see it.
    #[must_use]
    pub fn new(conversation: chat::Conversation, reader: UserId) -> Self {
        let (kind, person, room, other_last_read) = match &conversation.with {
            chat::With::Person { person, last_read } => {
                (Kind::Direct, Some((&**person).into()), None, *last_read)
            }
            chat::With::Room(view) => (Kind::Room, None, Some(view.into()), Position::ZERO),
        };
        Self {
            id: conversation.id,
            kind,
            person,
            room,
            last_message: conversation.last_message.and_then(|message| Message::new(&message, reader)),
            last_position: conversation.last_position,
            at: conversation.at,
            last_read: conversation.last_read,
            other_last_read,
            unread: conversation.unread,
            mentions: conversation.mentions,
            notifications: conversation.notifications.into(),
        }
    }
}

/// A part of one's conversations.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationPage {
    /// The one with the newest message first.
    conversations: Vec<Conversation>,
    /// Unread messages of these conversations.
    totals: Totals,
    /// To be given as `before` to get the next part; null at the end.
    #[schema(required)]
    next: Option<String>,
    /// No accepted message is missing; when false, ask again later.
    complete: bool,
}

impl ConversationPage {
    /// As `reader` may see it.
    #[must_use]
    pub fn new(list: chat::ConversationList, reader: UserId) -> Self {
        let totals = list.totals.into();
        let conversations = list.conversations.into_iter();
        Self {
            totals,
            conversations: conversations.map(|entry| Conversation::new(entry, reader)).collect(),
            next: list.next.as_ref().map(encode_list_cursor),
            complete: list.complete,
        }
    }
}

/// The log has the message.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    #[schema(value_type = String)]
    client_id: ClientId,
    #[schema(value_type = Uuid)]
    id: MessageId,
    #[schema(value_type = Uuid)]
    conversation: ConversationId,
    #[schema(value_type = u64)]
    position: Position,
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
}

impl From<chat::Accepted> for Accepted {
    fn from(accepted: chat::Accepted) -> Self {
        Self {
            client_id: accepted.client_id,
            id: accepted.id,
            conversation: accepted.conversation,
            position: accepted.position,
            sent_at: accepted.sent_at,
        }
    }
}

/// Whether this server can be used, and what it rests on.
#[derive(Debug, Serialize, ToSchema)]
pub struct State {
    /// Requests should be sent here.
    pub ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `ok`, `unavailable` or `refuses`: then live chat goes on, sign-in and history do not.
    pub database: &'static str,
    /// `ok`, `unavailable` (sends are refused as temporary, history goes on), or `broken`.
    pub log: &'static str,
    /// `ok`, or `low`: there is less room than `limits.min_free_disk_bytes`, and sends are refused as
    /// temporary.
    pub disk: &'static str,
    /// `ok`, or `upgrade_needed`: a newer program wrote what this one cannot read; the conversations
    /// concerned are closed here, others go on.
    pub events: &'static str,
}

/// An error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A name for the kind of error.
    #[serde(rename = "type")]
    #[schema(example = "urn:milena:error:invalid_field")]
    kind: String,
    /// The status in words.
    #[schema(example = "Bad Request")]
    title: &'static str,
    #[schema(example = 400)]
    status: u16,
    /// A sentence for people.
    #[schema(example = "username must be 3 to 32 characters (got 2)")]
    detail: String,
    /// A stable name, to decide by.
    #[schema(example = "invalid_field")]
    code: &'static str,
    /// The field that broke a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, example = "username")]
    field: Option<&'static str>,
    /// When to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after_ms: Option<u64>,
}

impl Problem {
    /// The refusal, with the words of its status.
    #[must_use]
    pub fn new(refusal: Refusal, status: http::StatusCode) -> Self {
        let code = refusal.code.as_str();
        Self {
            kind: format!("urn:milena:error:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: refusal.message,
            code,
            field: refusal.field,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}
