//! Statements that leave out what is stored already: one a table, one array a column. Their texts are the
//! same for every batch, so they are prepared once, and there is no limit of parameters.

use sea_orm::SqlxError;
use sea_orm::sqlx::{self, PgConnection};
use uuid::Uuid;

use super::super::MessageRow;
use super::super::derive::{DerivedConversation, DerivedMember};
use crate::queries::lists::list_statement;

/// `ON CONFLICT (id)`, not any conflict: that another message has this position already must be an error.
const INSERT_MESSAGES: &str = "\
    INSERT INTO messages \
    (conversation_id, position, id, sender_id, recipient_id, client_id, sent_at_ms, body) \
    SELECT * \
    FROM UNNEST($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], \
    $8::text[]) \
    ON CONFLICT (id) DO NOTHING \
    RETURNING id";

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
    SELECT conversation_id, user_id, joined_at_ms, 0 \
    FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) \
    AS given (conversation_id, user_id, joined_at_ms) \
    ON CONFLICT DO NOTHING";

/// The lists of the members of these conversations; see [`crate::queries::lists`].
pub(super) async fn list(
    connection: &mut PgConnection,
    conversations: &[DerivedConversation],
) -> Result<(), SqlxError> {
    let text = list_statement(sea_orm::DbBackend::Postgres, "AND c.id = ANY($1)");
    sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(column(conversations, |found| found.id.as_uuid()))
        .execute(connection)
        .await?;
    Ok(())
}

/// Answers the ids of those that were not stored before.
pub(super) async fn insert_messages(
    connection: &mut PgConnection,
    rows: &[&MessageRow<'_>],
) -> Result<Vec<Uuid>, SqlxError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(INSERT_MESSAGES)
        .bind(column(rows, |row| row.conversation.as_uuid()))
        .bind(column(rows, |row| row.position.as_i64()))
        .bind(column(rows, |row| row.id.as_uuid()))
        .bind(column(rows, |row| row.sender.as_uuid()))
        .bind(column(rows, |row| row.to.as_uuid()))
        .bind(column(rows, |row| row.client_id.as_str()))
        .bind(column(rows, |row| row.sent_at.unix_ms()))
        .bind(column(rows, |row| row.body.as_str()))
        .fetch_all(connection)
        .await
}

pub(super) async fn upsert_conversations(
    connection: &mut PgConnection,
    conversations: &[DerivedConversation],
) -> Result<(), SqlxError> {
    sqlx::query(UPSERT_CONVERSATIONS)
        .bind(column(conversations, |found| found.id.as_uuid()))
        .bind(column(conversations, |found| found.last_position.as_i64()))
        .bind(column(conversations, |found| found.last_sent_at.unix_ms()))
        .bind(column(conversations, |found| found.created_at.unix_ms()))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn insert_members(
    connection: &mut PgConnection,
    members: &[DerivedMember],
) -> Result<(), SqlxError> {
    sqlx::query(INSERT_MEMBERS)
        .bind(column(members, |member| member.conversation.as_uuid()))
        .bind(column(members, |member| member.user.as_uuid()))
        .bind(column(members, |member| member.joined_at.unix_ms()))
        .execute(connection)
        .await?;
    Ok(())
}

fn column<'r, T, C>(rows: &'r [T], value: impl Fn(&'r T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}
