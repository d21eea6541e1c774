//! The pinned messages of a conversation.

use milena_domain::{ConversationId, UserId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use super::life::MessageNow;
use super::row_limit;
use super::timeline::{PositionRange, RANGES, Scope};
use crate::entities::messages::{self, Column};
use crate::sql::{backend, plan};
use crate::{StorageError, Store};

impl Store {
    /// The messages of a conversation that are pinned, as far as they are visible, the newest pin first, at
    /// most `limit`. Of reactions those of the people `asked` are told whatever their place.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that is no message.
    pub async fn pins(
        &self,
        conversation: ConversationId,
        visible: &[PositionRange],
        limit: usize,
        asked: &[UserId],
    ) -> Result<Vec<MessageNow>, StorageError> {
        let limit = row_limit(limit);
        let scope = Scope::new(pinned(conversation), visible);
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let mut rows = Vec::new();
            for ranges in scope.ranges.chunks(RANGES) {
                rows.extend(newest(scope.within(ranges), limit).all(&snapshot).await?);
            }
            rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.pinned_position));
            rows.truncate(limit as usize);
            let mut found = self.with_reactions(&snapshot, conversation, rows, asked).await?;
            snapshot.commit().await?;
            found.sort_unstable_by_key(|now| {
                std::cmp::Reverse(now.life.as_ref().and_then(|life| life.pinned))
            });
            Ok(found)
        })
        .await
    }

    /// How the database would find the pins of a conversation: for tests and operators.
    ///
    /// # Errors
    /// The database's.
    #[doc(hidden)]
    pub async fn plan_of_pins(&self, conversation: ConversationId) -> Result<Vec<String>, StorageError> {
        let scope = Scope::new(pinned(conversation), &[PositionRange::ALL]);
        let query = newest(scope.within(&scope.ranges), 100).build(backend(self.kind()));
        plan(self.kind(), self.reader(), query).await
    }
}

fn pinned(conversation: ConversationId) -> Select<messages::Entity> {
    messages::Entity::find()
        .filter(Column::ConversationId.eq(conversation.as_uuid()))
        .filter(Column::PinnedPosition.is_not_null())
        .filter(Column::DeletedPosition.is_null())
}

fn newest(rows: Select<messages::Entity>, limit: u64) -> Select<messages::Entity> {
    rows.order_by_desc(Column::PinnedPosition).limit(limit)
}
