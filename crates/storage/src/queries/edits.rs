//! What an edited message said, where that is kept.

use milena_domain::{Body, ConversationId, Position, Timestamp};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{moment, position, row_limit};
use crate::entities::message_edits::{self, Column};
use crate::{StorageError, Store};

/// Words of a message, those that it has now among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEdit {
    /// Where they were said: the message's own place, or the edit's.
    pub position: Position,
    /// When.
    pub at: Timestamp,
    /// The words.
    pub body: Body,
}

impl Store {
    /// What a message said, the newest before a place, at most `limit`, oldest first; and whether there is
    /// more before that. Nothing of one that was never edited while that was kept, or that was deleted.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn edits_of(
        &self,
        conversation: ConversationId,
        target: Position,
        before: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<StoredEdit>, bool), StorageError> {
        let limit = row_limit(limit) as usize;
        let query = message_edits::Entity::find()
            .filter(Column::ConversationId.eq(conversation.as_uuid()))
            .filter(Column::TargetPosition.eq(target.as_i64()))
            .filter(Column::Position.lt(before.map_or(i64::MAX, Position::as_i64)))
            .order_by_desc(Column::Position)
            .limit(limit as u64 + 1);
        self.answer(async {
            let rows = query.all(self.reader()).await?;
            let has_before = rows.len() > limit;
            let edit = |row: message_edits::Model| -> Result<StoredEdit, StorageError> {
                let corrupt = |error| StorageError::corrupt(format!("an edit of {target}: {error}"));
                Ok(StoredEdit {
                    position: position(row.position)?,
                    at: moment(row.at_ms),
                    body: Body::new(row.body).map_err(corrupt)?,
                })
            };
            let edits = rows.into_iter().take(limit).rev().map(edit).collect::<Result<_, _>>()?;
            Ok((edits, has_before))
        })
        .await
    }
}
