//! What a proof that the store equals the log asks for, and whoever looks for repeats.

use milena_domain::{MessageId, Position};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::history::{MESSAGE, StoredMessage};
use super::offsets::{LogPosition, read_log_position};
use crate::entities::messages;
use crate::sql::padded;
use crate::{StorageError, Store};

/// Ids of one statement.
const CHUNK: usize = 512;

impl Store {
    /// The messages among `ids` that are stored, deleted ones too, in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn messages_by_id(&self, ids: &[MessageId]) -> Result<Vec<StoredMessage>, StorageError> {
        self.answer(async {
            let mut found = Vec::with_capacity(ids.len());
            for chunk in ids.chunks(CHUNK) {
                let rows = messages::Entity::find()
                    .filter(messages::Column::Kind.eq(MESSAGE))
                    .filter(messages::Column::Id.is_in(padded(chunk).map(|id| id.as_uuid())))
                    .all(self.reader())
                    .await?;
                for row in rows {
                    found.push(StoredMessage::try_from(row)?);
                }
            }
            Ok(found)
        })
        .await
    }

    /// How far `topic` is stored, and how many messages the current epoch has, as of the same moment. Counts
    /// row by row: may take as long as a batch.
    ///
    /// # Errors
    /// The database's.
    pub async fn stored_count(&self, topic: &str) -> Result<(LogPosition, u64), StorageError> {
        self.bulk(async {
            let snapshot = self.snapshot().await?;
            let position = read_log_position(&snapshot, topic).await?;
            let first = Position::new(position.epoch, 0).as_i64();
            let count = messages::Entity::find()
                .filter(messages::Column::Position.gte(first))
                .count(&snapshot)
                .await?;
            snapshot.commit().await?;
            Ok((position, count))
        })
        .await
    }
}
