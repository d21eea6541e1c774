//! The ids that were used in a room lately: what a backend that begins to follow it must know of repeats.

use milena_domain::{ConversationId, MessageId, Position};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::queries::position;
use crate::sql::statement;
use crate::{StorageError, Store};

/// Both by an index of conversations and places.
const SINCE: &str = "SELECT id, position FROM messages WHERE conversation_id = ? AND position >= ? \
    UNION ALL \
    SELECT id, position FROM effective_events WHERE conversation_id = ? AND position >= ? \
    ORDER BY position";

impl Store {
    /// What counted from `first` on, whether it has a row of the timeline or only changed something there:
    /// ids and places, in order. The caller bounds it by how far back it asks.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn ids_since(
        &self,
        conversation: ConversationId,
        first: Position,
    ) -> Result<Vec<(MessageId, Position)>, StorageError> {
        self.answer(async {
            let bounds = [conversation.as_uuid().into(), first.as_i64().into()];
            let values = [bounds.clone(), bounds].concat();
            let rows = self.reader().query_all_raw(statement(self.kind(), SINCE, values)).await?;
            rows.iter()
                .map(|row| {
                    let id = MessageId::from_uuid(row.try_get::<Uuid>("", "id")?);
                    Ok((id, position(row.try_get("", "position")?)?))
                })
                .collect()
        })
        .await
    }
}
