//! What events have left in the store, whatever became of them since: for the proof that the store equals
//! the log.

use milena_domain::record::Role;
use milena_domain::{ConversationId, MessageId, Position, Timestamp, UserId};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter};

use super::offsets::{LogPosition, read_log_position};
use super::{moment, position};
use crate::entities::{effective_events, memberships, mentions, messages, reactions, void_records};
use crate::sql::padded;
use crate::{StorageError, Store};

/// Ids of one statement.
const IDS: usize = 512;
/// Keys of several columns of one statement.
const KEYS: usize = 128;

/// A row of the timeline as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    /// The event's id.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place.
    pub position: Position,
    /// Who did it.
    pub actor: UserId,
    /// In a direct conversation the other person; in a room the actor.
    pub to: UserId,
    /// The actor's name for it.
    pub client_id: String,
    /// When it happened.
    pub at: Timestamp,
    /// A message's text as it is now: empty when it was deleted.
    pub body: String,
    /// The event's type.
    pub kind: String,
    /// A message's number, where it has one.
    pub seq: Option<u64>,
    /// Where a message's text was last changed.
    pub edited: Option<Position>,
    /// Where a message was deleted.
    pub deleted: Option<Position>,
    /// JSON: what it has besides the text.
    pub payload: Option<String>,
    /// Where it was pinned, while it is.
    pub pinned: Option<Position>,
    /// Where the pin was taken out, while none is in.
    pub unpinned: Option<Position>,
    /// Where anything about it last changed.
    pub changed: Option<Position>,
}

/// How many traces the current epoch has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TraceCounts {
    /// Rows of the timeline.
    pub rows: u64,
    /// Effective events without a row.
    pub events: u64,
    /// Void records.
    pub void: u64,
    /// Reactions that were put in it.
    pub reactions: u64,
    /// People named in its messages.
    pub mentions: u64,
}

/// A reaction: where, to which message, whose, which one, and the event that put it.
pub type StoredReaction = (ConversationId, Position, UserId, String, Position);

/// Somebody is named: where, in which message, who.
pub type StoredMention = (ConversationId, Position, UserId);

/// An interval of membership: whose, where it began, as what, where it ended.
pub type StoredInterval = (ConversationId, UserId, Position, Role, Option<Position>);

fn place(stored: Option<i64>) -> Result<Option<Position>, StorageError> {
    stored.map(position).transpose()
}

impl TryFrom<messages::Model> for TimelineRow {
    type Error = StorageError;

    fn try_from(row: messages::Model) -> Result<Self, StorageError> {
        Ok(Self {
            id: MessageId::from_uuid(row.id),
            conversation: ConversationId::from_uuid(row.conversation_id),
            position: position(row.position)?,
            actor: UserId::from_uuid(row.sender_id),
            to: UserId::from_uuid(row.recipient_id),
            client_id: row.client_id,
            at: moment(row.sent_at_ms),
            body: row.body,
            kind: row.kind,
            seq: row.seq.and_then(|seq| u64::try_from(seq).ok()),
            edited: place(row.edited_position)?,
            deleted: place(row.deleted_position)?,
            payload: row.payload,
            pinned: place(row.pinned_position)?,
            unpinned: place(row.unpinned_position)?,
            changed: place(row.changed_position)?,
        })
    }
}

impl Store {
    /// The rows of the timeline among `ids`, deleted messages and what happened in rooms included, in no
    /// order.
    ///
    /// # Errors
    /// The database's.
    pub async fn timeline_rows(&self, ids: &[MessageId]) -> Result<Vec<TimelineRow>, StorageError> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(IDS) {
            let query = messages::Entity::find()
                .filter(messages::Column::Id.is_in(padded(chunk).map(|id| id.as_uuid())));
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            for row in rows {
                found.push(TimelineRow::try_from(row)?);
            }
        }
        Ok(found)
    }

    /// The places of the effective events among `ids` that have no row of the timeline.
    ///
    /// # Errors
    /// The database's.
    pub async fn effective_places(
        &self,
        ids: &[MessageId],
    ) -> Result<Vec<(MessageId, ConversationId, Position)>, StorageError> {
        let mut found = Vec::new();
        for chunk in ids.chunks(IDS) {
            let query = effective_events::Entity::find()
                .filter(effective_events::Column::Id.is_in(padded(chunk).map(|id| id.as_uuid())));
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            for row in rows {
                let conversation = ConversationId::from_uuid(row.conversation_id);
                found.push((MessageId::from_uuid(row.id), conversation, position(row.position)?));
            }
        }
        Ok(found)
    }

    /// The rows of the timeline at these places, in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn timeline_rows_at(
        &self,
        places: &[(ConversationId, Position)],
    ) -> Result<Vec<TimelineRow>, StorageError> {
        use messages::Column;
        let mut found = Vec::with_capacity(places.len());
        for chunk in places.chunks(KEYS) {
            let query =
                messages::Entity::find().filter(any_of(chunk, Column::ConversationId, Column::Position));
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            for row in rows {
                found.push(TimelineRow::try_from(row)?);
            }
        }
        Ok(found)
    }

    /// The reactions to the messages at these places.
    ///
    /// # Errors
    /// The database's.
    pub async fn reactions_at(
        &self,
        places: &[(ConversationId, Position)],
    ) -> Result<Vec<StoredReaction>, StorageError> {
        use reactions::Column;
        let mut found = Vec::new();
        for chunk in places.chunks(KEYS) {
            let any = any_of(chunk, Column::ConversationId, Column::TargetPosition);
            let query = reactions::Entity::find().filter(any);
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            for row in rows {
                found.push((
                    ConversationId::from_uuid(row.conversation_id),
                    position(row.target_position)?,
                    UserId::from_uuid(row.user_id),
                    row.emoji,
                    position(row.position)?,
                ));
            }
        }
        Ok(found)
    }

    /// Who is named in the messages at these places.
    ///
    /// # Errors
    /// The database's.
    pub async fn mentions_at(
        &self,
        places: &[(ConversationId, Position)],
    ) -> Result<Vec<StoredMention>, StorageError> {
        use mentions::Column;
        let mut found = Vec::new();
        for chunk in places.chunks(KEYS) {
            let any = any_of(chunk, Column::ConversationId, Column::Position);
            let query = mentions::Entity::find().filter(any);
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            for row in rows {
                let conversation = ConversationId::from_uuid(row.conversation_id);
                found.push((conversation, position(row.position)?, UserId::from_uuid(row.user_id)));
            }
        }
        Ok(found)
    }

    /// The void records at these places: id and reason of each.
    ///
    /// # Errors
    /// The database's.
    pub async fn void_at(
        &self,
        places: &[(ConversationId, Position)],
    ) -> Result<Vec<(ConversationId, Position, MessageId, String)>, StorageError> {
        use void_records::Column;
        let mut found = Vec::new();
        for chunk in places.chunks(KEYS) {
            let any = any_of(chunk, Column::ConversationId, Column::Position);
            let query = void_records::Entity::find().filter(any);
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            for row in rows {
                let conversation = ConversationId::from_uuid(row.conversation_id);
                found.push((conversation, position(row.position)?, MessageId::from_uuid(row.id), row.reason));
            }
        }
        Ok(found)
    }

    /// The intervals of membership that began at these places.
    ///
    /// # Errors
    /// The database's.
    pub async fn intervals_from(
        &self,
        keys: &[(ConversationId, UserId, Position)],
    ) -> Result<Vec<StoredInterval>, StorageError> {
        use memberships::Column;
        let mut found = Vec::new();
        for chunk in keys.chunks(KEYS) {
            let any = chunk.iter().fold(Condition::any(), |any, (conversation, user, from)| {
                any.add(
                    Condition::all()
                        .add(Column::ConversationId.eq(conversation.as_uuid()))
                        .add(Column::UserId.eq(user.as_uuid()))
                        .add(Column::FromPosition.eq(from.as_i64())),
                )
            });
            let query = memberships::Entity::find().filter(any);
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            for row in rows {
                found.push((
                    ConversationId::from_uuid(row.conversation_id),
                    UserId::from_uuid(row.user_id),
                    position(row.from_position)?,
                    role(&row.role)?,
                    place(row.to_position)?,
                ));
            }
        }
        Ok(found)
    }

    /// How far `topic` is stored, and what the current epoch has left, as of the same moment. Counts row by
    /// row: may take as long as a batch.
    ///
    /// # Errors
    /// The database's.
    pub async fn trace_counts(&self, topic: &str) -> Result<(LogPosition, TraceCounts), StorageError> {
        self.bulk(async {
            let snapshot = self.snapshot().await?;
            let at = read_log_position(&snapshot, topic).await?;
            let first = Position::new(at.epoch, 0).as_i64();
            let rows = messages::Entity::find().filter(messages::Column::Position.gte(first));
            let events =
                effective_events::Entity::find().filter(effective_events::Column::Position.gte(first));
            let void = void_records::Entity::find().filter(void_records::Column::Position.gte(first));
            let reactions = reactions::Entity::find().filter(reactions::Column::Position.gte(first));
            let mentions = mentions::Entity::find().filter(mentions::Column::Position.gte(first));
            let counts = TraceCounts {
                rows: rows.count(&snapshot).await?,
                events: events.count(&snapshot).await?,
                void: void.count(&snapshot).await?,
                reactions: reactions.count(&snapshot).await?,
                mentions: mentions.count(&snapshot).await?,
            };
            snapshot.commit().await?;
            Ok((at, counts))
        })
        .await
    }
}

/// At one of these places.
fn any_of(
    places: &[(ConversationId, Position)],
    conversation: impl ColumnTrait,
    position: impl ColumnTrait,
) -> Condition {
    places.iter().fold(Condition::any(), |any, (id, at)| {
        let is_it = Condition::all().add(conversation.eq(id.as_uuid())).add(position.eq(at.as_i64()));
        any.add(is_it)
    })
}

fn role(name: &str) -> Result<Role, StorageError> {
    match name {
        "member" => Ok(Role::Member),
        "moderator" => Ok(Role::Moderator),
        "owner" => Ok(Role::Owner),
        other => Err(StorageError::corrupt(format!("membership: no role is called {other}"))),
    }
}
