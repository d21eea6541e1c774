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
