//! The ids that were used in a room lately: what a backend that begins to follow it must know of repeats.

use milena_domain::{ConversationId, MessageId, Position};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::entities::messages;
use crate::queries::position;
use crate::{StorageError, Store};

impl Store {
    /// What stands in the timeline from `first` on: ids and places, in order. The caller bounds it by how far
    /// back it asks.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn ids_since(
        &self,
        conversation: ConversationId,
        first: Position,
    ) -> Result<Vec<(MessageId, Position)>, StorageError> {
        self.answer(async {
            let rows: Vec<(Uuid, i64)> = messages::Entity::find()
                .select_only()
                .column(messages::Column::Id)
                .column(messages::Column::Position)
                .filter(messages::Column::ConversationId.eq(conversation.as_uuid()))
                .filter(messages::Column::Position.gte(first.as_i64()))
                .order_by_asc(messages::Column::Position)
                .into_tuple()
                .all(self.reader())
                .await?;
            rows.into_iter().map(|(id, at)| Ok((MessageId::from_uuid(id), position(at)?))).collect()
        })
        .await
    }
}
