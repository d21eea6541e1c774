//! Statements that leave out what is stored already: one a table, one array a column. Their texts are the
//! same for every batch, so they are prepared once, and there is no limit of parameters.

use sea_orm::SqlxError;
use sea_orm::sqlx::{self, PgConnection};
use uuid::Uuid;

use super::super::{DirectRow, Listing};

/// As they are in memory: under the fence nobody else changes them.
const UPSERT_CONVERSATIONS: &str = "\
    INSERT INTO conversations (id, kind, last_position, last_sent_at_ms, created_at_ms, last_seq, \
    numbered_position, folded_position) \
    SELECT id, 'direct', last_position, last_sent_at_ms, created_at_ms, last_seq, numbered_position, \
    folded_position FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
    $6::bigint[], $7::bigint[]) AS given (id, last_position, last_sent_at_ms, created_at_ms, last_seq, \
    numbered_position, folded_position) \
    ON CONFLICT (id) DO UPDATE SET last_position = EXCLUDED.last_position, \
    last_sent_at_ms = EXCLUDED.last_sent_at_ms, last_seq = EXCLUDED.last_seq, \
    numbered_position = EXCLUDED.numbered_position, folded_position = EXCLUDED.folded_position";

const INSERT_MEMBERS: &str = "\
    INSERT INTO members (conversation_id, user_id, joined_at_ms, last_read) \
    SELECT conversation_id, user_id, joined_at_ms, 0 \
    FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) \
    AS given (conversation_id, user_id, joined_at_ms) \
    ON CONFLICT DO NOTHING";

const LIST: &str = "\
    INSERT INTO conversation_lists (conversation_id, user_id, last_sent_at_ms) \
    SELECT conversation_id, user_id, last_sent_at_ms \
    FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) \
    AS given (conversation_id, user_id, last_sent_at_ms) \
    ON CONFLICT (conversation_id, user_id) DO UPDATE SET last_sent_at_ms = EXCLUDED.last_sent_at_ms \
    WHERE conversation_lists.last_sent_at_ms <> EXCLUDED.last_sent_at_ms";

/// Moves conversations in the lists of their people; see [`crate::queries::lists`].
pub(super) async fn list(connection: &mut PgConnection, listings: &[Listing]) -> Result<(), SqlxError> {
    if listings.is_empty() {
        return Ok(());
    }
    sqlx::query(LIST)
        .bind(column(listings, |listing| listing.conversation))
        .bind(column(listings, |listing| listing.user))
        .bind(column(listings, |listing| listing.listed_at_ms))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn upsert_conversations(
    connection: &mut PgConnection,
    conversations: &[DirectRow],
) -> Result<(), SqlxError> {
    sqlx::query(UPSERT_CONVERSATIONS)
        .bind(column(conversations, |found| found.id.as_uuid()))
        .bind(column(conversations, |found| found.last_position))
        .bind(column(conversations, |found| found.last_sent_at_ms))
        .bind(column(conversations, |found| found.created_at_ms))
        .bind(column(conversations, |found| found.last_seq))
        .bind(column(conversations, |found| found.numbered_position))
        .bind(column(conversations, |found| found.folded_position))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn insert_members(
    connection: &mut PgConnection,
    members: &[(Uuid, Uuid, i64)],
) -> Result<(), SqlxError> {
    if members.is_empty() {
        return Ok(());
    }
    sqlx::query(INSERT_MEMBERS)
        .bind(column(members, |member| member.0))
        .bind(column(members, |member| member.1))
        .bind(column(members, |member| member.2))
        .execute(connection)
        .await?;
    Ok(())
}

fn column<'r, T, C>(rows: &'r [T], value: impl Fn(&'r T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}
