//! PostgreSQL: rows by binary COPY, straight into their table.
//!
//! COPY takes about half the server's work of any INSERT that looks for conflicts, but one duplicate fails all of it.
//! Duplicates are rare, because a backend knows what it has accepted. So a batch is copied first; when that fails
//! for a row's sake, the transaction is undone and made again with `ON CONFLICT`, which leaves duplicates out and tells them
//! from a position that another message has. A batch that passes no offset is read again, and so stored already.

mod copy;
mod fence;
mod session;
mod tables;

use std::collections::HashSet;

use sea_orm::sqlx::PgConnection;

use self::session::Session;
use super::{MessageRow, WriteBatch, WriteReport, derive};
use crate::{Store, WriteError};

/// How rows get into their table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Fails when a row conflicts with anything.
    Copy,
    /// Leaves out the rows whose id is stored.
    Insert,
}

pub(super) async fn write(store: &Store, batch: &WriteBatch) -> Result<WriteReport, WriteError> {
    let rows = derive::first_of_each_id(&batch.rows);
    let mut session = Session::begin(store).await?;
    if !batch.advances.is_empty() {
        match steps(session.connection(), batch, &rows, Manner::Copy).await {
            Err(WriteError::Permanent(_)) => session.begin_again().await?,
            outcome => return session.end(outcome).await,
        }
    }
    let outcome = steps(session.connection(), batch, &rows, Manner::Insert).await;
    session.end(outcome).await
}

/// Everything between `BEGIN` and `COMMIT`.
async fn steps(
    connection: &mut PgConnection,
    batch: &WriteBatch,
    rows: &[&MessageRow],
    manner: Manner,
) -> Result<WriteReport, WriteError> {
    fence::advance(connection, batch).await?;
    let inserted = match manner {
        Manner::Copy => {
            copy::messages(connection, rows).await?;
            rows.to_vec()
        }
        Manner::Insert => {
            let fresh: HashSet<_> = tables::insert_messages(connection, rows).await?.into_iter().collect();
            rows.iter().copied().filter(|row| fresh.contains(&row.id.as_uuid())).collect()
        }
    };
    if !inserted.is_empty() {
        tables::upsert_conversations(connection, &derive::conversations(&inserted)).await?;
        tables::insert_members(connection, &derive::members(&inserted)).await?;
    }
    let inserted = inserted.len() as u64;
    Ok(WriteReport { inserted, duplicates: batch.rows.len() as u64 - inserted })
}
