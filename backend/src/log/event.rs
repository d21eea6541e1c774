//! What this version's doors make of events: direct messages, read in every version of the log, written in
//! the first.
//!
//! Backends are upgraded one after the other, and readers before writers: as long as some may be of the first
//! version, what is written is what they can read. A message of version 1 is an [`Event`] without `seen`, and
//! named without its conversation; whatever has a `seen` is written in version 2.

use milena_domain::record::{Action, Event, Message};
use milena_domain::{Body, ClientId, ConversationId, MessageEvent, MessageId, Timestamp, UserId};

/// A message from `actor` to `to`, as it is written for now.
#[must_use]
pub fn direct_message(actor: UserId, to: UserId, client_id: ClientId, at: Timestamp, body: Body) -> Event {
    Event {
        id: MessageId::derive(actor, &client_id),
        conversation: ConversationId::direct(actor, to),
        actor,
        to: Some(to),
        client_id,
        at,
        seen: None,
        action: Action::Message(Message::plain(body)),
    }
}

/// The record of version 1 that says the same; `None` when only a newer version has words for it.
#[must_use]
pub fn version_1(event: &Event) -> Option<MessageEvent> {
    if event.seen.is_some() {
        return None;
    }
    Some(MessageEvent {
        id: event.id,
        conversation: event.conversation,
        sender: event.actor,
        to: event.to?,
        client_id: event.client_id.clone(),
        sent_at: event.at,
        body: message(event)?.body.clone(),
    })
}

/// The message that somebody wrote; `None` for everything else that somebody does.
#[must_use]
pub const fn message(event: &Event) -> Option<&Message> {
    match &event.action {
        Action::Message(message) => Some(message),
        _ => None,
    }
}

/// The two people of a direct conversation, each once: one entry for notes to self. Of a room only the actor:
/// the others are on its roster.
pub fn people(event: &Event) -> impl Iterator<Item = UserId> + use<> {
    std::iter::once(event.actor).chain(event.to.filter(|to| *to != event.actor))
}

/// Whether two events of the same actor and name are the same: in the same conversation, with the same words.
#[must_use]
pub fn is_same(one: &Event, other: &Event) -> bool {
    one.conversation == other.conversation && one.action == other.action
}

#[cfg(test)]
mod tests {
    use milena_domain::Position;

    use super::*;

    #[test]
    fn what_is_written_in_version_1_is_read_as_it_was() {
        let user = |number| UserId::from_uuid(uuid::Uuid::from_u128(number));
        let (client_id, body) = (ClientId::new("c-1").unwrap(), Body::new("x").unwrap());
        let mut event = direct_message(user(1), user(2), client_id, Timestamp::from_unix_ms(7), body);
        let record = version_1(&event).unwrap();
        assert_eq!(Event::decode(Some(record.key().as_bytes()), Some(&record.encode())), Ok(event.clone()));
        event.seen = Some(Position::ZERO);
        assert_eq!(version_1(&event), None, "what proves something is not written without its proof");
    }
}
