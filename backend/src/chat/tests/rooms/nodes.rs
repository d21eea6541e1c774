//! What nodes keep, and what they answer, is what the log made of it.

use milena_domain::record::{Action, Event, Placed};
use milena_domain::{ConversationId, Position, UserId};
use milena_storage::Page;
use serde_json::{Value, json};

use super::super::reader::Reader;
use super::device::{Answer, Wish, position, rest};
use crate::chat::Chat;
use crate::chat::change::What;
use crate::live::life::Shown;
use crate::log::recent::Recent;

/// Once a node has heard of a deletion, it has the words no more.
pub(super) fn words_are_gone(recent: &Recent, conversation: ConversationId, place: Position) {
    let is_deletion = |event: &Event| matches!(event.action, Action::Deleted { .. });
    let mut changes = recent.changes_of(conversation, place);
    if !changes.any(|change| change.is_shown() && is_deletion(change.event())) {
        return;
    }
    let message = recent.message_at(conversation, place);
    for event in message.into_iter().chain(recent.changes_of(conversation, place)) {
        let words = match &event.event().action {
            Action::Message(message) => Some(&message.body),
            Action::Edited { body, .. } => Some(body),
            _ => None,
        };
        assert!(words.is_none_or(|words| words.is_deleted()), "in memory: {:?}", event.event());
    }
}

/// By all ways in which messages are asked for.
pub(super) async fn answers_equal(
    chat: &Chat,
    (user, conversation): (UserId, ConversationId),
    wanted: &[Value],
) {
    let as_rest = |all: &[Shown]| all.iter().filter_map(|shown| rest(shown, user)).collect::<Vec<Value>>();
    let (mut found, mut after) = (Vec::new(), Position::ZERO);
    loop {
        let page = chat.history(user, conversation, Page::After(after), 100).await.unwrap();
        assert!(page.complete);
        after = page.messages.last().map_or(after, |shown| shown.placed.position);
        found.extend(as_rest(&page.messages));
        if !page.has_after {
            break;
        }
    }
    assert_eq!(json!(found).to_string(), json!(wanted).to_string(), "events for {user}");
    let is_left = |message: &&Value| message.get("deleted").is_none();
    let newest = chat.messages(user, conversation, Page::Latest, 500).await.unwrap();
    let left: Vec<Value> = wanted.iter().filter(is_left).cloned().collect();
    let found = as_rest(&newest.messages);
    assert_eq!(found, left[left.len() - found.len()..], "messages for {user}");
    assert!(newest.has_before || found.len() == left.len());
    let places: Vec<Position> = wanted.iter().map(|message| position(&message["position"])).collect();
    let at = chat.messages_at(user, conversation, &places).await.unwrap();
    assert_eq!(as_rest(&at.messages), wanted, "messages by place for {user}");
    let (mut found, mut after) = (Vec::new(), Position::ZERO);
    loop {
        let page = chat.changes(user, conversation, after, 7).await.unwrap();
        assert!(page.complete && page.messages.len() <= 7);
        found.extend(as_rest(&page.messages));
        let Some(next) = page.next else { break };
        after = next;
    }
    let mut changed: Vec<Value> =
        wanted.iter().filter(|message| message.get("changed").is_some()).cloned().collect();
    changed.sort_by_key(|message| message["changed"].as_i64());
    assert_eq!(found, changed, "changes for {user}");
}

/// What was accepted stands where the answer says; what was so already was so there.
pub(super) fn accepted_is_so(model: &Reader, user: UserId, answer: &Answer, position: Position) {
    let is_message = matches!(answer.wish, Wish::Say { .. });
    if let Wish::Change { target, conversation, .. } = &answer.wish {
        let is_room = model.room(*conversation).is_some();
        let sees = !is_room || model.may_hear(user, *conversation, target.position, i64::MAX);
        assert!(sees, "{user} changed what they may not see: {answer:?}");
    }
    if let Some(place) = model.places.get(&answer.id).filter(|place| **place != position) {
        // Somebody gave up waiting and asked again: it was so already by then, and what they asked first came
        // into the log after that.
        assert!(!answer.is_only_one && position < *place, "{user} heard {answer:?}, not {place}");
    } else if model.places.contains_key(&answer.id) {
        return;
    }
    let stands = model.timelines.get(&answer.conversation).and_then(|all| all.get(&position));
    assert!(
        !is_message && stands.is_some_and(|placed| makes_it_so(answer, user, placed)),
        "{user} heard {answer:?}"
    );
}

/// Whether this makes so what somebody wanted of a message.
fn makes_it_so(answer: &Answer, user: UserId, placed: &Placed) -> bool {
    let Wish::Change { target, what, .. } = &answer.wish else { return true };
    // What was never so ends where the message begins.
    let never = placed.position == target.position;
    let event = &placed.event;
    match (what, &event.action) {
        (What::React { on: false, .. } | What::Pin { on: false }, _) if never => true,
        (What::Delete { .. }, Action::Deleted { target: of, .. }) => of == target,
        (What::React { emoji, on }, Action::Reacted { target: of, emoji: put, on: is_on }) => {
            (of, put, is_on, event.actor) == (target, emoji, on, user)
        }
        (What::Pin { on }, Action::Pinned { target: of, on: is_on }) => (of, is_on) == (target, on),
        _ => false,
    }
}
