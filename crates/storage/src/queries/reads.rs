//! Read positions. They only grow, whoever writes them in whatever order.
//!
//! Of two people they stand in `members`, whose rows the consumer makes. Of a room they stand in
//! `room_reads`, apart from the memberships, which are of the log: a row is made by the first mark.

use std::collections::HashSet;

use milena_domain::{ConversationId, Position, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, Value};
use uuid::Uuid;

use crate::entities::members;
use crate::sql::{keep_greatest, padded, statement};
use crate::{StorageError, Store, StoreKind};

/// Marks of one transaction.
const CHUNK: usize = 500;

/// Somebody has read up to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadMark {
    /// Who.
    pub user: UserId,
    /// Where.
    pub conversation: ConversationId,
    /// Up to and including this position; it may be beyond what is stored.
    pub position: Position,
}

impl Store {
    /// Moves read positions forward; a mark that is not beyond the stored one changes nothing. Answers, mark
    /// by mark, whether the member is stored: a conversation whose first message the consumer has not written
    /// yet has no members, and the caller tries again later. Whoever was once in a room counts as stored.
    ///
    /// # Errors
    /// The database's. Some of the marks may be written then; the call can be repeated.
    pub async fn advance_reads(&self, marks: &[ReadMark]) -> Result<Vec<bool>, StorageError> {
        // The same order everywhere, so that two backends never wait for each other in a circle.
        let mut order: Vec<usize> = (0..marks.len()).collect();
        order.sort_by_key(|&index| (marks[index].conversation, marks[index].user));
        let mut stored = vec![false; marks.len()];
        for chunk in order.chunks(CHUNK) {
            self.bulk(Box::pin(async {
                let transaction = self.write_transaction().await?;
                let rooms = self.rooms_among(&transaction, chunk.iter().map(|&index| marks[index])).await?;
                for &index in chunk {
                    let mark = marks[index];
                    stored[index] = if rooms.contains(&mark.conversation.as_uuid()) {
                        advance_in_room(self.kind(), &transaction, mark).await?
                    } else {
                        advance(&transaction, mark).await?
                    };
                }
                transaction.commit().await?;
                Ok::<_, StorageError>(())
            }))
            .await?;
        }
        Ok(stored)
    }

    /// Which of the conversations are rooms.
    async fn rooms_among(
        &self,
        transaction: &DatabaseTransaction,
        marks: impl Iterator<Item = ReadMark>,
    ) -> Result<HashSet<Uuid>, StorageError> {
        let mut ids: Vec<Uuid> = marks.map(|mark| mark.conversation.as_uuid()).collect();
        ids.dedup();
        let values = padded(&ids).map(|id| Value::from(*id));
        let text = format!(
            "SELECT id FROM conversations WHERE kind = 'room' AND id IN ({})",
            vec!["?"; values.len()].join(", ")
        );
        let rows = transaction.query_all_raw(statement(self.kind(), &text, values)).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }
}

async fn advance(transaction: &DatabaseTransaction, mark: ReadMark) -> Result<bool, StorageError> {
    let key = (mark.conversation.as_uuid(), mark.user.as_uuid());
    let advanced = members::Entity::update_many()
        .col_expr(members::Column::LastRead, Expr::value(mark.position.as_i64()))
        .filter(members::Column::ConversationId.eq(key.0))
        .filter(members::Column::UserId.eq(key.1))
        .filter(members::Column::LastRead.lt(mark.position.as_i64()))
        .exec(transaction)
        .await?;
    if advanced.rows_affected > 0 {
        return Ok(true);
    }
    Ok(members::Entity::find_by_id(key).one(transaction).await?.is_some())
}

async fn advance_in_room(
    kind: StoreKind,
    transaction: &DatabaseTransaction,
    mark: ReadMark,
) -> Result<bool, StorageError> {
    const KNOWN: &str =
        "SELECT from_position FROM memberships WHERE conversation_id = ? AND user_id = ? LIMIT 1";
    let key = || -> [Value; 2] { [mark.conversation.as_uuid().into(), mark.user.as_uuid().into()] };
    if transaction.query_one_raw(statement(kind, KNOWN, key())).await?.is_none() {
        return Ok(false);
    }
    let newer = keep_greatest(kind, "room_reads", "last_read");
    let text =
        format!("INSERT INTO room_reads (conversation_id, user_id, last_read) VALUES (?, ?, ?) {newer}");
    let values = key().into_iter().chain([mark.position.as_i64().into()]);
    transaction.execute_raw(statement(kind, &text, values)).await?;
    Ok(true)
}
