//! A conversation's timeline, page by page: messages and what happened in a room, as far as somebody may see
//! it.
//!
//! Who may see what is told in ranges of positions ([`milena_timeline::sees`] says which), and nothing
//! outside of them is read: neither rows nor whether there are any. A deleted message is still a place in it:
//! without its words.

use milena_domain::record::{Action, Event, Message, Placed, Target};
use milena_domain::{Body, ClientId, ConversationId, MessageId, Position, UserId};
use milena_timeline::Interval;
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::history::{MESSAGE, Page, Side, recipient, split_around, with_words};
use super::{moment, position, row_limit};
use crate::entities::messages::{self, Column};
use crate::sql::padded;
use crate::{StorageError, Store};

/// Ranges of one statement: whoever has come and gone more often costs a statement more.
pub(super) const RANGES: usize = 16;

/// Ids of one statement.
const IDS: usize = 512;

/// A stretch of the log; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionRange {
    /// Where it begins.
    pub from: Position,
    /// Where it ends; `None` while it lasts.
    pub to: Option<Position>,
}

impl PositionRange {
    /// Everything.
    pub const ALL: Self = Self { from: Position::ZERO, to: None };
}

impl From<Interval> for PositionRange {
    fn from(interval: Interval) -> Self {
        Self { from: interval.from, to: interval.to }
    }
}

/// A part of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelinePage {
    /// By position, ascending, whichever way the page was asked for. What an event had seen is not kept.
    pub events: Vec<Placed>,
    /// The messages among them of which anything has changed since they were written: [`Store::messages_now`]
    /// says what.
    pub changed: Vec<Position>,
    /// There is something older within what is visible.
    pub has_before: bool,
    /// There is something newer within what is visible.
    pub has_after: bool,
}

/// Where to look: which rows, and the ranges, ascending, apart from each other, as the database has them.
pub(super) struct Scope {
    rows: Select<messages::Entity>,
    pub(super) ranges: Vec<(i64, i64)>,
}

impl Scope {
    pub(super) fn new(rows: Select<messages::Entity>, visible: &[PositionRange]) -> Self {
        let mut ranges: Vec<(i64, i64)> = visible
            .iter()
            .map(|range| (range.from.as_i64(), range.to.unwrap_or(Position::MAX).as_i64()))
            .collect();
        ranges.sort_unstable();
        let mut apart: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => apart.push((from, to)),
            }
        }
        Self { rows, ranges: apart }
    }

    /// What lies in these ranges, all of them between the first and the last.
    pub(super) fn within(&self, ranges: &[(i64, i64)]) -> Select<messages::Entity> {
        let between = |from: i64, to: i64| {
            Condition::all().add(Column::Position.gte(from)).add(Column::Position.lte(to))
        };
        let ends = ranges
            .iter()
            .fold((i64::MAX, i64::MIN), |(from, to), range| (from.min(range.0), to.max(range.1)));
        let rows = self.rows.clone().filter(between(ends.0, ends.1));
        if ranges.len() < 2 {
            return rows;
        }
        rows.filter(ranges.iter().fold(Condition::any(), |any, &(from, to)| any.add(between(from, to))))
    }
}

impl Store {
    /// A page of at most `limit` events (at least 1) within what is visible: nothing, if that is empty.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that is no event.
    pub async fn timeline(
        &self,
        conversation: ConversationId,
        page: Page,
        limit: usize,
        visible: &[PositionRange],
    ) -> Result<TimelinePage, StorageError> {
        self.timeline_page(Scope::new(rows_of(conversation), visible), page, limit).await
    }

    /// [`Store::timeline`] of messages alone, those that have their words.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that is no message.
    pub async fn messages_within(
        &self,
        conversation: ConversationId,
        page: Page,
        limit: usize,
        visible: &[PositionRange],
    ) -> Result<TimelinePage, StorageError> {
        let rows = with_words(rows_of(conversation));
        self.timeline_page(Scope::new(rows, visible), page, limit).await
    }

    /// Of these events, what stands in a timeline and is no message; in no order.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that is no event.
    pub async fn room_events_by_id(&self, ids: &[MessageId]) -> Result<Vec<Placed>, StorageError> {
        self.bulk(async {
            let mut found = Vec::new();
            for chunk in ids.chunks(IDS) {
                let query = messages::Entity::find()
                    .filter(Column::Id.is_in(padded(chunk).map(|id| id.as_uuid())))
                    .filter(Column::Kind.ne(MESSAGE));
                for row in query.all(self.reader()).await? {
                    found.push(placed(row)?);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn timeline_page(
        &self,
        scope: Scope,
        page: Page,
        limit: usize,
    ) -> Result<TimelinePage, StorageError> {
        // Rows are only ever added at the end, so two queries need no common snapshot.
        let limit = row_limit(limit) as usize;
        let end = Position::MAX.as_i64() + 1;
        self.answer(Box::pin(async {
            let (older, newer) = match page {
                Page::Latest => (self.visible_before(&scope, end, limit).await?, Side::default()),
                Page::Before(end) => {
                    let newer = self.visible_from(&scope, end.as_i64(), 0).await?;
                    (self.visible_before(&scope, end.as_i64(), limit).await?, newer)
                }
                Page::After(start) => {
                    let next = start.as_i64() + 1;
                    let older = self.visible_before(&scope, next, 0).await?;
                    (older, self.visible_from(&scope, next, limit).await?)
                }
                Page::Around(middle) => {
                    let mut older = self.visible_before(&scope, middle.as_i64(), limit).await?;
                    let mut newer = self.visible_from(&scope, middle.as_i64(), limit).await?;
                    let (before, after) = split_around(older.rows.len(), newer.rows.len(), limit);
                    older.cut(before);
                    newer.cut(after);
                    (older, newer)
                }
            };
            let (has_before, has_after) = (older.more, newer.more);
            let rows = older.rows.into_iter().rev().chain(newer.rows);
            let (mut events, mut changed) = (Vec::new(), Vec::new());
            for row in rows {
                let is_changed = row.changed_position.is_some();
                let event = placed(row)?;
                if is_changed {
                    changed.push(event.position);
                }
                events.push(event);
            }
            Ok(TimelinePage { events, changed, has_before, has_after })
        }))
        .await
    }

    /// Newest first, below `end`.
    async fn visible_before(&self, scope: &Scope, end: i64, limit: usize) -> Result<Side, StorageError> {
        let ranges = scope.ranges.iter().rev().filter(|range| range.0 < end);
        let ranges: Vec<_> = ranges.map(|&(from, to)| (from, to.min(end - 1))).collect();
        self.nearest(scope, &ranges, Order::Desc, limit).await
    }

    /// Oldest first, from `start`.
    async fn visible_from(&self, scope: &Scope, start: i64, limit: usize) -> Result<Side, StorageError> {
        let ranges = scope.ranges.iter().filter(|range| range.1 >= start);
        let ranges: Vec<_> = ranges.map(|&(from, to)| (from.max(start), to)).collect();
        self.nearest(scope, &ranges, Order::Asc, limit).await
    }

    /// The first rows of the ranges, which are in the same order.
    async fn nearest(
        &self,
        scope: &Scope,
        ranges: &[(i64, i64)],
        order: Order,
        limit: usize,
    ) -> Result<Side, StorageError> {
        let mut rows = Vec::new();
        for ranges in ranges.chunks(RANGES) {
            let query = scope.within(ranges).order_by(Column::Position, order.clone());
            rows.extend(query.limit((limit + 1 - rows.len()) as u64).all(self.reader()).await?);
            if rows.len() > limit {
                break;
            }
        }
        Ok(Side::new(rows, limit))
    }
}

fn rows_of(conversation: ConversationId) -> Select<messages::Entity> {
    messages::Entity::find().filter(Column::ConversationId.eq(conversation.as_uuid()))
}

/// What a message's row keeps besides its text.
#[derive(Default, Deserialize)]
struct MessagePayload {
    reply_to: Option<Target>,
    #[serde(default)]
    mentions: Vec<UserId>,
    #[serde(default)]
    everyone: bool,
}

/// The event of a row: as it is now, where it was edited or deleted.
pub(super) fn placed(row: messages::Model) -> Result<Placed, StorageError> {
    let corrupt = |error: String| StorageError::corrupt(format!("event {}: {error}", row.id));
    let conversation = ConversationId::from_uuid(row.conversation_id);
    let (actor, to) = (UserId::from_uuid(row.sender_id), UserId::from_uuid(row.recipient_id));
    let mut event = Event {
        id: MessageId::from_uuid(row.id),
        conversation,
        actor,
        to: recipient(conversation, actor, to),
        client_id: ClientId::new(&row.client_id).map_err(|error| corrupt(error.to_string()))?,
        at: moment(row.sent_at_ms),
        seen: None,
        action: Action::Left,
    };
    let payload = row.payload.as_deref();
    event.action = if row.kind == MESSAGE {
        let payload: MessagePayload = payload
            .map_or(Ok(MessagePayload::default()), serde_json::from_str)
            .map_err(|error| corrupt(error.to_string()))?;
        Action::Message(Message {
            body: if row.deleted_position.is_some() {
                Body::deleted()
            } else {
                Body::new(row.body.clone()).map_err(|error| corrupt(error.to_string()))?
            },
            reply_to: payload.reply_to,
            mentions: payload.mentions,
            everyone: payload.everyone,
        })
    } else {
        action(&event, &row.kind, payload).map_err(corrupt)?
    };
    Ok(Placed { position: position(row.position)?, event })
}

/// What the event did, read as it stood in the log.
fn action(event: &Event, kind: &str, payload: Option<&str>) -> Result<Action, String> {
    let payload = payload.map_or(Ok(Map::new()), serde_json::from_str::<Map<String, Value>>);
    let mut record = payload.map_err(|error| error.to_string())?;
    for (name, value) in [
        ("v", json!(milena_domain::record::VERSION)),
        ("type", json!(kind)),
        ("id", json!(event.id)),
        ("conversation", json!(event.conversation)),
        ("actor", json!(event.actor)),
        ("to", json!(event.to)),
        ("client_id", json!(event.client_id)),
        ("at", json!(event.at)),
        ("seen", json!(Position::ZERO)),
    ] {
        record.insert(name.to_owned(), value);
    }
    let value = serde_json::to_vec(&record).map_err(|error| error.to_string())?;
    let read = Event::decode(Some(event.key().as_bytes()), Some(&value));
    read.map(|read| read.action).map_err(|error| error.to_string())
}
