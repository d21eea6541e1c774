//! Who blocks the other in a direct conversation.

use futures::TryStreamExt;
use milena_domain::{ConversationId, Position, UserId};
use sea_orm::StreamTrait;
use uuid::Uuid;

use super::offsets::{LogPosition, read_log_position};
use super::position;
use crate::sql::statement;
use crate::{StorageError, Store};

/// Blocks as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlocks {
    /// Where, who blocks, and since which event; by conversation.
    pub blocks: Vec<(ConversationId, UserId, Position)>,
    /// Whether these are all.
    pub is_complete: bool,
    /// How far the log was stored then.
    pub log: LogPosition,
}

impl Store {
    /// All blocks, for a backend that starts: at most `limit`, whatever that is. May take as long as a batch.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn blocks(&self, topic: &str, limit: usize) -> Result<StoredBlocks, StorageError> {
        const ALL: &str = "SELECT conversation_id, user_id, position FROM blocks \
            ORDER BY conversation_id, user_id LIMIT ?";
        self.bulk(async {
            let snapshot = self.snapshot().await?;
            let log = read_log_position(&snapshot, topic).await?;
            let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
            let mut blocks = Vec::new();
            {
                let mut rows = snapshot.stream_raw(statement(self.kind(), ALL, [one_more.into()])).await?;
                while let Some(row) = rows.try_next().await? {
                    let conversation = ConversationId::from_uuid(row.try_get::<Uuid>("", "conversation_id")?);
                    let user = UserId::from_uuid(row.try_get::<Uuid>("", "user_id")?);
                    blocks.push((conversation, user, position(row.try_get("", "position")?)?));
                }
            }
            snapshot.commit().await?;
            let is_complete = blocks.len() <= limit;
            blocks.truncate(limit);
            Ok(StoredBlocks { blocks, is_complete, log })
        })
        .await
    }
}
