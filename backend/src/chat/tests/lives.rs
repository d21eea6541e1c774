//! What became of messages, as the plain reader of the log makes it out: change by change, nothing kept.

use std::collections::{BTreeMap, HashMap};

use milena_domain::record::{Action, Emoji, Event, Message, Placed};
use milena_domain::{Body, ConversationId, Position, UserId};
use milena_storage::{StoredFacts, StoredLife, StoredReactions};
use milena_timeline::Item;

use super::reader::Reader;
use crate::log::event;

/// What became of a message, with everybody's reactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) changed: Position,
    pub(super) edited: Option<Position>,
    pub(super) deleted: Option<(Position, UserId, Option<String>)>,
    pub(super) pinned: Option<Position>,
    /// In the order in which they came first.
    pub(super) reactions: Vec<(String, Vec<(UserId, Position)>)>,
}

impl Reader {
    /// What changed a message, in order.
    pub(super) fn changes(
        &self,
        conversation: ConversationId,
        place: Position,
    ) -> impl Iterator<Item = &Placed> {
        let all = self.changed.get(&(conversation, place)).into_iter().flatten();
        all.map(move |at| &self.timelines[&conversation][at])
    }

    pub(super) fn is_changed(&self, conversation: ConversationId, place: Position) -> bool {
        self.changes(conversation, place).next().is_some()
    }

    pub(super) fn is_deleted(&self, event: &Event) -> bool {
        self.places.get(&event.id).is_some_and(|place| {
            self.changes(event.conversation, *place)
                .any(|change| matches!(change.event.action, Action::Deleted { .. }))
        })
    }

    /// A message as it is now.
    pub(super) fn now(&self, placed: &Placed) -> (Placed, Option<Life>) {
        self.as_of(placed, Position::MAX)
    }

    /// A message as it was once everything up to a place had happened.
    pub(super) fn as_of(&self, placed: &Placed, end: Position) -> (Placed, Option<Life>) {
        let mut now = placed.clone();
        let mut life: Option<Life> = None;
        if event::message(&placed.event).is_none() {
            return (now, None);
        }
        let changes = self.changes(placed.event.conversation, placed.position);
        for change in changes.take_while(|change| change.position <= end) {
            let (at, by) = (change.position, change.event.actor);
            let life = life.get_or_insert(Life {
                changed: at,
                edited: None,
                deleted: None,
                pinned: None,
                reactions: Vec::new(),
            });
            life.changed = at;
            match &change.event.action {
                Action::Edited { body, mentions, .. } => {
                    life.edited = Some(at);
                    if let Action::Message(message) = &mut now.event.action {
                        message.body = body.clone();
                        message.mentions.clone_from(mentions);
                    }
                }
                Action::Deleted { reason, .. } => {
                    let reason = reason.as_ref().map(|reason| reason.as_str().to_owned());
                    *life = Life {
                        changed: at,
                        edited: None,
                        deleted: Some((at, by, reason)),
                        pinned: None,
                        reactions: Vec::new(),
                    };
                    now.event.action = Action::Message(Message::plain(Body::deleted()));
                }
                Action::Pinned { on, .. } => life.pinned = on.then_some(at),
                Action::Reacted { emoji, on, .. } => react(&mut life.reactions, emoji, *on, (by, at)),
                _ => {}
            }
        }
        (now, life)
    }

    /// As the store tells it to somebody who asks for the reactions of `asked`.
    pub(super) fn stored_life(&self, _: ConversationId, life: Life, asked: &[UserId]) -> StoredLife {
        let group = |(emoji, people): (String, Vec<(UserId, Position)>)| StoredReactions {
            emoji,
            count: people.len() as u64,
            first: people.iter().take(milena_storage::NAMED_OF_REACTION).copied().collect(),
            asked: people.iter().filter(|(user, _)| asked.contains(user)).copied().collect(),
        };
        StoredLife {
            changed: life.changed,
            edited: life.edited,
            deleted: life.deleted,
            pinned: life.pinned,
            reactions: life.reactions.into_iter().map(group).collect(),
        }
    }

    /// What decides about a message.
    pub(super) fn facts(
        &self,
        conversation: ConversationId,
        place: Position,
        people: &[UserId],
    ) -> StoredFacts {
        let mut facts = StoredFacts {
            mine: people.iter().map(|user| (*user, BTreeMap::new())).collect(),
            ..StoredFacts::default()
        };
        let placed = self.timelines.get(&conversation).and_then(|all| all.get(&place));
        let Some(placed) = placed.filter(|placed| event::message(&placed.event).is_some()) else {
            return facts;
        };
        facts.sent_at = Some(placed.event.at);
        let mut item = Item { id: placed.event.id, author: placed.event.actor, deleted: None, pinned: None };
        let mut mine: HashMap<UserId, BTreeMap<Emoji, Position>> = HashMap::new();
        for change in self.changes(conversation, place) {
            let at = change.position;
            match &change.event.action {
                Action::Deleted { .. } => item.deleted = Some(at),
                Action::Pinned { on, .. } => item.pinned = Some((at, *on)),
                Action::Reacted { emoji, on, .. } => {
                    let mine = mine.entry(change.event.actor).or_default();
                    if *on {
                        mine.insert(emoji.clone(), at)
                    } else {
                        mine.remove(emoji)
                    };
                }
                _ => {}
            }
        }
        facts.item = Some(item);
        for (user, of) in &mut facts.mine {
            *of = mine.remove(user).unwrap_or_default();
        }
        facts
    }
}

fn react(
    reactions: &mut Vec<(String, Vec<(UserId, Position)>)>,
    emoji: &Emoji,
    on: bool,
    (by, at): (UserId, Position),
) {
    let found = reactions.iter().position(|(name, _)| name == emoji.as_str());
    match (found, on) {
        (Some(place), true) => reactions[place].1.push((by, at)),
        (None, true) => reactions.push((emoji.as_str().to_owned(), vec![(by, at)])),
        (Some(place), false) => {
            reactions[place].1.retain(|(user, _)| *user != by);
            if reactions[place].1.is_empty() {
                reactions.remove(place);
            }
        }
        (None, false) => {}
    }
    // As the store orders them: by the first that is there now.
    reactions.sort_by_key(|(_, people)| people.first().map(|(_, at)| *at));
}
