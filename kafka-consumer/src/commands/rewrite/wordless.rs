//! A record without the words of a message that was deleted. Pure.
//!
//! What is left is who wrote it, when, where and under which name: what the fold and the ids need. A record
//! has to have some words, or nobody could read it: it gets a sign that stands for none.

use std::collections::HashSet;

use milena_domain::record::{Action, Event};
use milena_domain::{Body, MessageId};
use serde_json::{Map, Value};

/// What a message's record keeps, in version 1 and 2.
const KEPT_OF_MESSAGE: [&str; 11] =
    ["v", "type", "id", "conversation", "actor", "sender", "to", "client_id", "at", "sent_at", "seen"];

/// The record's value without its words, if they are of a message that was `deleted`, or of an edit of one;
/// `None` for what stays as it is: also what nobody can read.
pub(super) fn wordless(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    deleted: &HashSet<MessageId>,
) -> Option<Vec<u8>> {
    let event = Event::decode(key, value).ok()?;
    let mut kept: Vec<&str> = KEPT_OF_MESSAGE.to_vec();
    match &event.action {
        Action::Message(_) if deleted.contains(&event.id) => {}
        Action::Edited { target, .. } if deleted.contains(&target.id) => kept.push("target"),
        _ => return None,
    }
    let mut fields: Map<String, Value> = serde_json::from_slice(value?).ok()?;
    fields.retain(|name, _| kept.contains(&name.as_str()));
    fields.insert("body".to_owned(), Value::from(Body::erased().as_str()));
    serde_json::to_vec(&fields).ok()
}

#[cfg(test)]
mod tests {
    use milena_domain::record::{Emoji, Message, Place, Target};
    use milena_domain::{ClientId, Epoch, MessageEvent, Position, Timestamp, UserId};

    use super::*;

    fn user(number: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn event(name: &str, action: Action) -> Event {
        let (place, at) = (Place::Direct(user(2)), Timestamp::from_unix_ms(7));
        let seen = Position::new(Epoch::FIRST, 3);
        Event::new(user(1), place, ClientId::new(name).unwrap(), at, seen, action)
    }

    fn without(event: &Event, value: &[u8], deleted: &[MessageId]) -> Option<Event> {
        let deleted = deleted.iter().copied().collect();
        let (key, value) = (event.key(), wordless(Some(event.key().as_bytes()), Some(value), &deleted)?);
        assert!(!String::from_utf8_lossy(&value).contains("SECRET"), "{}", String::from_utf8_lossy(&value));
        Some(Event::decode(Some(key.as_bytes()), Some(&value)).unwrap())
    }

    #[test]
    fn of_a_deleted_message_and_its_edits_all_is_left_but_the_words() {
        let body = || Body::new("SECRET").unwrap();
        let reply_to = Some(Target { position: Position::ZERO, id: MessageId::from_uuid(uuid::Uuid::nil()) });
        let words = Message { reply_to, mentions: vec![user(2)], everyone: true, ..Message::plain(body()) };
        let message = event("m", Action::Message(words));
        let target = Target { position: Position::new(Epoch::FIRST, 4), id: message.id };
        let edit = event("e", Action::Edited { target, body: body(), mentions: vec![user(2)] });
        let erased = |action| Event { action, ..message.clone() };
        let left = without(&message, &message.encode(), &[message.id]).unwrap();
        assert_eq!(left, erased(Action::Message(Message::plain(Body::erased()))));
        let left = without(&edit, &edit.encode(), &[message.id]).unwrap();
        let action = Action::Edited { target, body: Body::erased(), mentions: Vec::new() };
        assert_eq!(left, Event { action, ..edit.clone() });
        // Whoever did not delete keeps all of theirs; so does what has no words.
        for kept in [&message, &edit] {
            assert_eq!(without(kept, &kept.encode(), &[edit.id]), None);
        }
        let reaction = Action::Reacted { target, emoji: Emoji::new("x").unwrap(), on: true };
        for action in [reaction, Action::Deleted { target, reason: None }] {
            let event = event("other", action);
            assert_eq!(without(&event, &event.encode(), &[message.id, event.id]), None);
        }
        let none = HashSet::from([message.id]);
        assert_eq!(wordless(None, None, &none), None);
        assert_eq!(wordless(Some(b"k"), Some(b"SECRET"), &none), None, "nobody can read it");
    }

    #[test]
    fn a_record_of_version_1_stays_one() {
        let (client_id, body) = (ClientId::new("old").unwrap(), Body::new("SECRET").unwrap());
        let old = MessageEvent::new(user(1), user(2), client_id, Timestamp::from_unix_ms(7), body);
        let event = Event::from(old.clone());
        let left = without(&event, &old.encode(), &[event.id]).unwrap();
        assert_eq!(left, Event { action: Action::Message(Message::plain(Body::erased())), ..event });
    }
}
