//! What an upgrade fills in after the schema has changed: in pieces, each a short transaction of its own.
//!
//! A schema change holds a lock that keeps everybody out until it is committed; filling takes as long as the
//! store is large. So nothing is filled there. Each piece says in its rows that it was done: a program that
//! is killed half-way goes on where it was, several may fill at once, and programs of before work meanwhile.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use sea_orm_migration::SchemaManager;

use crate::StoreKind;
use crate::queries::{lists, names, numbering};
use crate::sql::statement;

/// Of messages that something has changed there are few: where the database can, the others cost nothing.
const COLUMNS: &str = "messages_changed ON messages (conversation_id, changed_position)";
const CHANGED_ALONE: &str = " WHERE changed_position IS NOT NULL";
/// InnoDB's way that lets others write meanwhile; refused by the server where it cannot.
const ONLINE: &str = " ALGORITHM=INPLACE LOCK=NONE";
/// "index" in ASCII, after PostgreSQL's number of the migrations' lock: whoever has it builds the index.
const BUILDS_NUMBER: i64 = 0x69_6e64_6578;

pub(super) async fn fill(kind: StoreKind, connection: &DatabaseConnection) -> Result<(), DbErr> {
    index_changes(kind, connection).await?;
    names::fold_all(kind, connection).await?;
    lists::list_in_pieces(kind, connection).await?;
    let numbered = numbering::number_all(kind, connection).await?;
    if numbered > 0 {
        log::info!(messages = numbered; "the messages of before are numbered");
    }
    Ok(())
}

/// Reads the whole table once, so it is not part of the schema change either; others write meanwhile.
async fn index_changes(kind: StoreKind, connection: &DatabaseConnection) -> Result<(), DbErr> {
    match kind {
        StoreKind::Postgres => index_concurrently(connection).await,
        StoreKind::Sqlite => {
            index_at_once(connection, &format!("CREATE INDEX {COLUMNS}{CHANGED_ALONE}")).await
        }
        StoreKind::MySql => index_at_once(connection, &format!("CREATE INDEX {COLUMNS}{ONLINE}")).await,
    }
}

async fn index_at_once(connection: &DatabaseConnection, create: &str) -> Result<(), DbErr> {
    let exists = async || SchemaManager::new(connection).has_index("messages", "messages_changed").await;
    if exists().await? {
        return Ok(());
    }
    match connection.execute_unprepared(create).await {
        Ok(_) => Ok(()),
        // Another program was first.
        Err(_) if exists().await? => Ok(()),
        Err(error) => Err(error),
    }
}

/// A plain `CREATE INDEX` keeps everybody from writing until it is done. What was cut off leaves an invalid
/// index behind, which is built again. While another program builds it nothing is waited for: it makes
/// reading quicker, and nothing else.
async fn index_concurrently(connection: &DatabaseConnection) -> Result<(), DbErr> {
    if is_valid(connection).await? == Some(true) {
        return Ok(());
    }
    let ask = statement(StoreKind::Postgres, "SELECT pg_try_advisory_lock(?)", [BUILDS_NUMBER.into()]);
    let row = connection.query_one_raw(ask).await?;
    let is_mine: bool = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(false);
    if !is_mine {
        log::info!("another program builds the index of what has changed");
        return Ok(());
    }
    // Looked at again: another one may have ended just now.
    let built = match is_valid(connection).await {
        Ok(Some(true)) => Ok(()),
        Ok(found) => build(connection, found.is_some()).await,
        Err(error) => Err(error),
    };
    // In every other case the connection is closed, which releases it too.
    let release = statement(StoreKind::Postgres, "SELECT pg_advisory_unlock(?)", [BUILDS_NUMBER.into()]);
    connection.query_one_raw(release).await?;
    built
}

async fn build(connection: &DatabaseConnection, is_invalid: bool) -> Result<(), DbErr> {
    if is_invalid {
        log::info!("an index that was cut off is built again");
        connection.execute_unprepared("DROP INDEX CONCURRENTLY IF EXISTS messages_changed").await?;
    }
    let create = format!("CREATE INDEX CONCURRENTLY {COLUMNS}{CHANGED_ALONE}");
    connection.execute_unprepared(&create).await.map(drop)
}

/// Whether the index can be used; `None` when there is none.
async fn is_valid(connection: &DatabaseConnection) -> Result<Option<bool>, DbErr> {
    let ask = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('messages_changed')";
    let row = connection.query_one_raw(statement(StoreKind::Postgres, ask, [])).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}
