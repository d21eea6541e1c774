//! Server frames. A function a frame type; each serialises once.

use milena_domain::record::{Action, Emoji, Placed, Reason};
use milena_domain::{Availability, Body, ClientId, ConversationId, MessageId, Position, Timestamp, UserId};
use milena_storage::Person;
use serde::Serialize;

use super::Frame;
use crate::live::{Form, Names, News, Present, Update, View};
use crate::log::event::message;
use crate::refusal::Refusal;
use crate::wire::messages::{Besides, MessageRef};
use crate::wire::rest::{Limits, Message};
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
        News::Presence(people) => ServerFrame::Presence { users: people.iter().map(present).collect() },
        News::Typing { conversation, user, on } => {
            ServerFrame::Typing { conversation: *conversation, user: *user, on: *on }
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
    let state = match present.state {
        Some(Availability::Online) => "online",
        Some(Availability::Away) => "away",
        None => "offline",
    };
    WirePresent { user: present.user, state, last_seen: present.last_seen }
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
mod tests {
    use std::sync::Arc;

    use milena_domain::record::{
        Action, Created, Event, Handle, History as RoomHistory, Posting, Role, RoomPatch, Seat, Title, Topic,
        Visibility,
    };
    use milena_domain::{Epoch, MessageId, limits};
    use milena_timeline::{Membership, Room, Standing};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::live::rooms::RoomView;
    use crate::log::delivery::accepted;
    use crate::log::event::direct_message;
    use crate::refusal::Code;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn placed(body: &str, position: Position) -> Arc<Placed> {
        let client_id = ClientId::new("c-1").unwrap();
        let (at, body) = (Timestamp::from_unix_ms(0), Body::new(body).unwrap());
        Arc::new(Placed { position, event: direct_message(user(1), user(2), client_id, at, body) })
    }

    fn value(frame: &Frame) -> Value {
        serde_json::from_str(frame.as_str()).unwrap()
    }

    #[test]
    fn only_the_sender_learns_the_client_id() {
        let placed = placed("Dear \"Milena\"\n\u{1F600}", Position::new(Epoch::FIRST, 7));
        let event = &placed.event;
        let to_sender = value(&update_frame(&News::Placed(Arc::clone(&placed)), None, View::Own).unwrap());
        assert_eq!(
            to_sender,
            json!({
                "type": "message", "id": event.id, "client_id": "c-1", "conversation": event.conversation,
                "kind": "direct", "sender": user(1), "to": user(2), "position": (1_u64 << 40) + 7,
                "sent_at": "1970-01-01T00:00:00.000Z", "body": "Dear \"Milena\"\n\u{1F600}",
            })
        );
        let to_other = value(&update_frame(&News::Placed(Arc::clone(&placed)), None, View::Others).unwrap());
        assert_eq!(to_other.get("client_id"), None);
    }

    #[test]
    fn refusals_name_what_is_needed_and_nothing_more() {
        let client_id = ClientId::new("c-1").unwrap();
        assert_eq!(
            value(&rejected_frame(&client_id, &Refusal::later(Code::RateLimited, "too fast", 5))),
            json!({"type": "rejected", "client_id": "c-1", "code": "rate_limited", "message": "too fast",
                   "temporary": true, "retry_after_ms": 5})
        );
        assert_eq!(
            value(&error_frame(&Refusal::field("body", "is missing"), None)),
            json!({"type": "error", "code": "invalid_field", "message": "body is missing", "temporary": false,
                   "field": "body"})
        );
    }

    #[test]
    fn a_gap_to_the_newest_has_a_null() {
        let conversation = ConversationId::direct(user(1), user(2));
        let gap = News::Gap { conversation, after: Position::ZERO, before: None, changes_after: None };
        assert_eq!(
            value(&update_frame(&gap, None, View::Own).unwrap()),
            json!({"type": "gap", "conversation": conversation, "after": 0, "before": null})
        );
    }

    #[test]
    fn the_largest_message_fits_the_write_buffer() {
        // A control character is written as six bytes, the most that JSON makes of one.
        let largest = placed(&"\u{1}".repeat(limits::BODY_MAX_CHARS), Position::ZERO);
        let frame = update_frame(&News::Placed(largest), None, View::Own).unwrap();
        assert!(frame.len() < limits::FRAME_MAX_BYTES);
    }

    proptest! {
        /// What a queue counts before anything is encoded bounds what is sent, and is not far from it.
        #[test]
        fn no_frame_is_larger_than_it_counts(
            client_id in "[ -~]{1,64}", body in "[^\0]{1,300}", offset in 0_i64..1 << 40,
        ) {
            let position = Position::new(Epoch::new(4_000).unwrap(), offset);
            let client_id = ClientId::new(&client_id).unwrap();
            let conversation = ConversationId::direct(user(1), user(2));
            let at = Timestamp::from_unix_ms(253_402_300_799_999);
            let event = direct_message(user(1), user(2), client_id, at, Body::new(body).unwrap());
            let placed = Placed { position, event };
            let all = [
                News::Accepted(accepted(&placed)),
                News::Placed(Arc::new(placed)),
                News::Prefix("x".repeat(30)),
                News::Read { conversation, position },
                News::Seen { conversation, by: Some(user(1)), position },
                News::Gap {
                    conversation,
                    after: position,
                    before: Some(position),
                    changes_after: Some(position),
                },
            ];
            for news in all {
                let counted = Update::from(news.clone()).bytes();
                for view in [View::Own, View::Others] {
                    let sent = update_frame(&news, None, view).unwrap().len();
                    prop_assert!(sent <= counted && counted < sent + 260, "{counted} for {sent}: {news:?}");
                }
            }
        }

        #[test]
        fn no_frame_of_a_room_is_larger_than_it_counts(
            title in "[^\0-\x1f\x7f ]{1,80}", topic in "[ -~]{0,250}", seats in 0_usize..200, is_owner: bool,
        ) {
            let position = Position::new(Epoch::new(4_000).unwrap(), 1 << 39);
            let (Ok(title), Ok(topic)) = (Title::new(&title), Topic::new(&topic)) else { return Ok(()) };
            let handle = Handle::new(&"h".repeat(32)).unwrap();
            let (visibility, history, posting) =
                (Visibility::Private, RoomHistory::SinceJoin, Posting::Moderators);
            let seat = |n| Seat { user: user(n as u128 + 2), role: Role::Moderator, from: None };
            let created = Action::RoomCreated(Created {
                handle: handle.clone(), title: title.clone(), topic: Some(topic.clone()),
                visibility, history, posting, members: (0..seats).map(seat).collect(),
            });
            let changed = Action::RoomChanged(RoomPatch {
                handle: Some(handle.clone()), title: Some(title.clone()), topic: Some(topic.clone()),
                visibility: Some(visibility), posting: Some(posting), archived: Some(false),
            });
            let added = Action::MembersAdded { users: (0..seats).map(|n| seat(n).user).collect() };
            let role = Role::Moderator;
            let others = [added, Action::Joined, Action::Banned { user: user(3) },
                Action::RoleChanged { user: user(3), role }];
            let client_id = ClientId::new(&"c".repeat(64)).unwrap();
            let id = ConversationId::room(user(1), &client_id);
            let event = |action| {
                let at = Timestamp::from_unix_ms(253_402_300_799_999);
                let (actor, client_id) = (user(1), client_id.clone());
                let id_of_event = MessageId::derive(actor, &client_id);
                let event = Event {
                    id: id_of_event, conversation: id, actor, to: None, client_id, at, seen: None, action,
                };
                News::Placed(Arc::new(Placed { position, event }))
            };
            let room = Room {
                handle, title, topic, visibility, history, posting, archived: false, created: position,
                changed: position, members: u32::MAX, owners: 1, awaits_more: false,
            };
            let membership = is_owner.then_some(Membership { role, from: position });
            let standing = Standing { membership, banned: false, changed: None };
            let view = News::Room(Arc::new(RoomView { id, room, standing }));
            let mut all = vec![event(created), event(changed), view];
            all.extend(others.map(event));
            for news in all {
                let counted = Update::from(news.clone()).bytes();
                for view in [View::Own, View::Others] {
                    let sent = update_frame(&news, None, view).unwrap().len();
                    let most = sent + 600 + 40 * seats;
                    prop_assert!(sent <= counted && counted < most, "{counted} for {sent}: {news:?}");
                }
            }
        }
    }
}
