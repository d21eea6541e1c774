//! SQLite and MySQL: statements of several rows, in a few fixed sizes, so that their texts are few and stay
//! prepared.
//!
//! Which rows are new is asked, where it is, before they are inserted, under the protection of the fence.
//! That needs neither `RETURNING`, which MySQL lacks, nor a count of affected rows, which MySQL gives
//! differently for ignored duplicates, nor `INSERT IGNORE`, which would hide errors in the data. Any conflict
//! that is left is an error.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use uuid::Uuid;

use super::derive::{self, DerivedConversation, DerivedMember};
use super::{Manner, MessageRow, WriteBatch, fence};
use crate::queries::lists::list_statement;
use crate::sql::{backend, statement};
use crate::{Store, StoreKind, WriteError, crash_point};

/// Rows of one statement. 128 × 8 columns are far below SQLite's 32,766 parameters. Larger ones were no
/// faster.
const SIZES: [usize; 3] = [128, 16, 1];
/// What the rows of one statement take, at most: half of the smallest `max_allowed_packet` that is accepted
/// at the start, and 16 bodies of the largest size (32 KB).
const STATEMENT_MAX_BYTES: usize = 512 << 10;
/// A message's columns besides its texts, and what the drivers put around all of them, about.
const ROW_BYTES: usize = 160;

const MESSAGES: &str = "INSERT INTO messages \
    (conversation_id, position, id, sender_id, recipient_id, client_id, sent_at_ms, body) VALUES ";
const CONVERSATIONS: &str =
    "INSERT INTO conversations (id, kind, last_position, last_sent_at_ms, created_at_ms) VALUES ";
const MEMBERS: &str = "INSERT INTO members (conversation_id, user_id, joined_at_ms, last_read) VALUES ";

/// Answers how many rows were stored.
pub(super) async fn write(
    store: &Store,
    manner: Manner,
    batch: &WriteBatch,
    rows: &[&MessageRow<'_>],
) -> Result<u64, WriteError> {
    let kind = store.kind();
    let transaction = store.write_transaction().await?;
    fence::advance(&transaction, batch).await?;
    let inserted = match manner {
        Manner::AllNew => rows.to_vec(),
        Manner::Looking => not_stored(kind, &transaction, rows).await?,
    };
    insert_messages(kind, &transaction, &inserted).await?;
    crash_point("after_insert");
    if !inserted.is_empty() {
        let conversations = derive::conversations(&inserted);
        upsert_conversations(kind, &transaction, &conversations).await?;
        insert_members(kind, &transaction, &derive::members(&inserted)).await?;
        list(kind, &transaction, &conversations).await?;
    }
    crash_point("before_commit");
    transaction.commit().await?;
    crash_point("after_commit");
    Ok(inserted.len() as u64)
}

async fn not_stored<'r>(
    kind: StoreKind,
    transaction: &DatabaseTransaction,
    rows: &[&'r MessageRow<'r>],
) -> Result<Vec<&'r MessageRow<'r>>, WriteError> {
    let mut stored = HashSet::new();
    for chunk in chunks(rows) {
        let text = format!("SELECT id FROM messages WHERE id IN ({})", repeated("?", chunk.len()));
        let ids = chunk.iter().map(|row| Value::from(row.id.as_uuid()));
        for row in transaction.query_all_raw(statement(kind, &text, ids)).await? {
            stored.insert(row.try_get_by_index::<Uuid>(0)?);
        }
    }
    Ok(rows.iter().copied().filter(|row| !stored.contains(&row.id.as_uuid())).collect())
}

async fn insert_messages(
    kind: StoreKind,
    transaction: &DatabaseTransaction,
    rows: &[&MessageRow<'_>],
) -> Result<(), WriteError> {
    let bytes = |row: &&MessageRow<'_>| ROW_BYTES + row.client_id.as_str().len() + row.body.as_str().len();
    for chunk in chunks_within(rows, bytes) {
        let text = format!("{MESSAGES}{}", repeated("(?, ?, ?, ?, ?, ?, ?, ?)", chunk.len()));
        let values = chunk.iter().flat_map(|row| -> [Value; 8] {
            [
                row.conversation.as_uuid().into(),
                row.position.as_i64().into(),
                row.id.as_uuid().into(),
                row.sender.as_uuid().into(),
                row.to.as_uuid().into(),
                row.client_id.as_str().into(),
                row.sent_at.unix_ms().into(),
                row.body.as_str().into(),
            ]
        });
        transaction.execute_raw(statement(kind, &text, values)).await?;
    }
    Ok(())
}

async fn upsert_conversations(
    kind: StoreKind,
    transaction: &DatabaseTransaction,
    conversations: &[DerivedConversation],
) -> Result<(), WriteError> {
    let newer = match kind {
        // MySQL assigns from left to right: `last_position` must still be the old one in the first
        // comparison.
        StoreKind::MySql => {
            " ON DUPLICATE KEY UPDATE \
             last_sent_at_ms = \
             IF(VALUES(last_position) > last_position, VALUES(last_sent_at_ms), last_sent_at_ms), \
             last_position = GREATEST(last_position, VALUES(last_position))"
        }
        _ => {
            " ON CONFLICT (id) DO UPDATE \
             SET last_position = excluded.last_position, last_sent_at_ms = excluded.last_sent_at_ms \
             WHERE conversations.last_position < excluded.last_position"
        }
    };
    for chunk in chunks(conversations) {
        let text = format!("{CONVERSATIONS}{}{newer}", repeated("(?, 'direct', ?, ?, ?)", chunk.len()));
        let values = chunk.iter().flat_map(|found| -> [Value; 4] {
            [
                found.id.as_uuid().into(),
                found.last_position.as_i64().into(),
                found.last_sent_at.unix_ms().into(),
                found.created_at.unix_ms().into(),
            ]
        });
        transaction.execute_raw(statement(kind, &text, values)).await?;
    }
    Ok(())
}

async fn insert_members(
    kind: StoreKind,
    transaction: &DatabaseTransaction,
    members: &[DerivedMember],
) -> Result<(), WriteError> {
    let ignored = match kind {
        StoreKind::MySql => " ON DUPLICATE KEY UPDATE user_id = user_id",
        _ => " ON CONFLICT DO NOTHING",
    };
    for chunk in chunks(members) {
        let text = format!("{MEMBERS}{}{ignored}", repeated("(?, ?, ?, 0)", chunk.len()));
        let values = chunk.iter().flat_map(|member| -> [Value; 3] {
            [
                member.conversation.as_uuid().into(),
                member.user.as_uuid().into(),
                member.joined_at.unix_ms().into(),
            ]
        });
        transaction.execute_raw(statement(kind, &text, values)).await?;
    }
    Ok(())
}

/// The lists of the members of these conversations; see [`crate::queries::lists`].
async fn list(
    kind: StoreKind,
    transaction: &DatabaseTransaction,
    conversations: &[DerivedConversation],
) -> Result<(), WriteError> {
    for chunk in chunks(conversations) {
        let which = format!("AND c.id IN ({})", repeated("?", chunk.len()));
        let text = list_statement(backend(kind), &which);
        let ids = chunk.iter().map(|found| Value::from(found.id.as_uuid()));
        transaction.execute_raw(statement(kind, &text, ids)).await?;
    }
    Ok(())
}

fn repeated(part: &str, times: usize) -> String {
    let mut text = String::with_capacity((part.len() + 2) * times);
    for index in 0..times {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(part);
    }
    text
}

/// All rows, in order, in pieces of [`SIZES`], the largest that fits each time.
fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    chunks_within(rows, |_| 0)
}

/// [`chunks`] of which none takes more than [`STATEMENT_MAX_BYTES`], except for one row alone.
fn chunks_within<T>(mut rows: &[T], bytes: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let fits = |size| rows[..size].iter().map(&bytes).sum::<usize>() <= STATEMENT_MAX_BYTES;
        let size = SIZES.into_iter().find(|&size| size <= rows.len() && (size == 1 || fits(size)))?;
        let (chunk, rest) = rows.split_at(size);
        rows = rest;
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_have_few_sizes_and_lose_nothing() {
        for count in [0_usize, 1, 15, 16, 17, 127, 128, 129, 1_000] {
            let rows: Vec<usize> = (0..count).collect();
            assert!(chunks(&rows).all(|chunk| SIZES.contains(&chunk.len())));
            assert_eq!(chunks(&rows).flatten().copied().collect::<Vec<_>>(), rows);
            assert!(chunks(&rows).count() <= count / 128 + 7 + 15);
        }
    }

    #[test]
    fn no_statement_is_larger_than_a_server_takes() {
        let bodies: Vec<usize> = (0..1_000).map(|n| if n % 3 == 0 { 32_000 } else { 40 + n }).collect();
        let pieces: Vec<&[usize]> = chunks_within(&bodies, |body| ROW_BYTES + 64 + body).collect();
        let bytes = |piece: &[usize]| piece.iter().map(|body| ROW_BYTES + 64 + body).sum::<usize>();
        assert!(
            pieces.iter().all(|piece| bytes(piece) <= STATEMENT_MAX_BYTES && SIZES.contains(&piece.len()))
        );
        assert!(pieces.iter().any(|piece| piece.len() == 16), "not one by one");
        assert_eq!(pieces.concat(), bodies);
        let largest = [32_000; 16].map(|body| ROW_BYTES + 64 + body);
        assert!(largest.iter().sum::<usize>() <= STATEMENT_MAX_BYTES);
    }

    #[test]
    fn parts_are_separated() {
        assert_eq!(repeated("?", 3), "?, ?, ?");
        assert_eq!(repeated("?", 0), "");
    }
}
