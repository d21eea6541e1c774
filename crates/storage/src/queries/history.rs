//! A conversation's messages, page by page, and messages by id.

use std::collections::HashSet;

use milena_domain::{Body, ClientId, ConversationId, MessageId, Position, Timestamp, UserId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::{moment, position, row_limit};
use crate::entities::messages;
use crate::sql::padded;
use crate::{StorageError, Store};

/// The kind of messages.
pub(crate) const MESSAGE: &str = "message";
/// Ids of one statement.
const CHUNK: usize = 500;

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Unique for ever.
    pub id: MessageId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its place in the conversation.
    pub position: Position,
    /// Who wrote it.
    pub sender: UserId,
    /// To whom; the sender for notes to self, and in a room: see [`StoredMessage::recipient`].
    pub to: UserId,
    /// The sender's name for it.
    pub client_id: ClientId,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The text; none when it was deleted.
    pub body: Body,
    /// Whether anything about it has changed since it was written.
    pub is_changed: bool,
}

/// Which part of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The newest messages.
    Latest,
    /// The messages next before this position, which itself is not in the page.
    Before(Position),
    /// The messages next after this position, which itself is not in the page.
    After(Position),
    /// Half of the page before this position; then this position, if a message has it, and what follows. When
    /// one side has fewer, the other side has more.
    Around(Position),
}

/// A part of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// By position, ascending, whichever way the page was asked for.
    pub messages: Vec<StoredMessage>,
    /// There are older messages.
    pub has_before: bool,
    /// There are newer messages.
    pub has_after: bool,
}

impl Store {
    /// A page of at most `limit` messages (at least 1). The caller has checked that the reader is a member.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that is no message.
    pub async fn history(
        &self,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<HistoryPage, StorageError> {
        // Rows are only ever added at the end, so two queries need no common snapshot.
        let limit = row_limit(limit) as usize;
        self.answer(async {
            let (older, newer) = match page {
                Page::Latest => (self.older(conversation, None, limit).await?, Side::default()),
                Page::Before(end) => (
                    self.older(conversation, Some(end), limit).await?,
                    Side { rows: Vec::new(), more: self.exists_at_or_after(conversation, end).await? },
                ),
                Page::After(start) => {
                    // Positions are below 2^53: the next one can always be named.
                    let newer = self.newer(conversation, start.as_i64() + 1, limit).await?;
                    let more = self.exists_at_or_before(conversation, start).await?;
                    (Side { rows: Vec::new(), more }, newer)
                }
                Page::Around(middle) => {
                    let mut older = self.older(conversation, Some(middle), limit).await?;
                    let mut newer = self.newer(conversation, middle.as_i64(), limit).await?;
                    let (before, after) = split_around(older.rows.len(), newer.rows.len(), limit);
                    older.cut(before);
                    newer.cut(after);
                    (older, newer)
                }
            };
            let mut messages = Vec::with_capacity(older.rows.len() + newer.rows.len());
            for row in older.rows.into_iter().rev().chain(newer.rows) {
                messages.push(StoredMessage::try_from(row)?);
            }
            Ok(HistoryPage { messages, has_before: older.more, has_after: newer.more })
        })
        .await
    }

    /// A message by its id.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that is no message.
    pub async fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, StorageError> {
        self.answer(async {
            let found = with_words(messages::Entity::find())
                .filter(messages::Column::Id.eq(id.as_uuid()))
                .one(self.reader())
                .await?;
            found.map(StoredMessage::try_from).transpose()
        })
        .await
    }

    /// Those of `ids` that are stored.
    ///
    /// # Errors
    /// The database's.
    pub async fn existing_messages(&self, ids: &[MessageId]) -> Result<HashSet<MessageId>, StorageError> {
        self.answer(async {
            let mut existing = HashSet::new();
            for chunk in ids.chunks(CHUNK) {
                let found: Vec<uuid::Uuid> = messages::Entity::find()
                    .select_only()
                    .column(messages::Column::Id)
                    .filter(messages::Column::Id.is_in(padded(chunk).map(|id| id.as_uuid())))
                    .into_tuple()
                    .all(self.reader())
                    .await?;
                existing.extend(found.into_iter().map(MessageId::from_uuid));
            }
            Ok(existing)
        })
        .await
    }

    /// Newest first, below `end`.
    async fn older(
        &self,
        conversation: ConversationId,
        end: Option<Position>,
        limit: usize,
    ) -> Result<Side, StorageError> {
        let mut query = of(conversation).order_by_desc(messages::Column::Position);
        if let Some(end) = end {
            query = query.filter(messages::Column::Position.lt(end.as_i64()));
        }
        Ok(Side::new(query.limit(limit as u64 + 1).all(self.reader()).await?, limit))
    }

    /// Oldest first, from `start`.
    async fn newer(
        &self,
        conversation: ConversationId,
        start: i64,
        limit: usize,
    ) -> Result<Side, StorageError> {
        let query = of(conversation)
            .filter(messages::Column::Position.gte(start))
            .order_by_asc(messages::Column::Position);
        Ok(Side::new(query.limit(limit as u64 + 1).all(self.reader()).await?, limit))
    }

    async fn exists_at_or_after(&self, id: ConversationId, at: Position) -> Result<bool, StorageError> {
        let query = of(id).filter(messages::Column::Position.gte(at.as_i64()));
        self.any(query).await
    }

    async fn exists_at_or_before(&self, id: ConversationId, at: Position) -> Result<bool, StorageError> {
        let query = of(id).filter(messages::Column::Position.lte(at.as_i64()));
        self.any(query).await
    }

    async fn any(&self, query: Select<messages::Entity>) -> Result<bool, StorageError> {
        let found: Option<i64> = query
            .select_only()
            .column(messages::Column::Position)
            .limit(1)
            .into_tuple()
            .one(self.reader())
            .await?;
        Ok(found.is_some())
    }
}

/// Messages that have their words: a timeline has more.
fn of(conversation: ConversationId) -> Select<messages::Entity> {
    with_words(messages::Entity::find()).filter(messages::Column::ConversationId.eq(conversation.as_uuid()))
}

/// Neither what happened in a room nor what was deleted.
pub(super) fn with_words(query: Select<messages::Entity>) -> Select<messages::Entity> {
    query.filter(messages::Column::Kind.eq(MESSAGE)).filter(messages::Column::DeletedPosition.is_null())
}

/// What lies on one side of a position: the nearest rows, and whether there are more beyond.
#[derive(Default)]
pub(super) struct Side {
    pub(super) rows: Vec<messages::Model>,
    pub(super) more: bool,
}

impl Side {
    /// `rows` were asked for with one more than `limit`.
    pub(super) fn new(mut rows: Vec<messages::Model>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, more }
    }

    pub(super) fn cut(&mut self, keep: usize) {
        self.more |= self.rows.len() > keep;
        self.rows.truncate(keep);
    }
}

/// How many of the available older and newer messages make a page of `limit` around a position: half each,
/// the odd one to the newer side, and what one side lacks to the other.
pub(super) fn split_around(older: usize, newer: usize, limit: usize) -> (usize, usize) {
    let half = limit / 2;
    let before = older.min(half.max(limit.saturating_sub(newer)));
    (before, newer.min(limit - before))
}

impl StoredMessage {
    /// The other person of a direct conversation; `None` in a room.
    #[must_use]
    pub fn recipient(&self) -> Option<UserId> {
        recipient(self.conversation, self.sender, self.to)
    }
}

/// A room's rows have the actor in the recipient's place.
pub(super) fn recipient(conversation: ConversationId, actor: UserId, to: UserId) -> Option<UserId> {
    (ConversationId::direct(actor, to) == conversation).then_some(to)
}

impl TryFrom<messages::Model> for StoredMessage {
    type Error = StorageError;

    fn try_from(row: messages::Model) -> Result<Self, StorageError> {
        let corrupt =
            |error: milena_domain::FieldError| StorageError::corrupt(format!("message {}: {error}", row.id));
        Ok(Self {
            id: MessageId::from_uuid(row.id),
            conversation: ConversationId::from_uuid(row.conversation_id),
            position: position(row.position)?,
            sender: UserId::from_uuid(row.sender_id),
            to: UserId::from_uuid(row.recipient_id),
            client_id: ClientId::new(&row.client_id).map_err(corrupt)?,
            sent_at: moment(row.sent_at_ms),
            body: if row.deleted_position.is_some() {
                Body::deleted()
            } else {
                Body::new(row.body).map_err(corrupt)?
            },
            is_changed: row.changed_position.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn around_fills_the_page_from_both_sides(
            older in 0_usize..300, newer in 0_usize..300, limit in 1_usize..200
        ) {
            let (before, after) = split_around(older, newer, limit);
            prop_assert!(before <= older && after <= newer);
            // Never more, and less only when there is no more.
            prop_assert_eq!(before + after, limit.min(older + newer));
            if older >= limit && newer >= limit {
                prop_assert_eq!((before, after), (limit / 2, limit - limit / 2));
            }
            prop_assert!(newer == 0 || after > 0, "the position itself is always in the page");
        }
    }
}
