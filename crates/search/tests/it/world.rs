//! Messages, questions, and the right answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use milena_domain::{ConversationId, Epoch, Position, Timestamp, UserId};
use milena_search::{
    Ask, Change, Checkpoint, Cursor, Filter, Index, Key, Known, Message, Order, Page, Query, Scope,
};
use uuid::Uuid;

/// The time of the first message.
pub(crate) const BEGIN_MS: i64 = 1_790_000_000_000;

pub(crate) fn user(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn conversation(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n << 64))
}

pub(crate) fn at(offset: i64) -> Position {
    Position::new(Epoch::FIRST, offset)
}

/// A message by user 1, a minute after the one before.
pub(crate) fn message(place: u128, offset: i64, body: &str) -> Message {
    Message {
        conversation: conversation(place),
        position: at(offset),
        author: user(1),
        to: None,
        sent_at: Timestamp::from_unix_ms(BEGIN_MS + offset * 60_000),
        body: body.to_owned(),
        mentions: Vec::new(),
        everyone: false,
        reply: false,
        edited: false,
        reacted: false,
        pinned: false,
    }
}

pub(crate) fn put(message: &Message) -> Change {
    Change::Put { message: message.clone(), at: message.position }
}

pub(crate) fn checkpoint(next: i64) -> Checkpoint {
    Checkpoint { topic: "chat_messages".to_owned(), epoch: 1, next_offsets: BTreeMap::from([(0, next)]) }
}

/// Who asks is user 2; people are `u1` to `u9`, conversations `#c1` to `#c9`.
pub(crate) fn known() -> Known {
    let numbers = || 1..=9_u128;
    Known {
        me: user(2),
        people: numbers().map(|n| (format!("u{n}"), vec![user(n)])).collect(),
        conversations: numbers().map(|n| (format!("#c{n}"), vec![conversation(n)])).collect(),
        zone: TimeZone::UTC,
        now: Timestamp::from_unix_ms(BEGIN_MS + 86_400_000),
    }
}

pub(crate) fn filter(query: &str) -> Filter {
    known().filter(&Query::parse(query).unwrap()).unwrap()
}

/// All conversations.
pub(crate) fn everywhere() -> Arc<Scope> {
    let mut scope = Scope::default();
    (1..=9).for_each(|n| scope.insert(conversation(n)));
    Arc::new(scope)
}

pub(crate) fn ask(query: &str, scope: &Arc<Scope>, order: Order) -> Ask {
    Ask { filter: filter(query), scope: Arc::clone(scope), order, after: None, limit: 100 }
}

/// What is in an index, by the names of the messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) messages: HashMap<(ConversationId, Position), Message>,
}

impl World {
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put { message, .. } => {
                    self.messages.insert((message.conversation, message.position), message.clone());
                }
                Change::Remove { conversation, position, .. } => {
                    self.messages.remove(&(*conversation, *position));
                }
            }
        }
    }

    /// The whole answer, by asking about every message.
    pub(crate) fn answer(&self, ask: &Ask) -> Vec<Key> {
        let mut hits: Vec<Key> = self
            .messages
            .values()
            .filter(|message| ask.scope.allows(message.conversation, message.position))
            .filter_map(|message| Some(ask.filter.matches(message)?.key(message, ask.order)))
            .collect();
        hits.sort_unstable_by(|a, b| b.cmp(a));
        hits
    }
}

/// The whole answer of an index, page by page.
pub(crate) async fn all_pages(index: &impl Index, ask: &Ask, limit: usize) -> Vec<Key> {
    let mut ask = Ask { limit, after: None, ..ask.clone() };
    let mut hits = Vec::new();
    loop {
        let Page { hits: page, next } = index.search(ask.clone()).await.unwrap();
        assert!(page.len() <= limit);
        assert!(next.is_none() || page.len() == limit, "only the last page may be short");
        hits.extend(page);
        // As a client sends it back.
        let Some(next) = next.map(|next| next.to_string().parse::<Cursor>().unwrap()) else { return hits };
        ask.after = Some(next);
    }
}

/// The bodies that are found, newest first.
pub(crate) async fn bodies(index: &impl Index, world: &World, query: &str) -> Vec<String> {
    let ask = ask(query, &everywhere(), Order::Newest);
    let hits = index.search(ask.clone()).await.unwrap().hits;
    assert_eq!(hits, world.answer(&ask), "{query}");
    hits.iter().map(|key| world.messages[&(key.conversation, key.position)].body.clone()).collect()
}
