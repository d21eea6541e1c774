//! How far a topic is rewritten without the words of deleted messages: whoever begins that notes each stage
//! here before the next one, so that it goes on where it was cut off, and no program runs meanwhile.

use milena_domain::{ConversationId, MessageId, Position, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, Value};
use uuid::Uuid;

use super::position;
use crate::entities::log_rewrites::{ActiveModel, Column, Entity};
use crate::sql::statement;
use crate::{StorageError, Store};

/// What was done, and what is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RewriteStage {
    /// The topic is copied, without the words; it is as it was.
    Copying = 1,
    /// The copy is complete and was compared record by record.
    Copied = 2,
    /// The copy is the log; the topic of before goes, and is made anew.
    Replacing = 3,
    /// The new topic is complete and was compared: the copy may go.
    Replaced = 4,
}

/// Ids of one question.
const PAGE: usize = 10_000;

/// Whatever was deleted has changed, of which there is an index.
const DELETED: &str = "\
    SELECT id, conversation_id, changed_position FROM messages \
    WHERE changed_position IS NOT NULL AND deleted_position IS NOT NULL \
    AND (conversation_id > ? OR (conversation_id = ? AND changed_position > ?)) \
    ORDER BY conversation_id, changed_position LIMIT ?";

impl Store {
    /// How far a topic is rewritten; `None` when nobody has begun.
    ///
    /// # Errors
    /// The database's.
    pub async fn rewrite_stage(&self, topic: &str) -> Result<Option<RewriteStage>, StorageError> {
        use RewriteStage::{Copied, Copying, Replaced, Replacing};
        self.answer(async {
            let row = Entity::find_by_id(topic).one(self.reader()).await?;
            let Some(row) = row else { return Ok(None) };
            let stages = [Copying, Copied, Replacing, Replaced].into_iter();
            let stage = stages.into_iter().find(|stage| *stage as i32 == row.stage);
            stage.map(Some).ok_or_else(|| StorageError::corrupt(format!("{} is no stage", row.stage)))
        })
        .await
    }

    /// Notes how far a topic is rewritten; `None` when that is done.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_rewrite(&self, topic: &str, stage: Option<RewriteStage>) -> Result<(), StorageError> {
        self.answer(async {
            let Some(stage) = stage else {
                Entity::delete_by_id(topic).exec(self.writer()).await?;
                return Ok(());
            };
            let row = ActiveModel {
                topic: Set(topic.to_owned()),
                stage: Set(stage as i32),
                began_at_ms: Set(Timestamp::now().unix_ms()),
            };
            let newer = OnConflict::column(Column::Topic).update_column(Column::Stage).to_owned();
            Entity::insert(row).on_conflict(newer).exec_without_returning(self.writer()).await?;
            Ok(())
        })
        .await
    }

    /// The ids of all messages that were deleted, from after `after` on, some thousands of them; and where to
    /// go on.
    ///
    /// # Errors
    /// The database's.
    pub async fn deleted_messages(
        &self,
        after: Option<(ConversationId, Position)>,
    ) -> Result<(Vec<MessageId>, Option<(ConversationId, Position)>), StorageError> {
        let (id, place) = after.map_or((Uuid::nil(), -1), |(id, place)| (id.as_uuid(), place.as_i64()));
        let values: [Value; 4] = [id.into(), id.into(), place.into(), (PAGE as i64).into()];
        self.bulk(async {
            let rows = self.reader().query_all_raw(statement(self.kind(), DELETED, values)).await?;
            let last = match rows.last().filter(|_| rows.len() == PAGE) {
                Some(last) => Some((
                    ConversationId::from_uuid(last.try_get::<Uuid>("", "conversation_id")?),
                    position(last.try_get("", "changed_position")?)?,
                )),
                None => None,
            };
            let id = |row: &sea_orm::QueryResult| Ok(MessageId::from_uuid(row.try_get::<Uuid>("", "id")?));
            Ok((rows.iter().map(id).collect::<Result<_, StorageError>>()?, last))
        })
        .await
    }
}
