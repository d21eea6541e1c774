//! `seq`, the dense number of a conversation's messages, where the writer did not give it: what programs of
//! the first versions have stored, before an upgrade and beside it, and what a replay has put back in the
//! middle.
//!
//! A conversation says itself up to where it is numbered. The writer moves `numbered_position` together with
//! `last_position`; a program of before moves the latter only. Where they differ, what lies behind
//! `numbered_position` is numbered on from `last_seq`, a bounded piece at a time, by whoever finds it first:
//! the piece begins with a compare-and-set on the conversation's row.

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, Value};
use uuid::Uuid;

use crate::sql::statement;
use crate::store::begin_write;
use crate::{StorageError, Store, StoreKind};

/// Rows of the timeline that one transaction numbers, about.
const PIECE_ROWS: i64 = 10_000;
/// Conversations that are looked at in one go.
const CONVERSATIONS: i64 = 500;

const BEHIND: &str = "SELECT id, numbered_position, last_seq, last_position FROM conversations \
    WHERE id > ? AND numbered_position <> last_position ORDER BY id LIMIT ?";

const ONE: &str = "SELECT id, numbered_position, last_seq, last_position FROM conversations \
    WHERE id = ? AND numbered_position <> last_position";

const PIECE: &str = "SELECT COUNT(*) AS in_all, MAX(position) AS last, \
    COUNT(CASE WHEN kind = 'message' THEN 1 END) AS messages, \
    MAX(CASE WHEN kind = 'message' THEN position END) AS last_message \
    FROM (SELECT position, kind FROM messages WHERE conversation_id = ? AND position > ? \
    ORDER BY position LIMIT ?) piece";

const ADVANCE: &str = "UPDATE conversations SET numbered_position = ?, last_seq = ? \
    WHERE id = ? AND numbered_position = ? AND last_seq = ?";

/// Messages get their own number, what happened in a room that of the last message before it.
const NUMBERED: &str = "(SELECT position, ? + COUNT(CASE WHEN kind = 'message' THEN 1 END) \
    OVER (ORDER BY position) AS seq FROM messages \
    WHERE conversation_id = ? AND position > ? AND position <= ?) piece";

/// A conversation of which not all is numbered.
struct Behind {
    id: Uuid,
    numbered: i64,
    seq: i64,
    last: i64,
}

/// Numbers everything that is not numbered; answers how many messages that were.
pub(crate) async fn number_all(kind: StoreKind, connection: &DatabaseConnection) -> Result<u64, DbErr> {
    let (mut total, mut after) = (0, Value::from(Uuid::nil()));
    loop {
        let query = statement(kind, BEHIND, [after.clone(), CONVERSATIONS.into()]);
        let found = behind(connection.query_all_raw(query).await?)?;
        let Some(last) = found.last() else { return Ok(total) };
        after = last.id.into();
        let mut left = found.into_iter().peekable();
        while left.peek().is_some() {
            let (transaction, mut rows) = (begin_write(kind, connection).await?, 0);
            let mut longer = Vec::new();
            while rows < PIECE_ROWS
                && let Some(conversation) = left.next()
            {
                let (in_piece, messages) = number_piece(kind, &transaction, &conversation).await?;
                rows += in_piece;
                total += messages;
                if in_piece == PIECE_ROWS {
                    longer.push(conversation.id);
                }
            }
            transaction.commit().await?;
            for id in longer {
                total += number_one(kind, connection, id).await?;
            }
        }
    }
}

/// Numbers the rest of one conversation; answers how many messages that were.
pub(crate) async fn number_one(
    kind: StoreKind,
    connection: &DatabaseConnection,
    id: Uuid,
) -> Result<u64, DbErr> {
    let mut total = 0;
    loop {
        let transaction = begin_write(kind, connection).await?;
        let query = statement(kind, ONE, [id.into()]);
        let found = behind(transaction.query_all_raw(query).await?)?;
        for conversation in &found {
            total += number_piece(kind, &transaction, conversation).await?.1;
        }
        transaction.commit().await?;
        if found.is_empty() {
            return Ok(total);
        }
    }
}

fn behind(rows: Vec<sea_orm::QueryResult>) -> Result<Vec<Behind>, DbErr> {
    rows.iter()
        .map(|row| {
            Ok(Behind {
                id: row.try_get_by_index(0)?,
                numbered: row.try_get_by_index(1)?,
                seq: row.try_get_by_index(2)?,
                last: row.try_get_by_index(3)?,
            })
        })
        .collect()
}

/// Numbers the next rows of a conversation; answers how many they are, and how many messages of them.
async fn number_piece(
    kind: StoreKind,
    transaction: &DatabaseTransaction,
    conversation: &Behind,
) -> Result<(i64, u64), DbErr> {
    let Behind { id, numbered, seq, last } = *conversation;
    let query = statement(kind, PIECE, [id.into(), numbered.into(), PIECE_ROWS.into()]);
    let Some(row) = transaction.query_one_raw(query).await? else { return Ok((0, 0)) };
    let (in_all, messages): (i64, i64) = (row.try_get("", "in_all")?, row.try_get("", "messages")?);
    let end: i64 = row.try_get::<Option<i64>>("", "last")?.unwrap_or(numbered);
    let last_message: Option<i64> = row.try_get("", "last_message")?;
    // At the end of the timeline there may stand what happened after the last message.
    let reached = if in_all < PIECE_ROWS { last.max(last_message.unwrap_or(last)) } else { end };
    let advance =
        [reached.into(), (seq + messages).into(), id.into(), numbered.into(), seq.into()] as [Value; 5];
    // First of all, for the lock: of two programs one goes on.
    if transaction.execute_raw(statement(kind, ADVANCE, advance)).await?.rows_affected() == 0 || in_all == 0 {
        return Ok((in_all, 0));
    }
    let text = match kind {
        StoreKind::MySql => format!(
            "UPDATE messages JOIN {NUMBERED} ON messages.position = piece.position \
             SET messages.seq = piece.seq WHERE messages.conversation_id = ?"
        ),
        _ => format!(
            "UPDATE messages SET seq = piece.seq FROM {NUMBERED} \
             WHERE messages.position = piece.position AND messages.conversation_id = ?"
        ),
    };
    let values = [seq.into(), id.into(), numbered.into(), end.into(), id.into()] as [Value; 5];
    transaction.execute_raw(statement(kind, &text, values)).await?;
    Ok((in_all, u64::try_from(messages).unwrap_or(0)))
}

impl Store {
    /// Numbers the messages that programs of the first versions have stored without a number; answers how
    /// many. What is numbered already costs a look at the conversations.
    ///
    /// # Errors
    /// The database's. The call can be repeated: what was numbered stays so.
    pub async fn number_messages(&self) -> Result<u64, StorageError> {
        Ok(number_all(self.kind(), self.writer()).await?)
    }
}
