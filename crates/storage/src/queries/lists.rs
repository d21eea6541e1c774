//! Conversation lists, mended after a consumer of before has stored messages without them.
//!
//! The consumer writes the lists in the transaction that stores the messages. One of before knows nothing of
//! them and leaves `listed_offset` where it is. Asking costs a look at the offsets; mending, once after such
//! a consumer has ended or while it goes on, compares all conversations with the lists.
//!
//! Writing where each conversation stands in two lists costs as much as storing its messages, so a list knows
//! it by the beginning of a span of time only ([`listed_at_ms`]): what is written again and again within that
//! moves once. A page of the list reads what a span may hide besides, and sorts that itself.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, ExprTrait, QueryFilter};
use uuid::Uuid;

use crate::entities::consumer_offsets::{Column, Entity};
use crate::sql::statement;
use crate::store::begin_write;
use crate::{StorageError, Store, StoreKind};

/// The span. What a page reads besides its own rows are conversations of two of these: a person may be
/// written to in some thousands in that time, not in more.
pub(crate) const SPAN_MS: i64 = 5 * 60_000;

/// Where a conversation stands in lists: at most a span before its newest message, and never after it. So it
/// is also with rows of before, which have the message's own time.
pub(crate) const fn listed_at_ms(last_sent_at_ms: i64) -> i64 {
    last_sent_at_ms - last_sent_at_ms.rem_euclid(SPAN_MS)
}

/// Conversations that an upgrade lists in one go.
const PIECE: i64 = 5_000;

/// What is missing in the lists or stands elsewhere in them; ends with the conversations that are meant. The
/// time of a conversation is [`listed_at_ms`] in the database's words.
const LIST: &str = "INSERT INTO conversation_lists (conversation_id, user_id, last_sent_at_ms) \
    SELECT m.conversation_id, m.user_id, {listed} \
    FROM members m JOIN conversations c ON c.id = m.conversation_id \
    LEFT JOIN conversation_lists l ON l.conversation_id = m.conversation_id AND l.user_id = m.user_id \
    WHERE (l.user_id IS NULL OR l.last_sent_at_ms <> {listed})";

/// Lists conversations: all, or those of `which`, a condition on `c`.
fn list_statement(backend: sea_orm::DbBackend, which: &str) -> String {
    let newer = match backend {
        sea_orm::DbBackend::MySql => "ON DUPLICATE KEY UPDATE last_sent_at_ms = VALUES(last_sent_at_ms)",
        _ => {
            "ON CONFLICT (conversation_id, user_id) DO UPDATE SET last_sent_at_ms = EXCLUDED.last_sent_at_ms"
        }
    };
    // The remainder of a negative number is negative.
    let listed = format!("c.last_sent_at_ms - (c.last_sent_at_ms % {SPAN_MS} + {SPAN_MS}) % {SPAN_MS}");
    format!("{} {which} {newer}", LIST.replace("{listed}", &listed))
}

/// Brings all lists up to date, for an upgrade: some conversations in each transaction, and then what was
/// stored meanwhile.
pub(crate) async fn list_in_pieces(kind: StoreKind, connection: &DatabaseConnection) -> Result<(), DbErr> {
    const BOUNDARY: &str = "SELECT id FROM conversations WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?";
    if !is_behind(connection).await? {
        return Ok(());
    }
    let (mut after, mut more) = (Uuid::nil(), true);
    while more {
        let boundary = statement(kind, BOUNDARY, [after.into(), PIECE.into()]);
        let end: Option<Uuid> = match connection.query_one_raw(boundary).await? {
            Some(row) => Some(row.try_get_by_index(0)?),
            None => None,
        };
        more = end.is_some();
        let end = end.unwrap_or(Uuid::max());
        let text = list_statement(connection.get_database_backend(), "AND c.id > ? AND c.id <= ?");
        connection.execute_raw(statement(kind, &text, [after.into(), end.into()])).await?;
        after = end;
    }
    let transaction = begin_write(kind, connection).await?;
    list_all(&transaction).await?;
    transaction.commit().await
}

async fn is_behind(connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let behind = Entity::find().filter(Expr::col(Column::ListedOffset).ne(Expr::col(Column::NextOffset)));
    Ok(behind.one(connection).await?.is_some())
}

/// Brings all lists up to date.
async fn list_all(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    // The offsets are locked first: from here on no consumer of before stores anything unseen.
    let behind = Entity::update_many()
        .col_expr(Column::ListedOffset, Expr::col(Column::ListedOffset))
        .filter(Expr::col(Column::ListedOffset).ne(Expr::col(Column::NextOffset)))
        .exec(connection)
        .await?;
    if behind.rows_affected == 0 {
        return Ok(());
    }
    let partitions = Entity::find()
        .filter(Expr::col(Column::ListedOffset).ne(Expr::col(Column::NextOffset)))
        .all(connection)
        .await?;
    connection.execute_unprepared(&list_statement(connection.get_database_backend(), "")).await?;
    for partition in partitions {
        Entity::update_many()
            .col_expr(Column::ListedOffset, Expr::value(partition.next_offset))
            .filter(Column::Topic.eq(partition.topic))
            .filter(Column::PartitionId.eq(partition.partition_id))
            .filter(Column::Epoch.eq(partition.epoch))
            .filter(Column::NextOffset.eq(partition.next_offset))
            .exec(connection)
            .await?;
    }
    Ok(())
}

impl Store {
    /// Lists what a consumer of before has stored; answers whether there was anything.
    ///
    /// # Errors
    /// The database's. The call can be repeated.
    pub async fn mend_lists(&self) -> Result<bool, StorageError> {
        if !self.answer(async { Ok::<_, StorageError>(is_behind(self.reader()).await?) }).await? {
            return Ok(false);
        }
        self.bulk(async {
            let transaction = self.write_transaction().await?;
            list_all(&transaction).await?;
            Ok::<_, StorageError>(transaction.commit().await?)
        })
        .await?;
        Ok(true)
    }
}
