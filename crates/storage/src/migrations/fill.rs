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

/// An index of messages of which there are few: where the database can, the others cost nothing.
struct Few {
    name: &'static str,
    columns: &'static str,
    alone: &'static str,
}

const FEW: [Few; 2] = [
    Few {
        name: "messages_changed",
        columns: "(conversation_id, changed_position)",
        alone: " WHERE changed_position IS NOT NULL",
    },
    Few {
        name: "messages_pinned",
        columns: "(conversation_id, pinned_position)",
        alone: " WHERE pinned_position IS NOT NULL",
    },
];

/// InnoDB's way that lets others write meanwhile; refused by the server where it cannot.
const ONLINE: &str = " ALGORITHM=INPLACE LOCK=NONE";
/// "index" in ASCII, after PostgreSQL's number of the migrations' lock: whoever has it builds an index. One
/// for all of them: two of one table that are built at once wait for each other, which is a deadlock.
const BUILDS_NUMBER: i64 = 0x69_6e64_6578;

pub(super) async fn fill(kind: StoreKind, connection: &DatabaseConnection) -> Result<(), DbErr> {
    for few in &FEW {
        index_few(kind, connection, few).await?;
    }
    names::fold_all(kind, connection).await?;
    lists::list_in_pieces(kind, connection).await?;
    let numbered = numbering::number_all(kind, connection).await?;
    if numbered > 0 {
        log::info!(messages = numbered; "the messages of before are numbered");
    }
    Ok(())
}

/// Reads the whole table once, so it is not part of the schema change either; others write meanwhile.
async fn index_few(kind: StoreKind, connection: &DatabaseConnection, few: &Few) -> Result<(), DbErr> {
    let Few { name, columns, alone, .. } = few;
    let create = format!("CREATE INDEX {name} ON messages {columns}");
    match kind {
        StoreKind::Postgres => index_concurrently(connection, few).await,
        StoreKind::Sqlite => index_at_once(connection, name, &format!("{create}{alone}")).await,
        StoreKind::MySql => index_at_once(connection, name, &format!("{create}{ONLINE}")).await,
    }
}

async fn index_at_once(connection: &DatabaseConnection, name: &str, create: &str) -> Result<(), DbErr> {
    let exists = async || SchemaManager::new(connection).has_index("messages", name).await;
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
/// index behind, which is built again. While another program builds one nothing is waited for: it makes
/// reading quicker, and nothing else.
async fn index_concurrently(connection: &DatabaseConnection, few: &Few) -> Result<(), DbErr> {
    if is_valid(connection, few).await? == Some(true) {
        return Ok(());
    }
    let ask = statement(StoreKind::Postgres, "SELECT pg_try_advisory_lock(?)", [BUILDS_NUMBER.into()]);
    let row = connection.query_one_raw(ask).await?;
    let is_mine: bool = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(false);
    if !is_mine {
        log::info!(index = few.name; "another program builds an index");
        return Ok(());
    }
    // Looked at again: another one may have ended just now.
    let built = match is_valid(connection, few).await {
        Ok(Some(true)) => Ok(()),
        Ok(found) => build(connection, few, found.is_some()).await,
        Err(error) => Err(error),
    };
    // In every other case the connection is closed, which releases it too.
    let release = statement(StoreKind::Postgres, "SELECT pg_advisory_unlock(?)", [BUILDS_NUMBER.into()]);
    connection.query_one_raw(release).await?;
    built
}

async fn build(connection: &DatabaseConnection, few: &Few, is_invalid: bool) -> Result<(), DbErr> {
    let Few { name, columns, alone, .. } = few;
    if is_invalid {
        log::info!(index = *name; "an index that was cut off is built again");
        connection.execute_unprepared(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
    }
    let create = format!("CREATE INDEX CONCURRENTLY {name} ON messages {columns}{alone}");
    connection.execute_unprepared(&create).await.map(drop)
}

/// Whether the index can be used; `None` when there is none.
async fn is_valid(connection: &DatabaseConnection, few: &Few) -> Result<Option<bool>, DbErr> {
    let ask = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(?)";
    let row = connection.query_one_raw(statement(StoreKind::Postgres, ask, [few.name.into()])).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}
