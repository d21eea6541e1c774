//! PostgreSQL: all rows at once by binary COPY, straight into their table.
//!
//! COPY takes about half the server's work of any INSERT that looks for conflicts, and fails when one row has
//! any.

mod copy;
mod fence;
mod frozen;
mod session;
mod tables;
pub(super) mod unnest;

use std::collections::HashMap;

use milena_domain::ConversationId;
use sea_orm::sqlx::PgConnection;

pub(super) use self::frozen::end_sessions;
use self::session::Session;
use super::connection::Connection;
use super::judge::Changes;
use super::known::Known;
use super::loaded::Loaded;
use super::{Failure, Way, WriteBatch, Written, direct_rows, listings, new_members, steps};
use crate::{Store, WriteError, crash_point};

pub(super) async fn write(
    store: &Store,
    way: Way,
    batch: &WriteBatch,
    known: &mut Known,
) -> Result<Written, Failure> {
    let mut session = Session::begin(store).await?;
    let outcome = within(session.connection(), way, batch, known).await;
    session.end(outcome).await
}

async fn within(
    connection: &mut PgConnection,
    way: Way,
    batch: &WriteBatch,
    known: &mut Known,
) -> Result<Written, Failure> {
    let rewritten = fence::advance(connection, batch).await?;
    steps(&mut Connection::Postgres(connection), way, batch, known, rewritten).await
}

/// The new rows of the timeline, and what follows from them for direct conversations.
pub(super) async fn insert(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    loaded: &HashMap<ConversationId, Loaded>,
) -> Result<(), WriteError> {
    copy::messages(connection, &changes.rows).await?;
    crash_point("after_insert");
    let conversations = direct_rows(loaded);
    if !conversations.is_empty() {
        tables::upsert_conversations(connection, &conversations).await?;
        tables::insert_members(connection, &new_members(changes, loaded)).await?;
        tables::list(connection, &listings(changes, loaded)).await?;
    }
    Ok(())
}
