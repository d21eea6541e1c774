//! SQLite and MySQL: statements of several rows, in a few fixed sizes, so that their texts are few and stay
//! prepared.
//!
//! Which rows are new was asked, where it was, before they are inserted, under the protection of the fence.
//! That needs neither `RETURNING`, which MySQL lacks, nor a count of affected rows, which MySQL gives
//! differently for ignored duplicates, nor `INSERT IGNORE`, which would hide errors in the data. Any conflict
//! that is left is an error.

use std::collections::HashMap;

use milena_domain::ConversationId;
use sea_orm::Value;
use uuid::Uuid;

use super::connection::Connection;
use super::judge::Changes;
use super::known::Known;
use super::loaded::Loaded;
use super::row::TimelineRow;
use super::{DirectRow, Failure, Listing, Way, WriteBatch, Written};
use super::{direct_rows, fence, listings, new_members, steps};
use crate::{Store, StoreKind, WriteError, crash_point};

/// Rows of one statement. 128 × 21 columns are far below SQLite's 32,766 parameters. Larger ones were no
/// faster.
const SIZES: [usize; 3] = [128, 16, 1];
/// What the rows of one statement take, at most: half of the smallest `max_allowed_packet` that is accepted
/// at the start, and 16 bodies of the largest size (32 KB).
const STATEMENT_MAX_BYTES: usize = 512 << 10;
/// A message's columns besides its texts, and what the drivers put around all of them, about.
const ROW_BYTES: usize = 192;

const MESSAGES: &str = "INSERT INTO messages \
    (conversation_id, position, id, sender_id, recipient_id, client_id, sent_at_ms, body, \
    kind, payload, seq) VALUES ";
const CONVERSATIONS: &str = "INSERT INTO conversations (id, kind, last_position, last_sent_at_ms, \
    created_at_ms, last_seq, numbered_position, folded_position)";
const LISTS: &str = "INSERT INTO conversation_lists (conversation_id, user_id, last_sent_at_ms)";
const MEMBERS: &str = "INSERT INTO members (conversation_id, user_id, joined_at_ms, last_read)";

pub(super) async fn write(
    store: &Store,
    way: Way,
    batch: &WriteBatch,
    known: &mut Known,
) -> Result<Written, Failure> {
    let kind = store.kind();
    let transaction = store.write_transaction().await?;
    let rewritten = fence::advance(&transaction, batch).await?;
    let mut connection = Connection::Orm(kind, &transaction);
    let written = steps(&mut connection, way, batch, known, rewritten).await?;
    crash_point("before_commit");
    transaction.commit().await?;
    crash_point("after_commit");
    Ok(written)
}

/// The new rows of the timeline, and what follows from them for direct conversations.
pub(super) async fn insert(
    connection: &mut Connection<'_>,
    changes: &Changes<'_>,
    loaded: &HashMap<ConversationId, Loaded>,
) -> Result<(), WriteError> {
    insert_rows(connection, &changes.rows).await?;
    crash_point("after_insert");
    let conversations = direct_rows(loaded);
    upsert_conversations(connection, &conversations).await?;
    insert_members(connection, &new_members(changes, loaded)).await?;
    list(connection, &listings(changes, loaded)).await
}

async fn insert_rows(connection: &mut Connection<'_>, rows: &[TimelineRow<'_>]) -> Result<(), WriteError> {
    let bytes = |row: &TimelineRow<'_>| {
        ROW_BYTES
            + row.client_id.as_str().len()
            + row.body.len()
            + row.payload.as_ref().map_or(0, String::len)
    };
    for chunk in chunks_within(rows, bytes) {
        let text = format!("{MESSAGES}{}", repeated("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", chunk.len()));
        let values = chunk.iter().flat_map(|row| -> [Value; 11] {
            [
                row.conversation.as_uuid().into(),
                row.position.as_i64().into(),
                row.id.as_uuid().into(),
                row.sender.as_uuid().into(),
                row.to.as_uuid().into(),
                row.client_id.as_str().into(),
                row.sent_at.unix_ms().into(),
                row.body.into(),
                row.kind.into(),
                row.payload.clone().into(),
                row.seq.into(),
            ]
        });
        connection.execute(&text, values.collect()).await?;
    }
    Ok(())
}

/// As they are in memory: under the fence nobody else changes them.
async fn upsert_conversations(
    connection: &mut Connection<'_>,
    conversations: &[DirectRow],
) -> Result<(), WriteError> {
    let newer = match connection.kind() {
        StoreKind::MySql => {
            " ON DUPLICATE KEY UPDATE last_position = VALUES(last_position), \
             last_sent_at_ms = VALUES(last_sent_at_ms), last_seq = VALUES(last_seq), \
             numbered_position = VALUES(numbered_position), folded_position = VALUES(folded_position)"
        }
        _ => {
            " ON CONFLICT (id) DO UPDATE SET last_position = excluded.last_position, \
             last_sent_at_ms = excluded.last_sent_at_ms, last_seq = excluded.last_seq, \
             numbered_position = excluded.numbered_position, folded_position = excluded.folded_position"
        }
    };
    connection
        .insert(CONVERSATIONS, "(?, 'direct', ?, ?, ?, ?, ?, ?)", newer, conversations, |found| {
            vec![
                found.id.as_uuid().into(),
                found.last_position.into(),
                found.last_sent_at_ms.into(),
                found.created_at_ms.into(),
                found.last_seq.into(),
                found.numbered_position.into(),
                found.folded_position.into(),
            ]
        })
        .await
}

async fn insert_members(
    connection: &mut Connection<'_>,
    members: &[(Uuid, Uuid, i64)],
) -> Result<(), WriteError> {
    let ignored = match connection.kind() {
        StoreKind::MySql => " ON DUPLICATE KEY UPDATE user_id = user_id",
        _ => " ON CONFLICT DO NOTHING",
    };
    connection
        .insert(MEMBERS, "(?, ?, ?, 0)", ignored, members, |&(conversation, user, joined_at_ms)| {
            vec![conversation.into(), user.into(), joined_at_ms.into()]
        })
        .await
}

/// Moves conversations in the lists of their people; see [`crate::queries::lists`].
async fn list(connection: &mut Connection<'_>, listings: &[Listing]) -> Result<(), WriteError> {
    let newer = match connection.kind() {
        StoreKind::MySql => " ON DUPLICATE KEY UPDATE last_sent_at_ms = VALUES(last_sent_at_ms)",
        _ => {
            " ON CONFLICT (conversation_id, user_id) DO UPDATE \
             SET last_sent_at_ms = excluded.last_sent_at_ms \
             WHERE conversation_lists.last_sent_at_ms <> excluded.last_sent_at_ms"
        }
    };
    connection
        .insert(LISTS, "(?, ?, ?)", newer, listings, |listing| {
            vec![listing.conversation.into(), listing.user.into(), listing.listed_at_ms.into()]
        })
        .await
}

pub(super) fn repeated(part: &str, times: usize) -> String {
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
pub(super) fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
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
