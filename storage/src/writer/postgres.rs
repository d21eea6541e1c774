//! PostgreSQL: one statement a table, one array a column. The text is the same for every batch, so it is prepared once,
//! and there is no limit of parameters.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};
use uuid::Uuid;

use super::MessageRow;
use super::derive::{DerivedConversation, DerivedMember};
use crate::WriteError;

/// `ON CONFLICT (id)`, not any conflict: that another message has this position already must be an error.
const INSERT_MESSAGES: &str = "\
    INSERT INTO messages \
    (conversation_id, position, id, sender_id, recipient_id, client_id, sent_at_ms, body) \
    SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], \
    $8::text[]) ON CONFLICT (id) DO NOTHING RETURNING id";

const UPSERT_CONVERSATIONS: &str = "\
    INSERT INTO conversations (id, kind, last_position, last_sent_at_ms, created_at_ms) \
    SELECT id, 'direct', last_position, last_sent_at_ms, created_at_ms \
    FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) \
    AS given (id, last_position, last_sent_at_ms, created_at_ms) \
    ON CONFLICT (id) DO UPDATE \
    SET last_position = EXCLUDED.last_position, last_sent_at_ms = EXCLUDED.last_sent_at_ms \
    WHERE conversations.last_position < EXCLUDED.last_position";

const INSERT_MEMBERS: &str = "\
    INSERT INTO members (conversation_id, user_id, joined_at_ms, last_read) \
    SELECT conversation_id, user_id, joined_at_ms, 0 FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) \
    AS given (conversation_id, user_id, joined_at_ms) ON CONFLICT DO NOTHING";

pub(super) async fn insert_messages<'r>(
    transaction: &DatabaseTransaction,
    rows: &[&'r MessageRow],
) -> Result<Vec<&'r MessageRow>, WriteError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let values = [
        uuids(rows, |row| row.conversation.as_uuid()),
        numbers(rows, |row| row.position.as_i64()),
        uuids(rows, |row| row.id.as_uuid()),
        uuids(rows, |row| row.sender.as_uuid()),
        uuids(rows, |row| row.to.as_uuid()),
        texts(rows, |row| row.client_id.as_str()),
        numbers(rows, |row| row.sent_at.unix_ms()),
        texts(rows, |row| row.body.as_str()),
    ];
    let mut inserted = HashSet::with_capacity(rows.len());
    for row in transaction.query_all_raw(statement(INSERT_MESSAGES, values)).await? {
        inserted.insert(row.try_get_by_index::<Uuid>(0)?);
    }
    Ok(rows.iter().copied().filter(|row| inserted.contains(&row.id.as_uuid())).collect())
}

pub(super) async fn upsert_conversations(
    transaction: &DatabaseTransaction,
    conversations: &[DerivedConversation],
) -> Result<(), WriteError> {
    let values = [
        uuids(conversations, |found| found.id.as_uuid()),
        numbers(conversations, |found| found.last_position.as_i64()),
        numbers(conversations, |found| found.last_sent_at.unix_ms()),
        numbers(conversations, |found| found.created_at.unix_ms()),
    ];
    transaction.execute_raw(statement(UPSERT_CONVERSATIONS, values)).await?;
    Ok(())
}

pub(super) async fn insert_members(
    transaction: &DatabaseTransaction,
    members: &[DerivedMember],
) -> Result<(), WriteError> {
    let values = [
        uuids(members, |member| member.conversation.as_uuid()),
        uuids(members, |member| member.user.as_uuid()),
        numbers(members, |member| member.joined_at.unix_ms()),
    ];
    transaction.execute_raw(statement(INSERT_MEMBERS, values)).await?;
    Ok(())
}

fn statement(text: &'static str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, text, values)
}

fn uuids<T>(rows: &[T], column: impl Fn(&T) -> Uuid) -> Value {
    rows.iter().map(column).collect::<Vec<_>>().into()
}

fn numbers<T>(rows: &[T], column: impl Fn(&T) -> i64) -> Value {
    rows.iter().map(column).collect::<Vec<_>>().into()
}

fn texts<T>(rows: &[T], column: impl Fn(&T) -> &str) -> Value {
    rows.iter().map(|row| column(row).to_owned()).collect::<Vec<_>>().into()
}
