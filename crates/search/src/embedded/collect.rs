//! The best of what was found, of that which may be seen.
//!
//! Each message that answers is asked for its place and time in the columns; only so many keys are kept as a
//! page has, whatever was found.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use milena_domain::{ConversationId, Position, Timestamp};
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::error::DataCorruption;
use tantivy::index::SegmentReader;
use tantivy::{DocId, Score, TantivyError};

use super::fields::{CONVERSATION, POSITION, SENT_AT, WEIGHT};
use super::places::Places;
use crate::filter::Time;
use crate::index::Ask;
use crate::order::{Key, Order};
use crate::scope::Scope;

/// Asks for the best.
pub(super) struct Best {
    places: Arc<Places>,
    scope: Arc<Scope>,
    times: Arc<[Time]>,
    order: Order,
    after: Option<Key>,
    /// One more than the page has, to know whether there is a next one.
    kept: usize,
}

impl Best {
    pub(super) fn new(ask: &Ask, limit: usize, places: Arc<Places>) -> Self {
        Self {
            places,
            scope: Arc::clone(&ask.scope),
            times: ask.filter.times.clone().into(),
            order: ask.order,
            after: ask.after.map(|cursor| cursor.0),
            kept: limit + 1,
        }
    }
}

impl Collector for Best {
    type Fruit = Vec<Key>;
    type Child = BestOfSegment;

    fn for_segment(&self, _: u32, segment: &SegmentReader) -> tantivy::Result<BestOfSegment> {
        let columns = segment.fast_fields();
        let missing = || TantivyError::DataCorruption(DataCorruption::comment_only("a column is missing"));
        let conversations = columns.bytes(CONVERSATION)?.ok_or_else(missing)?;
        Ok(BestOfSegment {
            places: self.places.seen(segment.segment_id(), &conversations, &self.scope)?,
            conversation: conversations.ords().clone(),
            position: columns.u64(POSITION)?,
            sent_at: columns.i64(SENT_AT)?,
            weight: columns.u64(WEIGHT)?,
            scope: Arc::clone(&self.scope),
            times: Arc::clone(&self.times),
            order: self.order,
            after: self.after,
            kept: self.kept,
            best: BinaryHeap::with_capacity(self.kept + 1),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.order == Order::Relevance
    }

    fn merge_fruits(&self, fruits: Vec<Vec<Key>>) -> tantivy::Result<Vec<Key>> {
        Ok(fruits.concat())
    }
}

/// Keeps the best of a segment.
pub(super) struct BestOfSegment {
    places: Vec<Option<ConversationId>>,
    conversation: Column<u64>,
    position: Column<u64>,
    sent_at: Column<i64>,
    weight: Column<u64>,
    scope: Arc<Scope>,
    times: Arc<[Time]>,
    order: Order,
    after: Option<Key>,
    kept: usize,
    best: BinaryHeap<Reverse<Key>>,
}

impl BestOfSegment {
    /// The place of a message among the answers; `None` when it is none.
    fn key(&self, doc: DocId, score: Score) -> Option<Key> {
        let sent_at_ms = self.sent_at.first(doc)?;
        if !self.times.iter().all(|time| time.allows(sent_at_ms)) {
            return None;
        }
        let number = usize::try_from(self.conversation.first(doc)?).ok()?;
        let conversation = self.places.get(number).copied().flatten()?;
        let position = Position::from_u64(self.position.first(doc)?)?;
        if !self.scope.allows(conversation, position) {
            return None;
        }
        let relevance = match self.order {
            Order::Newest => 0,
            Order::Relevance => score as u32 + u32::try_from(self.weight.first(doc)?).ok()?,
        };
        let sent_at = Timestamp::from_unix_ms(sent_at_ms);
        let key = Key { relevance, sent_at, position, conversation };
        self.after.is_none_or(|after| key < after).then_some(key)
    }
}

impl SegmentCollector for BestOfSegment {
    type Fruit = Vec<Key>;

    fn collect(&mut self, doc: DocId, score: Score) {
        if let Some(key) = self.key(doc, score) {
            self.best.push(Reverse(key));
            if self.best.len() > self.kept {
                self.best.pop();
            }
        }
    }

    fn harvest(self) -> Vec<Key> {
        self.best.into_iter().map(|Reverse(key)| key).collect()
    }
}
