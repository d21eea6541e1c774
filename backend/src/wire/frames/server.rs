//! Server frames. A function a frame type; each serialises once.

use milena_domain::record::{Action, Emoji, Placed, Reason};
use milena_domain::{Body, ClientId, ConversationId, MessageId, Position, Timestamp, UserId};
use milena_storage::Person;
use serde::Serialize;

use super::Frame;
use crate::live::{Form, HereCount, Names, News, Present, Update, View, Wanted};
use crate::log::event::message;
use crate::refusal::Refusal;
use crate::wire::messages::{Besides, MessageRef};
use crate::wire::rest::{
    ConversationNotifications, GeneralNotifications, Limits, Message, Status, state_name,
};
use crate::wire::rooms::{Event, Room};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerFrame<'a> {
    Welcome {
        user: WirePerson<'a>,
        cursor: &'a str,
        resumed: bool,
        client_id_prefix: &'a str,
        heartbeat_ms: u64,
        limits: &'a Limits,
    },
    Accepted {
        client_id: &'a ClientId,
        id: MessageId,
        conversation: ConversationId,
        position: Position,
        sent_at: Timestamp,
    },
    Rejected {
        client_id: &'a ClientId,
        #[serde(flatten)]
        refusal: WireRefusal<'a>,
    },
    Message {
        id: MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a ClientId>,
        conversation: ConversationId,
        kind: &'static str,
        sender: UserId,
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<UserId>,
        position: Position,
        sent_at: Timestamp,
        body: &'a Body,
        #[serde(flatten)]
        besides: Option<Box<Besides>>,
    },
    Edited {
        #[serde(flatten)]
        change: WireChange<'a>,
        body: &'a Body,
        #[serde(skip_serializing_if = "<[UserId]>::is_empty")]
        mentions: &'a [UserId],
        #[serde(skip_serializing_if = "<[UserId]>::is_empty")]
        named: &'a [UserId],
        #[serde(skip_serializing_if = "<[UserId]>::is_empty")]
        unnamed: &'a [UserId],
    },
    Deleted {
        #[serde(flatten)]
        change: WireChange<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a Reason>,
    },
    Reacted {
        #[serde(flatten)]
        change: WireChange<'a>,
        emoji: &'a Emoji,
        on: bool,
    },
    Changed {
        message: Message,
    },
    Event {
        event: Event,
    },
    Room {
        room: Room,
    },
    Cursor {
        cursor: &'a str,
    },
    Activity {
        conversation: ConversationId,
        after: Position,
        position: Position,
        messages: u32,
        at: Timestamp,
    },
    Prefix {
        client_id_prefix: &'a str,
    },
    Read {
        conversation: ConversationId,
        position: Position,
    },
    Presence {
        users: Vec<WirePresent>,
    },
    Typing {
        conversation: ConversationId,
        user: UserId,
        on: bool,
    },
    Here {
        conversation: ConversationId,
        online: u32,
        away: u32,
    },
    Notifications {
        revision: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        general: Option<Box<GeneralNotifications>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation: Option<ConversationId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        settings: Option<ConversationNotifications>,
    },
    Delivered {
        conversation: ConversationId,
        position: Position,
    },
    Seen {
        conversation: ConversationId,
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        position: Position,
    },
    Gap {
        conversation: ConversationId,
        after: Position,
        before: Option<Position>,
        #[serde(skip_serializing_if = "Option::is_none")]
        changes_after: Option<Position>,
    },
    Error {
        #[serde(flatten)]
        refusal: WireRefusal<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a ClientId>,
    },
    Pong,
}

/// What all changes of messages have.
#[derive(Serialize)]
struct WireChange<'a> {
    conversation: ConversationId,
    position: Position,
    actor: UserId,
    at: Timestamp,
    target: MessageRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a ClientId>,
}

#[derive(Serialize)]
struct WirePresent {
    user: UserId,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Timestamp>,
    /// Absent: as before; null: none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Option<Status>>,
}

#[derive(Serialize)]
struct WirePerson<'a> {
    id: UserId,
    username: &'a str,
    display_name: &'a str,
}

#[derive(Serialize)]
struct WireRefusal<'a> {
    code: &'static str,
    message: &'a str,
    temporary: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl<'a> From<&'a Refusal> for WireRefusal<'a> {
    fn from(refusal: &'a Refusal) -> Self {
        Self {
            code: refusal.code.as_str(),
            message: &refusal.message,
            temporary: refusal.code.is_temporary(),
            field: refusal.field,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

impl ServerFrame<'_> {
    fn encode(&self) -> Frame {
        Frame::from(serde_json::to_string(self).expect("texts and numbers are always JSON"))
    }
}

/// The answer to the first `hello`; `cursor` is sealed. `heartbeat_ms` promises that a healthy line is never
/// silent for longer.
#[must_use]
pub fn welcome_frame(
    person: &Person,
    cursor: &str,
    resumed: bool,
    client_id_prefix: &str,
    (heartbeat_ms, limits): (u64, &Limits),
) -> Frame {
    ServerFrame::Welcome {
        user: WirePerson { id: person.id, username: &person.username, display_name: &person.display_name },
        cursor,
        resumed,
        client_id_prefix,
        heartbeat_ms,
        limits,
    }
    .encode()
}

/// An update as `user` sees it, encoded once for all who see it in the same way; `None` for what has no frame
/// yet.
#[must_use]
pub fn frame_for(update: &Update, user: UserId) -> Option<Frame> {
    update.encoded(Form::Frames, update.view(user), |news, view| update_frame(news, update.names(), view))
}

/// An update as somebody sees it; `None` for what has no frame.
fn update_frame(news: &News, names: Option<&Names>, view: View) -> Option<Frame> {
    let frame = match news {
        News::Placed(placed) => match message_of(placed, view) {
            Some(frame) => frame,
            None => happened(placed, names, view)?,
        },
        News::Message(shown) => {
            let mut frame = message_of(&shown.placed, view)?;
            if let (ServerFrame::Message { besides, .. }, Some(message)) =
                (&mut frame, message(&shown.placed.event))
            {
                *besides = Besides::of(message, shown.life.as_deref());
            }
            frame
        }
        News::Changed(shown) => ServerFrame::Changed { message: Message::shown(shown, view == View::Own)? },
        News::Room(view) => ServerFrame::Room { room: (&**view).into() },
        News::Accepted(accepted) => ServerFrame::Accepted {
            client_id: &accepted.client_id,
            id: accepted.id,
            conversation: accepted.conversation,
            position: accepted.position,
            sent_at: accepted.sent_at,
        },
        News::Prefix(prefix) => ServerFrame::Prefix { client_id_prefix: prefix },
        News::Read { conversation, position } => {
            ServerFrame::Read { conversation: *conversation, position: *position }
        }
        News::Seen { conversation, by, position } => {
            ServerFrame::Seen { conversation: *conversation, user: *by, position: *position }
        }
        News::Received { conversation, position } => {
            ServerFrame::Delivered { conversation: *conversation, position: *position }
        }
        News::Presence(people) => ServerFrame::Presence { users: people.iter().map(present).collect() },
        News::Typing { conversation, user, on } => {
            ServerFrame::Typing { conversation: *conversation, user: *user, on: *on }
        }
        News::Here { conversation, count: HereCount { online, away } } => {
            ServerFrame::Here { conversation: *conversation, online: *online, away: *away }
        }
        News::Notifications { revision, changed } => {
            let (general, conversation, settings) = match changed.as_deref() {
                Some(Wanted::General(general)) => (Some(Box::new(general.into())), None, None),
                Some(Wanted::Of(conversation, settings)) => {
                    (None, Some(*conversation), Some((*settings).into()))
                }
                None => (None, None, None),
            };
            ServerFrame::Notifications { revision: *revision, general, conversation, settings }
        }
        News::Gap { conversation, after, before, changes_after } => ServerFrame::Gap {
            conversation: *conversation,
            after: *after,
            before: *before,
            changes_after: *changes_after,
        },
    };
    Some(frame.encode())
}

fn present(present: &Present) -> WirePresent {
    let state = state_name(present.state);
    let status = present.status.as_ref().map(|said| said.as_deref().map(Status::from));
    WirePresent { user: present.user, state, last_seen: present.last_seen, status }
}

/// A message. Only its sender's own sockets learn its `client_id`.
fn message_of(placed: &Placed, view: View) -> Option<ServerFrame<'_>> {
    let event = &placed.event;
    let message = message(event)?;
    Some(ServerFrame::Message {
        id: event.id,
        client_id: (view == View::Own).then_some(&event.client_id),
        conversation: event.conversation,
        kind: if event.to.is_some() { "direct" } else { "room" },
        sender: event.actor,
        to: event.to,
        position: placed.position,
        sent_at: event.at,
        body: &message.body,
        besides: Besides::of(message, None),
    })
}

/// Everything that is no message. An edit whose message was deleted has no words, and is told no more.
fn happened<'a>(placed: &'a Placed, names: Option<&'a Names>, view: View) -> Option<ServerFrame<'a>> {
    let event = &placed.event;
    let change = |target: &milena_domain::record::Target| WireChange {
        conversation: event.conversation,
        position: placed.position,
        actor: event.actor,
        at: event.at,
        target: (*target).into(),
        client_id: (view == View::Own).then_some(&event.client_id),
    };
    Some(match &event.action {
        Action::Edited { body, .. } if body.is_deleted() => return None,
        Action::Edited { target, body, mentions } => {
            let (named, unnamed) = names.map_or((&[][..], &[][..]), |names| (&names.named, &names.unnamed));
            ServerFrame::Edited { change: change(target), body, mentions, named, unnamed }
        }
        Action::Deleted { target, reason } => {
            ServerFrame::Deleted { change: change(target), reason: reason.as_ref() }
        }
        Action::Reacted { target, emoji, on } => {
            ServerFrame::Reacted { change: change(target), emoji, on: *on }
        }
        _ => ServerFrame::Event { event: Event::new(placed, view == View::Own)? },
    })
}

/// A `send` is not done.
#[must_use]
pub fn rejected_frame(client_id: &ClientId, refusal: &Refusal) -> Frame {
    ServerFrame::Rejected { client_id, refusal: refusal.into() }.encode()
}

/// Everything up to here was sent to this socket; `cursor` is sealed.
#[must_use]
pub fn cursor_frame(cursor: &str) -> Frame {
    ServerFrame::Cursor { cursor }.encode()
}

/// What happened in a conversation beyond `after` and up to `position` was not sent to this socket,
/// `messages` of others among it, the newest of it `at` that time.
#[must_use]
pub fn activity_frame(
    conversation: ConversationId,
    (after, position): (Position, Position),
    messages: u32,
    at: Timestamp,
) -> Frame {
    ServerFrame::Activity { conversation, after, position, messages, at }.encode()
}

/// The prefix that new `client_id`s shall have from now on.
#[must_use]
pub fn prefix_frame(client_id_prefix: &str) -> Frame {
    ServerFrame::Prefix { client_id_prefix }.encode()
}

/// A frame could not be taken; `client_id` if it could at least be read.
#[must_use]
pub fn error_frame(refusal: &Refusal, client_id: Option<&ClientId>) -> Frame {
    ServerFrame::Error { refusal: refusal.into(), client_id }.encode()
}

/// The answer to `ping`.
#[must_use]
pub fn pong_frame() -> Frame {
    ServerFrame::Pong.encode()
}

#[cfg(test)]
mod tests;
