//! Read positions. They only grow, whoever writes them in whatever order.

use milena_domain::{ConversationId, Position, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::entities::members;
use crate::{StorageError, Store};

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
    /// yet has no members, and the caller tries again later.
    ///
    /// # Errors
    /// The database's. Some of the marks may be written then; the call can be repeated.
    pub async fn advance_reads(&self, marks: &[ReadMark]) -> Result<Vec<bool>, StorageError> {
        // The same order everywhere, so that two backends never wait for each other in a circle.
        let mut order: Vec<usize> = (0..marks.len()).collect();
        order.sort_by_key(|&index| (marks[index].conversation, marks[index].user));
        let mut stored = vec![false; marks.len()];
        for chunk in order.chunks(CHUNK) {
            self.bulk(async {
                let transaction = self.write_transaction().await?;
                for &index in chunk {
                    stored[index] = advance(&transaction, marks[index]).await?;
                }
                transaction.commit().await?;
                Ok::<_, StorageError>(())
            })
            .await?;
        }
        Ok(stored)
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
