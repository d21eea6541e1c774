//! What became of messages: edits, deletions, pins and reactions, as the store has them.
//!
//! A row says where anything about it changed last ([`StoredLife::changed`]), and rows and reactions are read
//! in one snapshot: so whoever holds changes that the store may lack knows exactly which to add. A page costs
//! nothing here unless something on it has changed, and then what grouping the reactions costs
//! ([`super::reactions`]).

use std::collections::{BTreeMap, HashMap};

use milena_domain::record::{Action, Emoji, Placed};
use milena_domain::{ConversationId, MessageId, Position, Timestamp, UserId};
use milena_timeline::Item;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, Value,
};
use serde::Deserialize;
use uuid::Uuid;

use super::history::MESSAGE;
use super::offsets::{LogPosition, read_log_position};
use super::timeline::placed;
use super::{moment, position, row_limit};
use crate::entities::messages::{self, Column};
use crate::sql::{padded, statement};
use crate::{StorageError, Store};

/// People of a group who are named.
pub const NAMED_OF_REACTION: usize = 5;
/// Different reactions to a message that are told: those that came first.
pub const REACTIONS_TOLD: usize = 100;
/// Messages of one statement.
const PLACES: usize = 512;

/// A message as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageNow {
    /// With its newest words; with none when it was deleted.
    pub placed: Placed,
    /// What became of it; `None` while it is as it was written.
    pub life: Option<StoredLife>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLife {
    /// The last change: this and all before it are in here.
    pub changed: Position,
    /// The newest edit.
    pub edited: Option<Position>,
    /// Where it was deleted, by whom, and why.
    pub deleted: Option<(Position, UserId, Option<String>)>,
    /// Where it was pinned, while it is.
    pub pinned: Option<Position>,
    /// In the order in which they came first; empty when it was deleted.
    pub reactions: Vec<StoredReactions>,
}

/// One reaction to a message, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReactions {
    /// Which.
    pub emoji: String,
    /// How many people.
    pub count: u64,
    /// The first of them, in order: whose, and where it was put.
    pub first: Vec<(UserId, Position)>,
    /// Those of the people who were asked for.
    pub asked: Vec<(UserId, Position)>,
}

/// What decides about a message that somebody wants to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredFacts {
    /// The message; `None` when there is none at that place.
    pub item: Option<Item>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// Who is named in it.
    pub mentions: Vec<UserId>,
    /// The reactions of those who were asked for: everybody is in it.
    pub mine: HashMap<UserId, BTreeMap<Emoji, Position>>,
}

impl Store {
    /// The messages at these places as they are now, deleted ones too, by position. Of reactions those of the
    /// people `asked` are told whatever their place.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that is no message.
    pub async fn messages_now(
        &self,
        conversation: ConversationId,
        places: &[Position],
        asked: &[UserId],
    ) -> Result<Vec<MessageNow>, StorageError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let mut found = Vec::with_capacity(places.len());
            for chunk in places.chunks(PLACES) {
                let rows = messages::Entity::find()
                    .filter(Column::ConversationId.eq(conversation.as_uuid()))
                    .filter(Column::Position.is_in(padded(chunk).map(|place| place.as_i64())))
                    .filter(Column::Kind.eq(MESSAGE))
                    .all(&snapshot)
                    .await?;
                found.extend(self.with_reactions(&snapshot, conversation, rows, asked).await?);
            }
            snapshot.commit().await?;
            found.sort_unstable_by_key(|now| now.placed.position);
            Ok(found)
        })
        .await
    }

    /// The messages of a conversation of which something changed after a place, deleted ones too, in the
    /// order of their last changes, at most `limit`; and whether there are more. One look into the index,
    /// whenever that was.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that is no message.
    pub async fn changed_after(
        &self,
        conversation: ConversationId,
        after: Position,
        limit: usize,
        asked: &[UserId],
    ) -> Result<(Vec<MessageNow>, bool), StorageError> {
        let limit = row_limit(limit) as usize;
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let mut rows = messages::Entity::find()
                .filter(Column::ConversationId.eq(conversation.as_uuid()))
                .filter(Column::ChangedPosition.gt(after.as_i64()))
                .order_by_asc(Column::ChangedPosition)
                .limit(limit as u64 + 1)
                .all(&snapshot)
                .await?;
            let has_more = rows.len() > limit;
            rows.truncate(limit);
            let mut found = self.with_reactions(&snapshot, conversation, rows, asked).await?;
            snapshot.commit().await?;
            found.sort_unstable_by_key(|now| now.life.as_ref().map(|life| life.changed));
            Ok((found, has_more))
        })
        .await
    }

    /// What decides about the message at a place, with the reactions of these people to it, and how far the
    /// log was stored then.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn message_facts(
        &self,
        topic: &str,
        conversation: ConversationId,
        place: Position,
        people: &[UserId],
    ) -> Result<(StoredFacts, LogPosition), StorageError> {
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let log = read_log_position(&snapshot, topic).await?;
            let row = messages::Entity::find_by_id((conversation.as_uuid(), place.as_i64()))
                .filter(Column::Kind.eq(MESSAGE))
                .one(&snapshot)
                .await?;
            let mut facts = StoredFacts {
                mine: people.iter().map(|user| (*user, BTreeMap::new())).collect(),
                ..StoredFacts::default()
            };
            if let Some(row) = row {
                facts.sent_at = Some(moment(row.sent_at_ms));
                facts.item = Some(item(&row)?);
                if let Action::Message(words) = placed(row)?.event.action {
                    facts.mentions = words.mentions;
                }
                self.add_mine(&snapshot, conversation, place, people, &mut facts.mine).await?;
            }
            snapshot.commit().await?;
            Ok((facts, log))
        })
        .await
    }

    async fn add_mine(
        &self,
        snapshot: &DatabaseTransaction,
        conversation: ConversationId,
        place: Position,
        people: &[UserId],
        mine: &mut HashMap<UserId, BTreeMap<Emoji, Position>>,
    ) -> Result<(), StorageError> {
        for chunk in people.chunks(PLACES) {
            let among = vec!["?"; padded(chunk).len()].join(", ");
            let text = format!(
                "SELECT user_id, emoji, position FROM reactions \
                 WHERE conversation_id = ? AND target_position = ? AND user_id IN ({among})"
            );
            let values = [conversation.as_uuid().into(), place.as_i64().into()]
                .into_iter()
                .chain(padded(chunk).map(|user| Value::from(user.as_uuid())));
            for row in snapshot.query_all_raw(statement(self.kind(), &text, values)).await? {
                let emoji: String = row.try_get("", "emoji")?;
                let emoji = Emoji::new(&emoji)
                    .map_err(|error| StorageError::corrupt(format!("a stored reaction: {error}")))?;
                mine.entry(user(&row)?).or_default().insert(emoji, position(row.try_get("", "position")?)?);
            }
        }
        Ok(())
    }

    /// Rows of messages with what became of them, in no order.
    pub(super) async fn with_reactions(
        &self,
        snapshot: &DatabaseTransaction,
        conversation: ConversationId,
        rows: Vec<messages::Model>,
        asked: &[UserId],
    ) -> Result<Vec<MessageNow>, StorageError> {
        let reacted: Vec<i64> = rows
            .iter()
            .filter(|row| row.changed_position.is_some() && row.deleted_position.is_none())
            .map(|row| row.position)
            .collect();
        let mut reactions = self.grouped(snapshot, conversation, &reacted, asked).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let reactions = reactions.remove(&row.position).unwrap_or_default();
            let life = life(&row, reactions)?;
            found.push(MessageNow { placed: placed(row)?, life });
        }
        Ok(found)
    }
}

/// What a deleted message's row says besides.
#[derive(Deserialize)]
struct DeletedPayload {
    deleted_by: UserId,
    reason: Option<String>,
}

fn life(row: &messages::Model, reactions: Vec<StoredReactions>) -> Result<Option<StoredLife>, StorageError> {
    let Some(changed) = place(row.changed_position)? else { return Ok(None) };
    let deleted = match place(row.deleted_position)? {
        None => None,
        Some(at) => {
            let said: Option<DeletedPayload> =
                row.payload.as_deref().and_then(|payload| serde_json::from_str(payload).ok());
            let by = said.as_ref().map_or(UserId::from_uuid(row.sender_id), |said| said.deleted_by);
            Some((at, by, said.and_then(|said| said.reason)))
        }
    };
    let is_there = deleted.is_none();
    Ok(Some(StoredLife {
        changed,
        edited: place(row.edited_position)?.filter(|_| is_there),
        pinned: place(row.pinned_position)?.filter(|_| is_there),
        deleted,
        reactions,
    }))
}

fn item(row: &messages::Model) -> Result<Item, StorageError> {
    let pinned = place(row.pinned_position)?.map(|at| (at, true));
    let unpinned = place(row.unpinned_position)?.map(|at| (at, false));
    Ok(Item {
        id: MessageId::from_uuid(row.id),
        author: UserId::from_uuid(row.sender_id),
        deleted: place(row.deleted_position)?,
        pinned: pinned.or(unpinned),
    })
}

fn place(stored: Option<i64>) -> Result<Option<Position>, StorageError> {
    stored.map(position).transpose()
}

fn user(row: &QueryResult) -> Result<UserId, StorageError> {
    Ok(UserId::from_uuid(row.try_get::<Uuid>("", "user_id")?))
}
