//! PostgreSQL: all rows at once by binary COPY, straight into their table.
//!
//! COPY takes about half the server's work of any INSERT that looks for conflicts, and fails when one row has
//! any.

mod copy;
mod fence;
mod frozen;
mod session;
mod tables;

use std::collections::HashSet;

use sea_orm::sqlx::PgConnection;

pub(super) use self::frozen::end_sessions;
use self::session::Session;
use super::{Manner, MessageRow, WriteBatch, derive};
use crate::{Store, WriteError, crash_point};

/// Answers how many rows were stored.
pub(super) async fn write(
    store: &Store,
    manner: Manner,
    batch: &WriteBatch,
    rows: &[&MessageRow<'_>],
) -> Result<u64, WriteError> {
    let mut session = Session::begin(store).await?;
    let outcome = steps(session.connection(), manner, batch, rows).await;
    session.end(outcome).await
}

async fn steps(
    connection: &mut PgConnection,
    manner: Manner,
    batch: &WriteBatch,
    rows: &[&MessageRow<'_>],
) -> Result<u64, WriteError> {
    fence::advance(connection, batch).await?;
    let inserted = match manner {
        Manner::AllNew => {
            copy::messages(connection, rows).await?;
            rows.to_vec()
        }
        Manner::Looking => {
            let fresh: HashSet<_> = tables::insert_messages(connection, rows).await?.into_iter().collect();
            rows.iter().copied().filter(|row| fresh.contains(&row.id.as_uuid())).collect()
        }
    };
    crash_point("after_insert");
    if !inserted.is_empty() {
        let conversations = derive::conversations(&inserted);
        tables::upsert_conversations(connection, &conversations).await?;
        tables::insert_members(connection, &derive::members(&inserted)).await?;
        tables::list(connection, &conversations).await?;
    }
    Ok(inserted.len() as u64)
}
